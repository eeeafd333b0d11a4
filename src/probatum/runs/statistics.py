"""Statistics over seeds: few numbers, so an exact t-interval and no bootstrap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import fmean, pvariance, stdev
from typing import Any

_TEMPORAL = {  # key of results_multi_seed.json -> key of the trajectory
    "mastery_corr": "mastery_correlation",
    "gain_corr": "gain_correlation",
    "global_mastery_corr": "global_alignment_mastery_corr",
}
_SLOPES = ("mastery_corr", "gain_corr")


def seed_statistics(values: Sequence[float | None]) -> dict[str, Any]:
    """Return mean, std (n - 1), min, max, 95% t-interval and n of the values that were measured.

    What cannot be computed is None: the spread of one seed, anything of none.

    Source:
        Student (1908), "The probable error of a mean", Biometrika 6(1).

    Example:
        >>> seed_statistics([0.5])["std"] is None
        True
    """
    known = [float(value) for value in values if value is not None]
    n = len(known)
    if not known:
        return dict.fromkeys(("mean", "std", "min", "max", "ci_low", "ci_high")) | {"n": 0}
    mean, spread = fmean(known), stdev(known) if n > 1 else None
    half = None if spread is None else t_quantile(0.975, n - 1) * spread / math.sqrt(n)
    return {
        "mean": mean,
        "std": spread,
        "min": min(known),
        "max": max(known),
        "n": n,
        "ci_low": None if half is None else mean - half,
        "ci_high": None if half is None else mean + half,
    }


@cache
def t_quantile(probability: float, degrees_of_freedom: int) -> float:
    """Return the quantile of Student's t distribution, by bisection down to the last bit.

    From the standard library alone: records and analyses share it, and neither has to load scipy for it.

    Args:
        probability: P(T <= t), at least one half and below 1.
        degrees_of_freedom: At least 1.

    Raises:
        ValueError: an argument is outside its range.

    Source:
        Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4 (finite sums).

    Example:
        >>> round(t_quantile(0.975, 2), 4)
        4.3027
    """
    if not 0.5 <= probability < 1 or degrees_of_freedom < 1:
        raise ValueError(
            f"expected a probability in [0.5, 1) and degrees of freedom >= 1, got {probability} and "
            f"{degrees_of_freedom}."
        )
    low, high = 0.0, 1.0
    while _t_probability(high, degrees_of_freedom) < probability:
        low, high = high, high * 2.0
    while low < (middle := (low + high) / 2) < high:
        if _t_probability(middle, degrees_of_freedom) < probability:
            low = middle
        else:
            high = middle
    return high


def _t_probability(t: float, degrees: int) -> float:
    """Return P(T <= t) for t >= 0."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, squared = math.sin(angle), math.cos(angle) ** 2
    if degrees % 2:
        term, total = math.cos(angle), 0.0
        for k in range(1, degrees - 1, 2):
            total += term
            term *= squared * (k + 1) / (k + 2)
        both = 2 / math.pi * (angle + sine * total)
    else:
        term, total = 1.0, 0.0
        for k in range(0, degrees, 2):
            total += term
            term *= squared * (k + 1) / (k + 2)
        both = sine * total
    return 0.5 + both / 2


def temporal_statistics(trajectory: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return variance over the epochs, least-squares slope and retention penalties of a trajectory."""
    found: dict[str, Any] = {}
    for name, key in _TEMPORAL.items():
        points = [(index, row[key]) for index, row in enumerate(trajectory) if row.get(key) is not None]
        values = [value for _, value in points]
        found[f"{name}_variance"] = pvariance(values) if values else None
        if name in _SLOPES:
            found[f"{name}_slope"] = _slope(points)
    penalties = [row["retention_loss_value"] for row in trajectory if row.get("retention_loss_value")]
    return found | {
        "retention_penalty_count": len(penalties),
        "retention_penalty_mean": fmean(penalties) if penalties else None,
        "retention_penalty_peak": max(penalties, default=None),
    }


def _slope(points: Sequence[tuple[int, float]]) -> float | None:
    if len(points) < 2:
        return None
    x, y = fmean([p[0] for p in points]), fmean([p[1] for p in points])
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def mean_of(records: Sequence[Any]) -> Any:
    """Return the mean of records of one shape, leaf by leaf; other leaves are kept where all agree.

    Example:
        >>> mean_of([{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "x"}])
        {'a': 1.5, 'b': 'x'}
    """
    first = records[0]
    if all(isinstance(record, Mapping) for record in records):
        keys = [key for key in first if all(key in record for record in records)]
        return {key: mean_of([record[key] for record in records]) for key in keys}
    numbers = [r for r in records if isinstance(r, int | float) and not isinstance(r, bool)]
    if len(numbers) == len(records):
        return first if all(r == first and type(r) is type(first) for r in records) else fmean(numbers)
    return first if all(record == first for record in records) else None
