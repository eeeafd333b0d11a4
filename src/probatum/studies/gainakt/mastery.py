"""How mastery follows from gains: in closed form, without a loop over time, students or concepts."""

from __future__ import annotations

import torch
from torch import Tensor

GAIN_STEP = 0.1  # share of a gain that becomes mastery


def accumulated_mastery(initial: Tensor, gains: Tensor) -> Tensor:
    """Return GainAKT2Exp's mastery m_t = min(1, m_0 + 0.1 Σ_{1<=s<=t} g_s), `(batch, length, concepts)`.

    Equal to m_t = clamp(m_{t-1} + 0.1 g_t, 0, 1) because gains are not negative. All concepts move.

    Args:
        initial: m_0 in [0, 1], `(batch, concepts)`.
        gains: g >= 0, `(batch, length, concepts)`; the first step's gain does not count.

    Example:
        >>> accumulated_mastery(torch.tensor([[0.5]]), torch.tensor([[[9.0], [2.0], [4.0]]])).flatten()
        tensor([0.5000, 0.7000, 1.0000])
    """
    total = torch.cumsum(gains, dim=1) - gains[:, :1]
    return (initial[:, None] + GAIN_STEP * total).clamp(max=1.0)


def practised_mastery(initial: Tensor, gains: Tensor, concepts: Tensor) -> Tensor:
    """Return GainAKT3Exp's mastery m_t[c] = 1 − (1 − m_0[c]) exp(−Σ_{s<=t, q_s=c} g_s[c]).

    Only the practised concept moves, and a gain closes the share 1 − exp(−g) of what is still missing:
    the loop m <- m + (1 − m)(1 − exp(−g)), without the loop.

    Args:
        initial: m_0 in [0, 1], `(batch, concepts)`.
        gains: g >= 0, `(batch, length, concepts)`.
        concepts: concept practised at each step, `(batch, length)`.

    Returns:
        Mastery, `(batch, length, concepts)`.

    Example:
        >>> gains = torch.log(torch.tensor([[[2.0, 2.0], [2.0, 2.0]]]))
        >>> practised_mastery(torch.zeros(1, 2), gains, torch.tensor([[0, 0]])).squeeze(0).tolist()
        [[0.5, 0.0], [0.75, 0.0]]
    """
    index = concepts[..., None]  # (batch, length, 1)
    practised = torch.zeros_like(gains).scatter(2, index, gains.gather(2, index))
    return 1 - (1 - initial[:, None]) * torch.exp(-torch.cumsum(practised, dim=1))


def of_concept(values: Tensor, concepts: Tensor) -> Tensor:
    """Return `values` at the given concepts: `(batch, length, concepts)` -> `(batch, length)`.

    Example:
        >>> of_concept(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[1, 0]])).tolist()
        [[2.0, 3.0]]
    """
    return values.gather(2, concepts[..., None]).squeeze(2)
