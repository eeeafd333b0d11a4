import math

import numpy as np
import pytest
import torch
from torch import nn

from probatum.signals.config import GradientConfig
from probatum.signals.gradients import GradientCollector, gradient_statistics
from probatum.signals.layers import select_layers


def with_gradients(model, value=None):
    """Return the model with a gradient on every parameter."""
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter) if value is None else torch.full_like(parameter, value)
    return model


def test_statistics_are_those_of_all_elements_of_the_layer():
    gradients = [torch.randn(20, 30), torch.randn(30)]
    flat = np.concatenate([one.numpy().ravel() for one in gradients]).astype(np.float64)

    found = gradient_statistics(gradients, GradientConfig(percentiles=[1, 50, 99]))

    expected = {
        "norm": np.linalg.norm(flat),
        "mean": flat.mean(),
        "std": flat.std(ddof=1),
        **{f"p{level}": np.percentile(np.abs(flat), level) for level in (1, 50, 99)},
    }
    assert {name: found[name].item() for name in expected} == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_shares_are_of_magnitudes_beyond_the_thresholds():
    gradient = torch.tensor([0.0, 1e-8, -1e-8, 0.5, -2000.0])

    found = gradient_statistics([gradient], GradientConfig())

    assert found["vanishing_share"].item() == pytest.approx(0.6)
    assert found["exploding_share"].item() == pytest.approx(0.2)


def test_nan_and_infinity_are_counted():
    found = gradient_statistics([torch.tensor([math.nan, math.inf, -math.inf, 1.0])], GradientConfig())

    assert (found["nan_count"].item(), found["inf_count"].item()) == (1, 2)
    assert math.isnan(found["norm"].item())


def test_a_layer_of_one_number_has_no_deviation_rather_than_a_nan():
    assert "std" not in gradient_statistics([torch.ones(())], GradientConfig())


def test_the_global_norm_covers_parameters_outside_the_chosen_layers():
    model = with_gradients(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)))
    reference = torch.nn.utils.get_total_norm([own.grad for own in model.parameters()]).item()

    for wanted in ("all", "0"):
        _, norm = GradientCollector(GradientConfig(enabled=True)).read(select_layers(model, wanted))
        assert norm.item() == pytest.approx(reference, rel=1e-6)


def test_the_loss_scale_is_divided_out_and_the_gradient_left_alone():
    model = with_gradients(nn.Linear(2, 1), 8.0)
    before = model.weight.grad.clone()

    readings, norm = GradientCollector(GradientConfig(enabled=True)).read(
        select_layers(model), inverse_scale=1 / 8
    )

    assert readings["(model)"]["mean"].item() == 1.0
    assert norm.item() == pytest.approx(math.sqrt(3))
    assert torch.equal(model.weight.grad, before)


def test_a_half_precision_gradient_is_unscaled_without_overflow_or_underflow():
    model = with_gradients(nn.Linear(2, 1).half(), 60_000.0)

    readings, _ = GradientCollector(GradientConfig(enabled=True)).read(select_layers(model), 1e-10)

    assert readings["(model)"]["mean"].item() == pytest.approx(6e-6, rel=1e-3)


def test_a_layer_without_a_gradient_is_absent():
    model = nn.Sequential(with_gradients(nn.Linear(1, 1)), nn.Linear(1, 1))

    readings, _ = GradientCollector(GradientConfig(enabled=True)).read(select_layers(model))

    assert list(readings) == ["0"]


def test_no_gradient_at_all_is_said_with_the_remedy():
    collector = GradientCollector(GradientConfig(enabled=True))

    readings, norm = collector.read(select_layers(nn.Linear(1, 1)))

    assert (readings, norm) == ({}, None)
    assert "after backward()" in collector.missing["gradients"]
