"""Alignment: mastery and gain of the concept asked next should rise and fall with the answers to it."""

from __future__ import annotations

import torch
from torch import Tensor

from probatum.studies.gainakt.losses.masked import mean_correlation

BOOST_SLOPE, BOOST_LIMIT = 4.0, 3.0
WEIGHT_FLOOR = 0.05  # the share cap lowers no weight below this
RISING = 0.005  # a global correlation that rose by this much since the last epoch is still rising


def residual(responses: Tensor, mask: Tensor, window: int) -> Tensor:
    """Return responses less their centred moving average over `window` steps of the row, `(batch, length)`.

    The average at an end of a row is over the steps that exist. (The published code laid the rows end to
    end and averaged across students.)

    Example:
        >>> mask = torch.tensor([[True, True, True, False]])
        >>> residual(torch.tensor([[1.0, 0.0, 1.0, 0.0]]), mask, 3).tolist()
        [[0.5, -0.6666666865348816, 0.5, 0.0]]
    """
    before = window // 2
    steps = torch.arange(responses.shape[1], device=responses.device)
    distance = steps - steps[:, None]
    near = ((distance >= -before) & (distance < window - before)).to(responses.dtype)  # (length, length)
    kept = responses.masked_fill(~mask, 0.0)
    average = (kept @ near.T) / (mask.to(responses.dtype) @ near.T).clamp(min=1)
    return (responses - average).masked_fill(~mask, 0.0)


def boost(reference: Tensor, min_correlation: float) -> Tensor:
    """Return min(3, 1 + 4 (min − ref)) where the reference correlation is below the minimum, else 1.

    Example:
        >>> boost(torch.tensor([0.05, 0.0, -1.0]), 0.05).tolist()
        [1.0, 1.2000000476837158, 3.0]
    """
    return (1 + BOOST_SLOPE * (min_correlation - reference.detach())).clamp(1.0, BOOST_LIMIT)


def alignment_correlations(
    mastery: Tensor | None, gains: Tensor, responses: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the mean window correlations of mastery and of gain with `responses`, each `()`.

    Args:
        mastery: mastery of the concept asked next, `(batch, length)`; None counts 0.
        gains: gain of the concept asked next, `(batch, length)`.
        responses: answer to it, perhaps its residual, `(batch, length)`.
        mask: True at real steps, `(batch, length)`.
    """
    gain_correlation, _ = mean_correlation(gains, responses, mask)
    if mastery is None:
        return torch.zeros_like(gain_correlation), gain_correlation
    return mean_correlation(mastery, responses, mask)[0], gain_correlation


def capped_weight(
    weight: float, *, share: float, share_cap: float, factor: float, rise: float | None
) -> float:
    """Return the alignment weight for the next epoch, lowered where the term is too loud and no longer helps.

    It is multiplied by `factor` if |share| exceeds the cap and the global mastery correlation rose by less
    than 0.005 (or has no history), but not below 0.05; a weight already below 0.05 stays as it is.

    Example:
        >>> capped_weight(0.2, share=-0.1, share_cap=0.08, factor=0.7, rise=None)
        0.13999999999999999
        >>> capped_weight(0.2, share=-0.1, share_cap=0.08, factor=0.7, rise=0.01)
        0.2
    """
    if abs(share) <= share_cap or (rise is not None and rise >= RISING):
        return weight
    return min(weight, max(WEIGHT_FLOOR, weight * factor))
