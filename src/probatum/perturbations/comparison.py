"""A child's robustness against its parent's, in pairs: how steep the drops are, apart from their level.

Parent and child saw the same samples under the same masks, and their replicates come from the same
resamples: the difference is taken resample by resample. A child that starts higher is a better model; a
child that falls less is a more robust one. The two are said separately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probatum._errors import ComparisonError
from probatum.perturbations.bootstrap import Interval, percentile_interval, two_sided_p
from probatum.perturbations.curves import Curve, damages, drop_area, finite
from probatum.perturbations.names import STRENGTH_NAMES, Kind

Verdict = Literal["degrades more slowly", "curves overlap", "degrades faster", "cannot be told"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Child minus parent, with its paired bootstrap interval and p-value."""

    value: float | None
    interval: Interval | None
    p_value: float | None

    def _is_told(self, level: float) -> bool:
        return self.value is not None and self.p_value is not None and self.p_value < level

    def is_above(self, level: float) -> bool:
        """Return whether the child's number is larger, at this level of significance."""
        return self._is_told(level) and (self.value or 0.0) > 0

    def is_below(self, level: float) -> bool:
        """Return whether the child's number is smaller, at this level of significance."""
        return self._is_told(level) and (self.value or 0.0) < 0


@dataclass(frozen=True)
class MetricComparison:
    """What two curves say about one metric."""

    metric: str
    level: Difference  # of the metric on the untouched observations
    drops: Mapping[float, Difference]  # by strength: of metric(0) - metric(r); below 0, the child loses less
    area: Difference  # of the areas under the drop: the one number that the verdict rests on
    parent_area: float | None
    child_area: float | None
    verdict: Verdict
    is_missing_aware: bool  # degrades more slowly under missingness, and not from a lower start
    sentence: str


@dataclass(frozen=True)
class CurveComparison:
    """Two curves compared, metric by metric."""

    kind: Kind
    name: str
    n: int
    unit: str
    masks: int
    strengths: tuple[float, ...]  # those that both have
    confidence: float
    metrics: Mapping[str, MetricComparison]


def compare_curves(parent: Curve, child: Curve) -> CurveComparison:
    """Return the paired comparison over the strengths and metrics that both curves have.

    Raises:
        ComparisonError: the curves differ in data, perturbation, masks or resamples, or share too little.
    """
    strengths = _shared_strengths(parent, child)
    names = [name for name in parent.replicates if name in child.replicates]
    if not names:
        raise ComparisonError(
            f"no metric is in both curves: {sorted(parent.replicates)} and {sorted(child.replicates)}."
        )
    ours = _at(parent, strengths), _at(child, strengths)
    metrics = {name: _compare_metric(name, *ours) for name in names}
    return CurveComparison(
        parent.kind, parent.name, parent.n, parent.unit, parent.masks, strengths, parent.confidence, metrics
    )


def _shared_strengths(parent: Curve, child: Curve) -> tuple[float, ...]:
    """Return the strengths that both curves have, the neutral one first.

    Raises:
        ComparisonError: the curves cannot be paired; the message names everything that differs.
    """
    fields = ("kind", "name", "digest", "n", "unit", "masks", "seed", "resamples", "confidence")
    differing = [
        f"{name} ({getattr(parent, name)} and {getattr(child, name)})"
        for name in fields
        if getattr(parent, name) != getattr(child, name)
    ]
    if differing:
        raise ComparisonError(
            f"not comparable: the curves differ in {', '.join(differing)}. Pairs need the same samples, masks "
            "and resamples: compute both curves again with one request (`probatum perturb`)."
        )
    if parent.resamples == 0:
        raise ComparisonError("not comparable: the curves were computed without bootstrap resamples.")
    shared = tuple(strength for strength in parent.strengths if strength in child.strengths)
    if len(shared) < 2:
        raise ComparisonError(
            f"not comparable: beside the untouched observations no {STRENGTH_NAMES[parent.kind]} is in both "
            f"curves: {list(parent.strengths)} and {list(child.strengths)}."
        )
    return shared


