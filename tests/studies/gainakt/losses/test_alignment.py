"""Alignment: residuals stay within a student, the boost and the share cap follow their rules."""

import pytest
import torch

from probatum.studies.gainakt.losses.alignment import alignment_correlations, boost, capped_weight, residual


def test_residuals_equal_a_moving_average_by_hand():
    answers = [1.0, 0, 0, 1, 1, 0, 1]
    mask = torch.ones(1, 7).bool()
    expected = [
        value - sum(answers[max(0, t - 2) : t + 3]) / len(answers[max(0, t - 2) : t + 3])
        for t, value in enumerate(answers)
    ]
    assert residual(torch.tensor([answers]), mask, 5)[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_residuals_of_one_student_do_not_depend_on_another_or_on_padding():
    torch.manual_seed(0)
    mask = torch.arange(9) < torch.tensor([9, 5])[:, None]
    answers = torch.randint(2, (2, 9)).float()
    changed = answers.clone()
    changed[0] = 1 - changed[0]
    changed[1, 5:] = 7.0
    assert torch.equal(residual(answers, mask, 5)[1], residual(changed, mask, 5)[1])


def test_correlations_are_one_where_mastery_is_the_answer():
    answers = torch.tensor([[0.0, 1, 1, 0, 1]])
    rho_m, rho_g = alignment_correlations(answers, -answers, answers, torch.ones(1, 5).bool())
    assert float(rho_m) == pytest.approx(1.0)
    assert float(rho_g) == pytest.approx(-1.0)


def test_the_boost_carries_no_gradient():
    reference = torch.tensor(0.0, requires_grad=True)
    assert not boost(reference, 0.05).requires_grad


@pytest.mark.parametrize(
    ("weight", "share", "rise", "expected"),
    [
        (0.25, -0.20, 0.001, 0.175),  # too loud and not rising
        (0.25, 0.20, None, 0.175),  # no history
        (0.25, -0.20, 0.005, 0.25),  # still rising
        (0.25, -0.05, 0.0, 0.25),  # below the cap
        (0.06, -0.20, 0.0, 0.05),  # the floor
        (0.03, -0.20, 0.0, 0.03),  # the floor raises nothing
    ],
)
def test_the_share_cap_lowers_a_loud_weight_and_never_raises_one(weight, share, rise, expected):
    found = capped_weight(weight, share=share, share_cap=0.08, factor=0.7, rise=rise)
    assert found == pytest.approx(expected)
