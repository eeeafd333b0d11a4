"""Cheap masks must be masks: their share, their scale, their independence, and when there is none."""

import pytest
import torch

from probatum.studies.abprop.dropout import Dropout, keep_mask

SIDE = 400


@pytest.mark.parametrize("p", [0.05, 0.1, 0.5])
def test_the_share_of_dropped_features_is_p(p):
    torch.manual_seed(0)
    dropped = float((keep_mask(torch.Size([SIDE, SIDE]), p, torch.float32) == 0).double().mean())
    assert abs(dropped - p) < 4 * (p * (1 - p)) ** 0.5 / SIDE


def test_the_mean_is_kept():
    torch.manual_seed(0)
    mask = keep_mask(torch.Size([SIDE, SIDE]), 0.1, torch.float64)
    kept = mask[mask > 0]
    assert torch.all(kept == kept[0])
    assert kept[0] * (1 - round(0.1 * 2**16) / 2**16) == pytest.approx(1)


@pytest.mark.parametrize("lag", [1, 2, 3, 4])
def test_the_lanes_of_a_draw_are_not_correlated(lag):
    torch.manual_seed(0)
    mask = keep_mask(torch.Size([SIDE * SIDE]), 0.3, torch.float64)
    pair = torch.stack([mask[:-lag], mask[lag:]])
    assert abs(float(torch.corrcoef(pair)[0, 1])) < 4 / SIDE


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_every_number_of_features_has_a_mask(count):
    assert keep_mask(torch.Size([count]), 0.5, torch.float32).shape == (count,)


def test_gradients_pass_where_features_do():
    x = torch.ones(50, requires_grad=True)
    y = Dropout(0.5)(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_a_seed_decides_the_mask():
    layer, masks = Dropout(0.5), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(layer(torch.ones(64)))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_nothing_is_dropped_in_evaluation_or_at_zero():
    x = torch.randn(5)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


@pytest.mark.parametrize("p", [1e-9, 1 - 1e-9])
def test_extreme_probabilities_leave_finite_numbers(p):
    assert torch.isfinite(Dropout(p)(torch.ones(9))).all()
