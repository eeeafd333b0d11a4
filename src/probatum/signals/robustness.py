"""Two runs' robustness curves side by side, from their artifacts.

Where both artifacts hold the curves with bootstrap replicates on the same samples and masks, the paired test
of `perturbations` decides. Else the points are compared at the strengths that both have, and intervals that
overlap are named so.

Source: seed 000, "Perturbation curves".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from probatum._errors import ComparisonError, RecordError

STRENGTHS = {"missingness_curve": "mask_rate", "truncation_curve": "keep_ratio"}
UNTOUCHED = {"missingness_curve": 0.0, "truncation_curve": 1.0}


@dataclass(frozen=True)
class PointPair:
    """One strength that both curves have."""

    strength: float
    parent: float
    child: float
    parent_drop: float  # from the untouched inputs
    child_drop: float
    overlap: bool | None  # whether the intervals overlap; None where one run has none


@dataclass(frozen=True)
class CurvePair:
    """One metric's curve in both runs."""

    curve: str
    metric: str
    points: tuple[PointPair, ...]
    parent_area: float  # area under the drop over the damage, divided by the damage's range
    child_area: float
    verdict: str  # curves overlap, drops more slowly, drops faster, without intervals


def compare_robustness(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Return {pairs, tests, notes} of two `perturbations` sections.

    `pairs` holds the points of every curve and metric that both have; `tests` the paired comparisons, where
    they can be made; `notes` says what is lacking and why.
    """
    pairs: list[CurvePair] = []
    notes: list[str] = []
    for name, strength in STRENGTHS.items():
        first, second = parent.get(name) or [], child.get(name) or []
        if not first or not second:
            lacking = [who for who, own in (("parent", first), ("child", second)) if not own]
            notes.append(f"{name}: not measured in {' and '.join(lacking)}")
            continue
        found = _pairs(name, _by_strength(first, strength), _by_strength(second, strength))
        if not found:
            notes.append(f"{name}: no common {strength} beside the untouched inputs")
        pairs += found
    tests, why = _paired_tests(parent, child)
    return {"pairs": [asdict(pair) for pair in pairs], "tests": tests, "notes": [*notes, *why]}


def drop_area(damage: Sequence[float], values: Sequence[float]) -> float:
    """Return the mean drop from the first value over the range of damage, by the trapezoidal rule.

    Example:
        >>> drop_area([0.0, 0.5, 1.0], [0.8, 0.7, 0.6])
        0.1
    """
    drops = [values[0] - value for value in values]
    area = sum((damage[k + 1] - damage[k]) * (drops[k] + drops[k + 1]) / 2 for k in range(len(damage) - 1))
    return round(area / (damage[-1] - damage[0]), 12)


def _by_strength(points: Sequence[Mapping[str, Any]], strength: str) -> dict[float, Mapping[str, Any]]:
    return {float(point[strength]): point for point in points}


def _pairs(
    name: str, first: Mapping[float, Mapping[str, Any]], second: Mapping[float, Mapping[str, Any]]
) -> list[CurvePair]:
    start = UNTOUCHED[name]
    shared = sorted(first.keys() & second.keys(), key=lambda strength: abs(strength - start))
    if len(shared) < 2 or shared[0] != start:
        return []
    metrics = [metric for metric in first[start]["metrics"] if metric in second[start]["metrics"]]
    return [pair for metric in metrics if (pair := _pair(name, metric, shared, first, second))]


def _pair(
    name: str,
    metric: str,
    shared: Sequence[float],
    first: Mapping[float, Mapping[str, Any]],
    second: Mapping[float, Mapping[str, Any]],
) -> CurvePair | None:
    values = [(first[at]["metrics"].get(metric), second[at]["metrics"].get(metric)) for at in shared]
    known = [(at, a, b) for at, (a, b) in zip(shared, values, strict=True) if a is not None and b is not None]
    if len(known) < 2 or known[0][0] != UNTOUCHED[name]:
        return None
    _, parent_start, child_start = known[0]
    points = tuple(
        PointPair(at, a, b, parent_start - a, child_start - b, _overlap(metric, first[at], second[at]))
        for at, a, b in known
    )
    damage = [abs(at - UNTOUCHED[name]) for at, _, _ in known]
    areas = drop_area(damage, [a for _, a, _ in known]), drop_area(damage, [b for _, _, b in known])
    return CurvePair(name, metric, points, *areas, _verdict(points[1:], *areas))


def _overlap(metric: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> bool | None:
    own, other = ((point.get("interval") or {}).get(metric) for point in (first, second))
    if not own or not other:
        return None
    return own[0] <= other[1] and other[0] <= own[1]


def _verdict(points: Sequence[PointPair], parent_area: float, child_area: float) -> str:
    """Return the word for a pair of curves; intervals of the levels, so a cautious word."""
    if any(point.overlap is None for point in points):
        return "without intervals"
    if all(point.overlap for point in points):
        return "curves overlap"
    return "drops more slowly" if child_area < parent_area else "drops faster"


def _paired_tests(
    parent: Mapping[str, Any], child: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the paired tests of curves with replicates, and why others could not be made."""
    if not parent.get("curves") or not child.get("curves"):
        return [], []
    from probatum.perturbations.comparison import compare_curves
    from probatum.perturbations.record import read_curves

    tests: list[dict[str, Any]] = []
    notes: list[str] = []
    try:
        firsts, seconds = ({(c.kind, c.name): c for c in read_curves(own)} for own in (parent, child))
    except RecordError as error:
        return [], [str(error)]
    for key in firsts.keys() & seconds.keys():
        try:
            found = compare_curves(firsts[key], seconds[key])
        except ComparisonError as error:
            notes.append(f"{key[0]} ({key[1]}): {error}")
            continue
        tests += [
            {
                "kind": found.kind, "name": found.name, "metric": own.metric, "verdict": own.verdict,
                "is_missing_aware": own.is_missing_aware, "sentence": own.sentence,
            }
            for own in found.metrics.values()
        ]  # fmt: skip
    return sorted(tests, key=lambda test: (test["kind"], test["name"], test["metric"])), notes
