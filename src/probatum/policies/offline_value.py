"""How good a policy is, judged from episodes of other policies, without asking its own value function.

A learned Q over-estimates just where it is wrong, so the largest Q chooses the worst network (tamiyo.md, section
6). Here the returns that were really earned are asked:

    value = sum_t w_t (G_t - b(s_t)) / sum_t w_t,     w_t = 1[policy(s_t) = a_t] / p(a_t | s_t)

G is the rest of the episode's rewards, b a ridge regression of G on the observation, fitted on training episodes
once for all candidates, p the stored probability of the behaviour policy. It is the first-order term of the gain
over the behaviour (the performance difference lemma, with the behaviour's own states), in points per decision:
right where a policy differs from the behaviour now and then, optimistic or pessimistic where it leads elsewhere.

Source: S. Kakade, J. Langford, Approximately optimal approximate reinforcement learning, ICML 2002; A. Swaminathan,
T. Joachims, The self-normalized estimator for counterfactual learning, NeurIPS 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from probatum.policies.dataset import Batch
from probatum.policies.network import PolicyNetwork, masked

LARGEST_WEIGHT = 20.0  # a decision that was nearly impossible must not speak for all others


@dataclass(frozen=True)
class OfflineValue:
    """An estimate from one part of a pack.

    Attributes:
        points: The advantage over the behaviour, per decision; None where the policy never agrees with it.
        effective_decisions: (sum w)^2 / sum w^2: as many equally weighted decisions say as much.
        agreement: Share of the decisions that the policy would have taken too.
    """

    points: float | None
    effective_decisions: float
    agreement: float


@dataclass(frozen=True)
class Baseline:
    """b(s): what an observation alone says about the rest of the rewards, in points.

    Attributes:
        weights: (inputs + 1,), the last one the constant.
        residual: Standard deviation of G - b(s) on the training decisions: the unit in which advantages are told.
    """

    weights: Tensor
    residual: float

    @classmethod
    def fit(cls, batch: Batch, penalty: float = 1.0) -> Baseline:
        """Return the ridge regression of the returns on the inputs; the constant is not penalised."""
        rows = _with_constant(batch.inputs)
        ridge = penalty * torch.eye(rows.shape[1], dtype=torch.float64)
        ridge[-1, -1] = 1e-9
        weights = torch.linalg.solve(rows.T @ rows + ridge, rows.T @ batch.returns.double())
        rest = batch.returns.double() - rows @ weights
        return cls(weights, max(float(rest.std(unbiased=False)), 1e-6))

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return b of (batch, inputs), in points."""
        return _with_constant(inputs) @ self.weights


def _with_constant(inputs: Tensor) -> Tensor:
    return torch.cat([inputs.double(), torch.ones(len(inputs), 1, dtype=torch.float64)], 1)


@torch.no_grad()
def offline_value(network: PolicyNetwork, batch: Batch, baseline: Baseline) -> OfflineValue:
    """Return the estimate for the policy that takes the allowed action with the largest output."""
    network.eval()
    agrees = masked(network(batch.inputs), batch.allowed).argmax(-1) == batch.actions
    weights = (agrees / batch.propensities.clamp_min(1e-6)).clamp_max(LARGEST_WEIGHT).double()
    total = float(weights.sum())
    if not total:
        return OfflineValue(None, 0.0, 0.0)
    advantages = batch.returns.double() - baseline(batch.inputs)
    return OfflineValue(
        float((weights * advantages).sum()) / total,
        total**2 / float((weights**2).sum()),
        float(agrees.double().mean()),
    )
