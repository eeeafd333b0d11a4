"""Pearson correlations within groups (students, concepts), all groups at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
RELATIVE_FLATNESS = 1e-9  # a spread below this share of the size is rounding noise, not variation


def grouped_pearson(x: NDArray, y: NDArray, groups: Integers, count: int, *, min_steps: int) -> Floats:
    """Return Pearson's r of `x` and `y` within each group, `(count,)`; NaN where undefined.

    Undefined: fewer than `min_steps` points, a constant `x` or `y`, or a value that is not a number.

    Args:
        x: `(n,)`.
        y: `(n,)`.
        groups: `(n,)`, 0..count-1, in any order.
        count: number of groups.
        min_steps: fewest points that define a correlation.

    Example:
        >>> x, y = np.array([1.0, 2, 3, 1, 1, 1]), np.array([2.0, 4, 6, 0, 1, 0])
        >>> grouped_pearson(x, y, np.array([0, 0, 0, 1, 1, 1]), 2, min_steps=3).round(6).tolist()
        [1.0, nan]
    """
    sizes = np.bincount(groups, minlength=count)

    def total(values: Floats) -> Floats:
        return np.bincount(groups, weights=values, minlength=count).astype(np.float64)

    def centred(values: NDArray) -> tuple[Floats, Floats]:
        wide = values.astype(np.float64)
        mean = total(wide) / np.maximum(sizes, 1)
        deviation = wide - mean[groups]
        squares = total(deviation**2)
        noise = sizes * (RELATIVE_FLATNESS * np.abs(mean)) ** 2
        return deviation, np.where(squares > noise, squares, np.nan)

    with np.errstate(invalid="ignore", over="ignore"):  # infinities become NaN: undefined
        dx, sxx = centred(x)
        dy, syy = centred(y)
        r = np.clip(total(dx * dy) / np.sqrt(sxx * syy), -1.0, 1.0)
    return np.where(sizes >= min_steps, r, np.nan)


def mean_defined(values: NDArray) -> float | None:
    """Return the mean of the values that are defined; None when none is.

    Example:
        >>> mean_defined(np.array([1.0, np.nan, 3.0])), mean_defined(np.array([np.nan]))
        (2.0, None)
    """
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else None
