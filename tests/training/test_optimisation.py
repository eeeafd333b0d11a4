from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from probatum.training.optimisation import LearningRate, averaged, make_optimizer

BASE = {
    "learning_rate": 0.1, "weight_decay": 0.0, "optimizer": "SGD", "lr_schedule": "constant", "lr_warmup_steps": 0,
    "lr_plateau_factor": 0.5, "lr_plateau_patience": 1, "epochs": 2,
}  # fmt: skip


def _rates(steps=10, **changed):
    parameters = SimpleNamespace(**{**BASE, **changed})
    optimizer = make_optimizer(parameters, [nn.Parameter(torch.zeros(1))])
    schedule, rates = LearningRate(parameters, optimizer, steps_per_epoch=5), []
    for _ in range(steps):
        schedule.before_step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates, schedule, optimizer


def test_a_constant_rate_stays():
    assert set(_rates()[0]) == {0.1}


def test_the_rate_rises_linearly_in_warm_up():
    assert _rates(lr_warmup_steps=4)[0][:5] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])


def test_a_cosine_falls_from_the_highest_to_almost_nothing():
    rates = _rates(lr_schedule="cosine")[0]
    expected = [0.05 * (1 + math.cos(math.pi * step / 11)) for step in range(1, 11)]
    assert rates == pytest.approx(expected)
    assert rates == sorted(rates, reverse=True)


def test_a_plateau_halves_the_rate_once_patience_is_used_up():
    _, schedule, optimizer = _rates(steps=1, lr_schedule="plateau")
    seen = []
    for is_better in (True, False, False, False, False):
        schedule.after_epoch(is_better=is_better)
        schedule.before_step()
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025])


def test_a_schedule_continues_from_its_state():
    _, schedule, _ = _rates(lr_schedule="cosine", lr_warmup_steps=2)
    _, other, optimizer = _rates(steps=0, lr_schedule="cosine", lr_warmup_steps=2)
    other.load_state_dict(schedule.state_dict())
    schedule.before_step()
    other.before_step()
    assert optimizer.param_groups[0]["lr"] == schedule.optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize(("name", "kind"), [("Adam", "Adam"), ("AdamW", "AdamW"), ("SGD", "SGD")])
def test_an_optimiser_is_the_one_that_is_named(name, kind):
    optimizer = make_optimizer(SimpleNamespace(**{**BASE, "optimizer": name}), [nn.Parameter(torch.zeros(1))])
    assert type(optimizer).__name__ == kind


def test_averaged_weights_are_the_exponential_average_of_the_steps():
    model = nn.Linear(1, 1, bias=False)
    average, expected = averaged(model, 0.9), None
    for value in (1.0, 2.0, 3.0):
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
        expected = value if expected is None else 0.9 * expected + 0.1 * value
    assert average.module.weight.item() == pytest.approx(expected)
