"""Curves as JSON, in the layout of seed 000, and back.

`missingness_curve` and `truncation_curve` are the seed's lists, one point after the other, with what the
seed leaves out added to each point. Where several mechanisms or ends were asked for, these two hold the
first one: a reader that knows the seed alone then still sees one curve. `curves` holds all of them, with
areas and bootstrap replicates, so that two records can be compared without a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from probatum._errors import RecordError
from probatum.perturbations.comparison import CurveComparison, Difference
from probatum.perturbations.curves import Area, Curve, CurvePoint
from probatum.perturbations.names import CURVE_NAMES, STRENGTH_NAMES

_ABOUT = ("kind", "name", "n", "unit", "masks", "seed", "digest", "resamples", "confidence")


def curves_record(curves: Sequence[Curve]) -> dict[str, Any]:
    """Return the `perturbations` block of an artifact: strict JSON, None where something is undefined."""
    record: dict[str, Any] = {"missingness_curve": [], "truncation_curve": []}
    for curve in curves:
        name = CURVE_NAMES[curve.kind]
        if not record.get(name):
            record[name] = [_point(curve, point) for point in curve.points]
    record["curves"] = [_whole(curve) for curve in curves]
    return record


def read_curves(record: Mapping[str, Any]) -> list[Curve]:
    """Return the curves of a `perturbations` block.

    Raises:
        RecordError: the block holds no curves, or one of them is not whole.
    """
    if "curves" not in record:
        raise RecordError(
            "perturbations: expected `curves`, found "
            f"{', '.join(sorted(record)) or 'nothing'}. Was the artifact written by another program? "
            "`probatum perturb` adds curves that can be compared."
        )
    try:
        return [_curve(whole) for whole in record["curves"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"perturbations.curves: not whole ({type(error).__name__}: {error}).") from None


def comparison_record(comparison: CurveComparison) -> dict[str, Any]:
    """Return a comparison as strict JSON: what was compared, and per metric the numbers and the verdict."""
    strength = STRENGTH_NAMES[comparison.kind]
    return {
        **{name: getattr(comparison, name) for name in ("kind", "name", "n", "unit", "masks", "confidence")},
        "strengths": list(comparison.strengths),
        "metrics": {
            name: {
                "level": _difference(found.level),
                "drops": [{strength: at, **_difference(drop)} for at, drop in found.drops.items()],
                "drop_area": {
                    "parent": found.parent_area,
                    "child": found.child_area,
                    **_difference(found.area),
                },
                "verdict": found.verdict,
                "is_missing_aware": found.is_missing_aware,
                "sentence": found.sentence,
            }
            for name, found in comparison.metrics.items()
        },
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "difference": difference.value,
        "interval": _pair(difference.interval),
        "p_value": difference.p_value,
    }


def _point(curve: Curve, point: CurvePoint) -> dict[str, Any]:
    label = "end" if curve.kind == "truncation" else "mechanism"
    return {
        STRENGTH_NAMES[curve.kind]: point.strength,
        "metrics": dict(point.metrics),
        "interval": {name: _pair(interval) for name, interval in point.intervals.items()},
        "confidence": curve.confidence,
        "mask_std": dict(point.mask_std),
        "requested_rate": point.requested_rate,
        "achieved_rate": point.achieved_rate,
        label: curve.name,
        "masks": point.masks,
        "n": point.n,
        "unit": curve.unit,
    }


def _whole(curve: Curve) -> dict[str, Any]:
    return {
        **{name: getattr(curve, name) for name in _ABOUT},
        "points": [_point(curve, point) for point in curve.points],
        "drop_area": {
            name: {"value": area.value, "interval": _pair(area.interval)}
            for name, area in curve.areas.items()
        },
        "replicates": {
            name: [[_number(value) for value in row] for row in rows.tolist()]
            for name, rows in curve.replicates.items()
        },
    }


def _curve(whole: Mapping[str, Any]) -> Curve:
    about = {name: whole[name] for name in _ABOUT}
    strength = STRENGTH_NAMES[about["kind"]]
    points = tuple(
        CurvePoint(
            point[strength], point["requested_rate"], point["achieved_rate"], point["metrics"],
            {name: _interval(pair) for name, pair in point["interval"].items()}, point["mask_std"],
            point["masks"], point["n"],
        )
        for point in whole["points"]
    )  # fmt: skip
    areas = {
        name: Area(area["value"], _interval(area["interval"])) for name, area in whole["drop_area"].items()
    }
    shape = (about["resamples"], len(points))
    replicates = {
        name: np.array(rows, dtype=np.float64).reshape(shape) for name, rows in whole["replicates"].items()
    }
    return Curve(points=points, areas=areas, replicates=replicates, **about)


def _pair(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _interval(pair: Sequence[float] | None) -> tuple[float, float] | None:
    if pair is None:
        return None
    low, high = pair
    return float(low), float(high)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
