"""Lag pairs what they say they pair, all lags count, and retention has a gradient."""

import pytest
import torch
from scipy.stats import pearsonr

from probatum.studies.gainakt.losses.lag import lag_correlations, lag_gain
from probatum.studies.gainakt.losses.retention import retention


def test_each_lag_equals_scipy_on_pairs_of_the_same_concept():
    torch.manual_seed(0)
    concepts, responses = torch.randint(2, (1, 31)), torch.randint(2, (1, 31))
    gains = torch.rand(1, 30, dtype=torch.float64)
    mask = torch.arange(30)[None] < 25
    found = lag_correlations(gains, concepts[:, :-1], concepts[:, 1:], responses[:, 1:], mask, 3)
    for lag in (1, 2, 3):
        pairs = [(t, t + lag) for t in range(26 - lag) if concepts[0, t] == concepts[0, t + lag]]
        x = [float(gains[0, t]) for t, _ in pairs]
        y = [float(responses[0, later]) for _, later in pairs]
        assert float(found[lag - 1][0]) == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
        assert int(found[lag - 1][1]) == 1


def test_every_lag_has_a_gradient():
    torch.manual_seed(0)
    same = torch.zeros(4, 8).long()
    gains = torch.rand(4, 8, requires_grad=True)
    found = lag_correlations(gains, same, same, torch.randint(2, (4, 8)), torch.ones(4, 8).bool(), 3)
    for r, _ in found:
        (gradient,) = torch.autograd.grad(r, gains, retain_graph=True)
        assert gradient.abs().sum() > 0


def test_lag_gain_is_a_weighted_mean_and_pulls_where_it_is_negative_too():
    r = torch.tensor(-0.4, requires_grad=True)
    mean = lag_gain([(r, r), (torch.tensor(0.2), r)], [0.5, 0.3])
    assert float(mean.detach()) == pytest.approx((0.5 * -0.4 + 0.3 * 0.2) / 0.8)
    mean.backward()
    assert float(r.grad) > 0


def test_windows_shorter_than_a_lag_count_nothing():
    one = torch.zeros(2, 1).long()
    found = lag_correlations(torch.rand(2, 1), one, one, one, torch.ones(2, 1).bool(), 3)
    assert [int(count) for _, count in found] == [0, 0, 0]


def test_retention_pulls_a_correlation_that_fell_below_its_peak():
    rho = torch.tensor(0.10, requires_grad=True)
    loss = retention(rho, 0.2, 0.005)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.095)
    assert float(rho.grad) == -1.0


def test_retention_is_silent_above_the_peak_and_before_there_is_one():
    assert float(retention(torch.tensor(0.3), 0.2, 0.005)) == 0
    assert float(retention(torch.tensor(-0.3), None, 0.005)) == 0
