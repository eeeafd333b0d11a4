"""Two groups of runs without common seeds: the exact permutation test of their means.

Source: E. J. G. Pitman, Significance tests which may be applied to samples from any populations (1937).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from probatum.analysis.intervals import mean, std
from probatum.analysis.sign_flips import whole_numbers
from probatum.runs.statistics import t_quantile

LARGEST_EXACT = 200_000  # splits of the values into two groups


def unpaired_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the exact two-sided p-value of "the labels of the groups are arbitrary".

    The share of all splits whose means differ at least as much as the observed ones. Sums are whole numbers,
    so that ties count as ties.

    Raises:
        ValueError: a group is empty, a value is not finite, or there are more than `LARGEST_EXACT` splits.

    Example:
        >>> unpaired_p([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
        0.1
    """
    if not first or not second:
        raise ValueError("expected at least one value in each group.")
    n, values = len(first), [*first, *second]
    if math.comb(len(values), n) > LARGEST_EXACT:
        raise ValueError(
            f"an exact test takes at most {LARGEST_EXACT} splits, got {n} and {len(second)} values."
        )
    mean(values)  # refuses what is not finite
    whole = [value * len(values) for value in whole_numbers(values)]
    expected = n * (sum(whole) // len(values))  # n times the mean, exactly
    observed = abs(sum(whole[:n]) - expected)
    sums = [sum(split) for split in combinations(whole, n)]
    return sum(abs(total - expected) >= observed for total in sums) / len(sums)


def welch_interval(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return the interval of mean(second) - mean(first), None where a group has one value.

    The degrees of freedom of Welch and Satterthwaite are rounded down, which only widens the interval.

    Source:
        B. L. Welch, Biometrika 34 (1947).
    """
    if min(len(first), len(second)) < 2:
        return None
    parts = [mean_variance(first), mean_variance(second)]
    difference, variance = mean(second) - mean(first), sum(parts)
    if variance == 0:
        return difference, difference
    freedom = variance**2 / (parts[0] ** 2 / (len(first) - 1) + parts[1] ** 2 / (len(second) - 1))
    half = t_quantile((1 + confidence) / 2, max(1, math.floor(freedom))) * math.sqrt(variance)
    return difference - half, difference + half


def cohens_d(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return mean(second) - mean(first) over the pooled standard deviation, None where that is 0 or unknown."""
    freedom = len(first) + len(second) - 2
    if freedom < 1:
        return None
    squares = sum((value - mean(group)) ** 2 for group in (first, second) for value in group)
    return (mean(second) - mean(first)) / math.sqrt(squares / freedom) if squares else None


def mean_variance(values: Sequence[float]) -> float:
    """Return the variance of the mean: s^2 / n, 0 for a single value.

    Example:
        >>> round(mean_variance([1.0, 3.0]), 12)
        1.0
    """
    return (std(values) or 0.0) ** 2 / len(values)
