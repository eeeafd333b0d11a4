"""Averages and correlations over the real steps of padded sequences."""

from __future__ import annotations

from torch import Tensor

MIN_POINTS = 3  # a correlation needs at least these
EPSILON = 1e-6  # keeps the gradient of a correlation finite where a window hardly varies


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of `values` where `mask` is true, 0 if it is nowhere; both have the same shape.

    Example:
        >>> import torch
        >>> float(masked_mean(torch.tensor([1.0, 3.0, 9.0]), torch.tensor([True, True, False])))
        2.0
    """
    return values.masked_fill(~mask, 0.0).sum() / mask.sum().clamp(min=1)


def masked_variance(values: Tensor, mask: Tensor) -> Tensor:
    """Return the population variance of `values` over real steps, without a gradient, `()`."""
    values = values.detach()
    return masked_mean((values - masked_mean(values, mask)).square(), mask)


def centred(values: Tensor, mask: Tensor) -> Tensor:
    """Return each row less its masked mean, 0 at padding, `(batch, length)`."""
    kept = values.masked_fill(~mask, 0.0)
    mean = kept.sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True).clamp(min=1)
    return (kept - mean).masked_fill(~mask, 0.0)


def window_correlations(x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return Pearson's r of each window over its real steps and where it is defined, both `(batch,)`.

    r = Σ (x − x̄)(y − ȳ) / sqrt(Σ (x − x̄)² Σ (y − ȳ)² + ε²): no sum crosses from one window into another.
    A window with fewer than 3 steps, or in which x or y does not vary, is undefined and has r = 0.

    Args:
        x: `(batch, length)`.
        y: `(batch, length)`.
        mask: True where the step is real, `(batch, length)`.
    """
    x, y = centred(x, mask), centred(y, mask)
    power_x, power_y = x.square().sum(dim=1), y.square().sum(dim=1)  # (batch,)
    defined = (mask.sum(dim=1) >= MIN_POINTS) & (power_x > EPSILON**2) & (power_y > EPSILON**2)
    r = (x * y).sum(dim=1) / (power_x * power_y + EPSILON**2).sqrt()
    return r.masked_fill(~defined, 0.0), defined


def mean_correlation(x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of the defined window correlations (0 if there is none) and their number, both `()`."""
    r, defined = window_correlations(x, y, mask)
    count = defined.sum()
    return r.sum() / count.clamp(min=1), count
