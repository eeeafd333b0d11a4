"""DeCov at once is the loop over tokens and over pairs of units."""

import pytest
import torch

from probatum.studies.concare.decov import decov


def by_definition(tokens):
    """Return the penalty from numpy-style covariances of every token, pair by pair."""
    total = 0.0
    for token in tokens.unbind(dim=1):
        covariance = torch.cov(token.T, correction=0)
        off_diagonal = covariance - torch.diag(torch.diagonal(covariance))
        total = total + 0.5 * (off_diagonal**2).sum()
    return total


def test_it_equals_the_loop_over_tokens_with_its_gradient():
    torch.manual_seed(0)
    tokens = torch.randn(7, 5, 4, dtype=torch.float64, requires_grad=True)
    expected, found = by_definition(tokens), decov(tokens)
    torch.testing.assert_close(found, expected)
    grads = [torch.autograd.grad(value, tokens)[0] for value in (expected, found)]
    torch.testing.assert_close(grads[1], grads[0])


def test_units_that_do_not_vary_together_cost_nothing():
    tokens = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])[:, None]
    assert float(decov(tokens)) == pytest.approx(0.0, abs=1e-12)


def test_a_shift_of_all_stays_changes_nothing():
    torch.manual_seed(1)
    tokens = torch.randn(6, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(decov(tokens + 5), decov(tokens))
