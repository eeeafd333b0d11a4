"""Lag gain: what is gained from practising a concept should show in later answers to it."""

from __future__ import annotations

import torch
from torch import Tensor

from probatum.studies.gainakt.losses.masked import mean_correlation

TINY = 1e-12  # all lag weights 0: nothing to raise, and no division by 0


def lag_correlations(
    practised_gains: Tensor, concepts: Tensor, next_concepts: Tensor, next_responses: Tensor, mask: Tensor,
    max_lag: int,
) -> list[tuple[Tensor, Tensor]]:  # fmt: skip
    """Return for each lag the mean over windows of r(g_t, r_{t+lag}) and the number of windows.

    A pair counts where both steps are real and practise the same concept; a window counts from 3 pairs on.
    (The published code kept only windows without padding, summed without dividing, and never used lag 3.)

    Args:
        practised_gains: gain of the concept practised at t, `(batch, length)`.
        concepts: concept of step t, `(batch, length)`.
        next_concepts: concept of step t + 1, `(batch, length)`.
        next_responses: answer of step t + 1, `(batch, length)`.
        mask: True at real steps, `(batch, length)`.
        max_lag: largest lag, in steps.
    """
    length = mask.shape[1]
    responses = next_responses.to(practised_gains.dtype)
    found = []
    for lag in range(1, max_lag + 1):
        kept = max(0, length - lag + 1)
        later = slice(length - kept, length)  # index t + lag − 1 of the shifted tensors holds step t + lag
        pairs = mask[:, later] & (concepts[:, :kept] == next_concepts[:, later])
        found.append(mean_correlation(practised_gains[:, :kept], responses[:, later], pairs))
    return found


def lag_gain(correlations: list[tuple[Tensor, Tensor]], weights: list[float]) -> Tensor:
    """Return Σ w_lag r_lag / Σ w_lag, the quantity to raise; `()`.

    It has a gradient where it is negative too; the published relu gave none exactly where it was needed.
    """
    weighted = [weight * r for weight, (r, _) in zip(weights, correlations, strict=True)]
    return torch.stack(weighted).sum() / max(sum(weights), TINY)
