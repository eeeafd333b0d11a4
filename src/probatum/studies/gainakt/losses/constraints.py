"""The six constraints that keep mastery and gains plausible; each returns a scalar >= 0.

`gains` and `mastery` are `(batch, length, concepts)`; `practised_*` are their values at the concept
practised at each step, `(batch, length)`; `mask` is true at real steps, `(batch, length)`.

The published code averaged over padding as if it were wrong answers on concept 0; here nothing does.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from probatum.studies.gainakt.losses.masked import masked_mean

MARGIN = 0.1  # by which the mean gain after a right answer should exceed that after a wrong one


def non_negative(gains: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over steps and concepts of relu(−g): 0 for GainAKT, whose gains cannot be negative."""
    return masked_mean(functional.relu(-gains).mean(dim=-1), mask)


def monotonicity(rises: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of relu(m_t − m_{t+1}): 0 for GainAKT, whose mastery cannot fall.

    Args:
        rises: m_{t+1} − m_t, `(batch, length − 1, concepts)`.
        mask: True at real steps, `(batch, length)`.
    """
    return masked_mean(functional.relu(-rises).mean(dim=-1), mask[:, 1:])


def mastery_performance(practised_mastery: Tensor, responses: Tensor, mask: Tensor) -> Tensor:
    """Return mean(1 − m | right) + mean(m | wrong) at the practised concept; a missing group counts 0."""
    right = mask & (responses == 1)
    wrong = mask & (responses == 0)
    return masked_mean(1 - practised_mastery, right) + masked_mean(practised_mastery, wrong)


def gain_performance(practised_gains: Tensor, responses: Tensor, mask: Tensor) -> Tensor:
    """Return relu(mean(g | wrong) − mean(g | right) + 0.1) where practised; 0 if a group is missing."""
    right = mask & (responses == 1)
    wrong = mask & (responses == 0)
    excess = functional.relu(
        masked_mean(practised_gains, wrong) - masked_mean(practised_gains, right) + MARGIN
    )
    return excess * (right.any() & wrong.any())


def sparsity(gains: Tensor, practised_gains: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of |g| over all concepts that are not practised at the step."""
    others = gains.abs().sum(dim=-1) - practised_gains.abs()  # (batch, length)
    return masked_mean(others / max(1, gains.shape[-1] - 1), mask)


def consistency(rises: Tensor, promised: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of |(m_{t+1} − m_t) − promised rise|: what a gain announces, mastery should do.

    GainAKT2Exp promises 0.1 g_{t+1} for every concept and falls short where mastery is full. GainAKT3Exp
    promises g_{t+1} for the practised concept and falls short by what is already mastered; the published
    term asked it for 0.1 g of every concept, which contradicted its own update.

    Args:
        rises: m_{t+1} − m_t, `(batch, length − 1, n)`, n concepts or the practised one.
        promised: the rise announced, same shape.
        mask: True at real steps, `(batch, length)`.
    """
    return masked_mean((rises - promised).abs().mean(dim=-1), mask[:, 1:])
