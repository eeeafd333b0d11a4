"""Retention: a mastery correlation once reached should not be lost."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def retention(batch_correlation: Tensor, peak: float | None, delta: float) -> Tensor:
    """Return relu(peak − `batch_correlation` − delta), `()`; 0 before there is a peak.

    `peak` is the highest global mastery correlation that validation has shown so far; the batch's own
    correlation is differentiable, so the term pulls back what falls. (The published term added last
    epoch's gap to the loss as a constant, which changed the printed number and nothing else.)
    """
    if peak is None:
        return batch_correlation * 0.0
    return functional.relu(peak - delta - batch_correlation)
