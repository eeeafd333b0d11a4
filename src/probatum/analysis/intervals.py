"""Mean, standard deviation and t-interval over seeds.

Seeds are the unit. A percentile bootstrap at three seeds covers far less than it claims; the t-interval
is exact where the values are normal, and wide where there are few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from probatum.runs.statistics import t_quantile


@dataclass(frozen=True)
class Summary:
    """What several seeds say about one metric; None where the number of seeds does not allow it."""

    n: int
    mean: float
    std: float | None  # with n - 1 in the denominator; None at one seed
    min: float
    max: float
    ci_low: float | None
    ci_high: float | None
    confidence: float


def mean(values: Sequence[float]) -> float:
    """Return the mean of the values.

    Raises:
        ValueError: there is none, or one is not finite.

    Example:
        >>> mean([1.0, 2.0, 6.0])
        3.0
    """
    return fmean(_checked(values))


def std(values: Sequence[float]) -> float | None:
    """Return the standard deviation with n - 1 in the denominator, None for a single value.

    Example:
        >>> std([1.0, 2.0, 3.0]), std([1.0])
        (1.0, None)
    """
    return _spread(values, mean(values))


def _spread(values: Sequence[float], center: float) -> float | None:
    """Return the standard deviation by sums that are exact up to their end: far quicker than in fractions."""
    if len(values) < 2:
        return None
    if min(values) == max(values):
        return 0.0
    scale = max(center - min(values), max(values) - center)  # no square may overflow
    rests = [(value - center) / scale for value in values]
    squares = math.fsum([rest * rest for rest in rests]) - math.fsum(rests) ** 2 / len(rests)
    return scale * math.sqrt(squares / (len(rests) - 1))  # the second sum took the rounding of the mean out


def t_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the t-interval of the mean: mean -+ t(n - 1) std / sqrt(n); None for a single value.

    Args:
        values: One value per seed.
        confidence: The probability that the interval covers the mean, in (0, 1).

    Raises:
        ValueError: no value, one that is not finite, or a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}.")
    center = mean(values)
    return _ends(center, _spread(values, center), len(values), confidence)


def _ends(center: float, spread: float | None, n: int, confidence: float) -> tuple[float, float] | None:
    if spread is None:
        return None
    half = t_quantile((1 + confidence) / 2, n - 1) * spread / math.sqrt(n)
    return center - half, center + half


def summarise(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """Return mean, standard deviation, range and t-interval of one value per seed.

    Example:
        >>> summarise([0.70, 0.72, 0.71]).n
        3
    """
    n, center = len(values), mean(values)
    spread = _spread(values, center)
    low, high = _ends(center, spread, n, confidence) or (None, None)
    return Summary(n, center, spread, min(values), max(values), low, high, confidence)


def _checked(values: Sequence[float]) -> Sequence[float]:
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(f"expected at least one value, all finite, got {list(values)}.")
    return values
