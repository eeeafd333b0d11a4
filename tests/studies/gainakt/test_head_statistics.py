"""Variance and skew of the heads equal scipy's over real steps."""

import pytest
import torch
from scipy.stats import skew

from probatum.studies.gainakt.batch import TracingOutput
from probatum.studies.gainakt.head_statistics import head_statistics

MASK = torch.tensor([[True, True, True, False], [True, False, False, False]])


def test_statistics_equal_scipy_and_ignore_padding():
    torch.manual_seed(0)
    values = torch.rand(2, 4, 3).square()
    values[~MASK] = 1e9
    found = head_statistics(TracingOutput(torch.zeros(2, 4), values, None), MASK)
    real = values[MASK].double().flatten().numpy()
    assert set(found) == {"mastery_variance", "mastery_skew"}
    assert float(found["mastery_variance"]) == pytest.approx(real.var())
    assert float(found["mastery_skew"]) == pytest.approx(skew(real))


@pytest.mark.parametrize("mask", [MASK, torch.zeros(2, 4).bool()])
def test_a_constant_head_and_an_empty_batch_have_no_spread(mask):
    found = head_statistics(TracingOutput(torch.zeros(2, 4), None, torch.ones(2, 4, 3)), mask)
    assert {name: float(value) for name, value in found.items()} == {"gain_variance": 0, "gain_skew": 0}
