import math

import pytest
import torch
from torch import nn

from probatum.signals.layers import select_layers
from probatum.signals.weights import WeightCollector, update_statistics


def test_the_update_ratio_is_the_norm_of_the_step_over_that_of_the_weights():
    before = [torch.randn(5, 4), torch.randn(4)]
    steps = [0.01 * torch.randn_like(one) for one in before]

    found = update_statistics(before, [one + step for one, step in zip(before, steps, strict=True)])

    norm = torch.cat([one.flatten() for one in before]).norm().item()
    update = torch.cat([step.flatten() for step in steps]).norm().item()
    assert found["norm"].item() == pytest.approx(norm, rel=1e-6)
    assert found["update_norm"].item() == pytest.approx(update, rel=1e-4)
    assert found["update_ratio"].item() == pytest.approx(update / norm, rel=1e-4)


def test_a_layer_of_zeros_has_no_ratio():
    found = update_statistics([torch.zeros(3)], [torch.ones(3)])

    assert math.isnan(found["update_ratio"].item())


def test_a_plain_gradient_step_moves_by_the_rate_times_the_gradient():
    model = nn.Linear(3, 2)
    collector = WeightCollector()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)

    collector.remember(select_layers(model))
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    found = collector.compare()

    assert found["(model)"]["update_norm"].item() == pytest.approx(0.1 * math.sqrt(8), rel=1e-5)
    assert not collector.is_pending


def test_copies_can_be_carried_over_an_interruption():
    model = nn.Linear(3, 2)
    first, second = WeightCollector(), WeightCollector()
    first.remember(select_layers(model))
    second.load_state_dict(first.state_dict(), select_layers(model))
    with torch.no_grad():
        model.weight.add_(0.1)

    expected, found = first.compare()["(model)"], second.compare()["(model)"]
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_parameter_that_changed_its_shape_is_left_out():
    model = nn.Linear(3, 2, bias=False)
    collector = WeightCollector()
    collector.remember(select_layers(model))
    model.weight.data = torch.ones(4, 4)

    assert collector.compare() == {}
