from __future__ import annotations

import pytest

from probatum.parameters import resolve
from probatum.studies import registry
from probatum.training.declared import declared_metrics

BOTH = {"mastery_correlation", "gain_correlation"}


def _declared(study, **switches):
    study = registry.load(study)
    sets = [f"{name}={str(value).lower()}" for name, value in switches.items()]
    found = resolve(study.parameters, study.load_defaults(), options={}, sets=sets)
    metrics, absent = declared_metrics(study, found.parameters)
    return {metric.name for metric in metrics}, absent


@pytest.mark.parametrize(
    ("switches", "absent"),
    [
        ({}, set()),
        ({"use_mastery_head": False}, {"mastery_correlation"}),
        ({"use_gain_head": False}, BOTH),
        ({"use_gain_head": False, "use_mastery_head": False}, BOTH),
        ({"use_gain_head": False, "intrinsic_gain_attention": True}, set()),
    ],
)
@pytest.mark.parametrize("study", ["gainakt2exp", "gainakt3exp"])
def test_a_study_declares_what_its_parameters_build(study, switches, absent):
    declared, reasons = _declared(study, **switches)
    assert set(reasons) == absent
    assert declared == {"val_auc", "val_accuracy"} | BOTH - absent


def test_a_reason_names_the_parameter():
    _, reasons = _declared("gainakt2exp", use_gain_head=False)
    assert reasons["gain_correlation"] == "use_gain_head is false"


def test_a_study_whose_metrics_do_not_depend_on_parameters_declares_them_all():
    assert _declared("dkt") == ({"val_auc", "val_accuracy"}, {})
