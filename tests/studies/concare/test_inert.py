"""A flag that cannot act is named with the reason."""

import pytest

from probatum.studies.concare.inert import OF_THE_EXTENSION, OF_THE_TEACHER, inert_flags
from probatum.studies.concare.parameters import ConCareParameters
from probatum.studies.concare.study import ConCare


def flags(**changes):
    return inert_flags(ConCare().load_defaults().model_copy(update=changes))


def test_without_the_extension_none_of_its_flags_acts():
    assert set(OF_THE_EXTENSION) == set(flags(missing_aware_extension=False))


def test_every_flag_of_the_extension_is_known_here():
    named = {name for name in ConCareParameters.model_fields if name.startswith("missing_aware_")}
    assert named == {*OF_THE_EXTENSION, "missing_aware_extension"}


def test_mask_ratios_without_pretraining_and_auxiliary_loss_are_inert():
    found = flags(missing_aware_extension=True, missing_aware_pretrain_epochs=0, missing_aware_aux_weight=0.0)
    assert set(found) == {*OF_THE_TEACHER, "missing_aware_pretrain_lr"}
    assert "both 0" in found["missing_aware_mask_ratio_min"]


@pytest.mark.parametrize("acting", [{"missing_aware_aux_weight": 0.1}, {"missing_aware_pretrain_epochs": 3}])
def test_either_use_of_the_teacher_lets_the_mask_ratios_act(acting):
    base = {"missing_aware_pretrain_epochs": 0, "missing_aware_aux_weight": 0.0}
    found = flags(**{"missing_aware_extension": True, **base, **acting})
    assert not set(OF_THE_TEACHER) & set(found)


def test_a_warm_up_of_nothing_is_inert():
    assert flags(missing_aware_extension=True, missing_aware_pretrain_epochs=2, decov_weight=0.0) == {
        "decov_warmup_epochs": "decov_weight is 0"
    }
