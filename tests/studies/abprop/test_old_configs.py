from __future__ import annotations

import pytest

from probatum._errors import ParameterError
from probatum.studies.abprop.old_configs import translate
from probatum.studies.abprop.study import AbProp


def options(train=None, model=None, data=None):
    return dict(translate({"train": train or {}, "model": model or {}, "data": data or {}}).options)


def test_every_translation_is_a_parameter_of_the_study():
    train = {
        "learning_rate": 1e-4, "max_steps": 100, "task_weights": {"mlm": 1}, "optimizer": "sgd", "precision": "amp",
        "lr_schedule": "cosine", "gradient_clipping": 1.0, "warmup_steps": 3, "train_fraction": 0.5,
    }  # fmt: skip
    model = {"d_model": 8, "nhead": 2, "dropout": 0.1}
    assert set(options(train, model)) <= set(AbProp.parameters.model_fields)


@pytest.mark.parametrize(
    ("steps", "interval", "epochs", "length"),
    [(4000, 500, 8, 500), (150, 50, 3, 50), (70, 50, 2, 35), (5, 500, 1, 5)],
)
def test_steps_become_epochs_that_end_where_validation_was_looked_at(steps, interval, epochs, length):
    told = options({"max_steps": steps, "eval_interval": interval})
    assert (int(told["epochs"]), int(told["steps_per_epoch"])) == (epochs, length)


def test_the_train_file_wins_over_the_model_file():
    told = options({"task_weights": {"mlm": 2.0}}, {"task_weights": {"mlm": 1.0, "cls": 1.0}})
    assert (told["mlm_weight"], told["cls_weight"], told["reg_weight"]) == ("2.0", "0.0", "0.0")


def test_a_misspelt_key_is_answered_with_the_nearest():
    with pytest.raises(ParameterError, match="Did you mean 'learning_rate'"):
        options({"learning_rat": 1.0})


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ParameterError) as caught:
        options({"optimizer": "adamm", "grad_accumulation": 4}, {"layers": 3})
    assert len(str(caught.value).splitlines()) == 3


def test_what_has_no_meaning_here_is_named():
    left_out = translate({"train": {"log_dir": "x"}, "model": {}, "data": {}}).left_out
    assert left_out == ("train.log_dir",)
