"""Each constraint equals its formula by hand, and a missing group gives 0 and never NaN."""

import pytest
import torch

from probatum.studies.gainakt.losses import constraints

MASK = torch.tensor([[True, True, False]])


def test_non_negative_is_the_mean_negative_part():
    gains = torch.tensor([[[-1.0, 1.0], [2.0, -3.0], [-9.0, -9.0]]])
    assert float(constraints.non_negative(gains, MASK)) == pytest.approx((0.5 + 1.5) / 2)


def test_monotonicity_is_the_mean_fall():
    mastery = torch.tensor([[[0.5, 0.2], [0.3, 0.4], [0.0, 0.0]]])
    assert float(constraints.monotonicity(mastery.diff(dim=1), MASK)) == pytest.approx(0.1)


def test_mastery_performance_adds_the_two_group_means():
    found = constraints.mastery_performance(torch.tensor([[0.9, 0.4, 0.0]]), torch.tensor([[1, 0, 0]]), MASK)
    assert float(found) == pytest.approx(0.1 + 0.4)


@pytest.mark.parametrize("responses", [[1, 1, 0], [0, 0, 1]])
def test_a_missing_group_leaves_the_performance_terms_finite(responses):
    values = torch.tensor([[0.9, 0.4, 0.7]], requires_grad=True)
    answers = torch.tensor([responses])
    total = constraints.mastery_performance(values, answers, MASK)
    total = total + constraints.gain_performance(values, answers, MASK)
    total.backward()
    assert total.isfinite()
    assert values.grad.isfinite().all()


def test_gain_performance_asks_for_a_margin_of_a_tenth():
    gains, answers = torch.tensor([[0.30, 0.25, 9.0]]), torch.tensor([[1, 0, 0]])
    assert float(constraints.gain_performance(gains, answers, MASK)) == pytest.approx(0.05)


def test_sparsity_leaves_the_practised_concept_out():
    gains = torch.tensor([[[5.0, 0.2, 0.4], [0.1, 7.0, 0.3], [9.0, 9.0, 9.0]]])
    practised = torch.tensor([[5.0, 7.0, 9.0]])
    assert float(constraints.sparsity(gains, practised, MASK)) == pytest.approx((0.3 + 0.2) / 2)


def test_consistency_is_the_distance_from_the_promised_rise():
    rises = torch.tensor([[[0.1, 0.0], [5.0, 5.0]]])
    promised = torch.tensor([[[0.1, 0.2], [0.0, 0.0]]])
    assert float(constraints.consistency(rises, promised, MASK)) == pytest.approx(0.1)
