"""Masked means and correlations equal scipy's on the real steps alone."""

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr

from probatum.studies.gainakt.losses.masked import (
    masked_mean,
    masked_variance,
    mean_correlation,
    window_correlations,
)

MASK = torch.arange(12) < torch.tensor([12, 7, 3, 2])[:, None]


@pytest.fixture
def pair():
    torch.manual_seed(0)
    return torch.randn(4, 12, dtype=torch.float64), torch.randn(4, 12, dtype=torch.float64)


def test_window_correlations_equal_scipy_on_real_steps(pair):
    r, defined = window_correlations(*pair, MASK)
    assert defined.tolist() == [True, True, True, False]  # two steps are too few
    for row, length in ((0, 12), (1, 7), (2, 3)):
        x, y = (values[row, :length].numpy() for values in pair)
        assert float(r[row]) == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)


def test_padding_changes_no_average(pair):
    x, y = pair
    noisy = x.masked_fill(~MASK, 1e6)
    assert torch.equal(masked_mean(x, MASK), masked_mean(noisy, MASK))
    assert torch.equal(mean_correlation(x, y, MASK)[0], mean_correlation(noisy, y, MASK)[0])


def test_variance_is_over_real_steps(pair):
    expected = np.var(pair[0][MASK].numpy())
    assert float(masked_variance(pair[0], MASK)) == pytest.approx(expected)


def test_nothing_to_average_is_zero_with_a_finite_gradient():
    x = torch.ones(2, 5, requires_grad=True)
    mean, count = mean_correlation(x, torch.ones(2, 5), torch.zeros(2, 5).bool())
    total = mean + masked_mean(x, torch.zeros(2, 5).bool())
    total.backward()
    assert float(total.detach()) == 0
    assert int(count) == 0
    assert torch.equal(x.grad, torch.zeros(2, 5))


def test_a_constant_row_is_undefined_and_its_gradient_finite():
    x = torch.full((1, 6), 0.5, requires_grad=True)
    mean, count = mean_correlation(x, torch.tensor([[0.0, 1, 0, 1, 1, 0]]), torch.ones(1, 6).bool())
    mean.backward()
    assert int(count) == 0
    assert x.grad.isfinite().all()