@dataclass(frozen=True)
class _Aligned:
    """A curve at chosen strengths."""

    curve: Curve
    strengths: tuple[float, ...]
    damage: Floats

    def values(self, name: str) -> Floats:
        """Return the metric and its replicates, `(1 + resamples, points)`, the measured values first."""
        places = [self.curve.strengths.index(strength) for strength in self.strengths]
        measured = [self.curve.points[place].metrics[name] for place in places]
        return np.vstack([np.array(measured, dtype=np.float64), self.curve.replicates[name][:, places]])


def _at(curve: Curve, strengths: tuple[float, ...]) -> _Aligned:
    return _Aligned(curve, strengths, damages(strengths[0], strengths))


def _compare_metric(name: str, parent: _Aligned, child: _Aligned) -> MetricComparison:
    confidence = parent.curve.confidence
    of_parent, of_child = parent.values(name), child.values(name)
    drop = (of_child[:, :1] - of_child) - (of_parent[:, :1] - of_parent)
    area_parent, area_child = drop_area(of_parent, parent.damage), drop_area(of_child, child.damage)
    level = _difference(of_child[:, 0] - of_parent[:, 0], confidence)
    area = _difference(area_child - area_parent, confidence)
    verdict = _verdict(area, 1 - confidence)
    aware = (
        parent.curve.kind == "missingness"
        and verdict == "degrades more slowly"
        and not level.is_below(1 - confidence)
    )
    return MetricComparison(
        metric=name,
        level=level,
        drops={
            strength: _difference(drop[:, at], confidence)
            for at, strength in enumerate(parent.strengths)
            if at > 0
        },
        area=area,
        parent_area=finite(area_parent[0]),
        child_area=finite(area_child[0]),
        verdict=verdict,
        is_missing_aware=aware,
        sentence=_sentence(name, parent.curve, level, area, verdict, aware),
    )


def _difference(values: Floats, confidence: float) -> Difference:
    """Return the difference of which `values` holds the measured one and then the replicates."""
    return Difference(finite(values[0]), percentile_interval(values[1:], confidence), two_sided_p(values[1:]))


def _verdict(area: Difference, significance: float) -> Verdict:
    if area.value is None or area.p_value is None:
        return "cannot be told"
    if area.is_below(significance):
        return "degrades more slowly"
    return "degrades faster" if area.is_above(significance) else "curves overlap"


def _sentence(
    metric: str, curve: Curve, level: Difference, area: Difference, verdict: Verdict, aware: bool
) -> str:
    """Return the verdict in words, with the numbers behind it."""
    significance = 1 - curve.confidence
    where = f"{metric} under {curve.kind} ({curve.name.replace('_', ' ')})"
    found = f"the child {verdict}" if verdict.startswith("degrades") else verdict
    words = [f"{where}: {found}: its mean drop differs by {_numbers(area)}."]
    if aware:
        words.append("The child is genuinely missing-aware.")
    elif verdict == "degrades more slowly" and level.is_below(significance):
        words.append("But it starts lower, with less to lose: that alone is not robustness.")
    elif verdict == "curves overlap" and area.interval:
        reach = max(abs(bound) for bound in area.interval)
        words.append(f"A difference beyond {reach:.4f} is unlikely.")
    higher = "higher" if level.is_above(significance) else "lower"
    separated = level.is_above(significance) or level.is_below(significance)
    start = f"starts {higher}" if separated else "cannot be separated"
    words.append(f"Untouched, the child {start}: {_numbers(level)}.")
    words.append(f"n = {curve.n} {curve.unit}, {curve.masks} mask{'s' if curve.masks != 1 else ''}.")
    return " ".join(words)


def _numbers(difference: Difference) -> str:
    if difference.value is None:
        return "an undefined amount"
    text = f"{difference.value:+.4f}"
    if difference.interval and difference.p_value is not None:
        low, high = difference.interval
        text += f" [{low:+.4f}, {high:+.4f}], p = {difference.p_value:.3g}"
    return text
