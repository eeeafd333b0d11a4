"""Robustness curves: a metric against the strength of a perturbation, and the area under its drop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum._errors import UsageError
from probatum.perturbations.bootstrap import (
    Interval,
    Resamples,
    draw_resamples,
    percentile_interval,
    replicates,
)  # fmt: skip
from probatum.perturbations.digest import data_digest
from probatum.perturbations.names import STRENGTH_NAMES, Kind
from probatum.perturbations.perturbation import Perturbation
from probatum.perturbations.scoring import PointScores, Progress, check_task, score_points
from probatum.perturbations.task import PerturbationTask

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CurvePoint:
    """The metrics at one strength; None where one is undefined."""

    strength: float
    requested_rate: float | None  # share of observed cells (truncation: of steps) that was meant to go
    achieved_rate: float | None  # share of the observed cells that went, mean over masks
    metrics: Mapping[str, float | None]  # mean over masks
    intervals: Mapping[str, Interval | None]  # bootstrap over samples and masks
    mask_std: Mapping[str, float | None]  # over masks, n - 1 in the denominator; None for a single mask
    masks: int  # masks that were scored
    n: int  # samples


@dataclass(frozen=True)
class Area:
    """The area under the drop of one metric."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Curve:
    """A metric's way down, with all that another curve must share to be compared with it."""

    kind: Kind
    name: str  # mechanism of missingness, kept end of truncation, law of noise
    points: tuple[CurvePoint, ...]  # from the untouched observations on, strongest damage last
    areas: Mapping[str, Area]
    n: int
    unit: str  # what a sample is
    masks: int
    seed: int  # of the masks
    digest: str  # of the data
    resamples: int
    confidence: float
    replicates: Mapping[str, Floats] = field(repr=False)  # (resamples, points), the same resamples always

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths of the points."""
        return tuple(point.strength for point in self.points)


def robustness_curve(
    task: PerturbationTask,
    perturbation: Perturbation,
    strengths: Sequence[float],
    *,
    masks: int = 5,
    seed: int = 0,
    bootstrap: int = 400,
    confidence: float = 0.95,
    clean_scores: Floats | None = None,
    progress: Progress | None = None,
) -> Curve:
    """Return the curve of every metric of the task over the strengths.

    A point is the mean of the metric over masks. Its interval is a percentile bootstrap over samples and
    masks; resamples and masks come from the digest of the data, so that all points and all models share
    them.

    Args:
        task: raw observations and the model.
        perturbation: such as `missingness.MECHANISMS["by_block"]`.
        strengths: mask rates, keep ratios or noise scales; the neutral one is added where it lacks.
        masks: number of random masks; truncation, which is not random, takes one.
        seed: of the masks.
        bootstrap: number of resamples; 0 gives no intervals.
        confidence: of the intervals.
        clean_scores: scores of the untouched observations, where they are known already.
        progress: called with the predictions done and the predictions in all.

    Raises:
        UsageError: a strength is out of bounds, or the task's parts do not fit.

    Example:
        >>> from probatum.perturbations.missingness import MECHANISMS
        >>> from probatum.perturbations.rank_metrics import auroc
        >>> values = np.arange(20.0).reshape(20, 1, 1)
        >>> task = PerturbationTask(
        ...     values, np.arange(20) >= 10, lambda left: np.nan_to_num(left[:, 0, 0], nan=-1.0),
        ...     {"auroc": auroc}, np.ones(20, int), ("hr",), "patients")
        >>> curve = robustness_curve(task, MECHANISMS["by_channel"], [1.0])
        >>> [point.metrics["auroc"] for point in curve.points], curve.areas["auroc"].value
        ([1.0, 0.5], 0.25)
    """
    check_task(task)
    ordered = _ordered(perturbation, strengths)
    _check_counts(masks, bootstrap, confidence)
    digest = data_digest(task)
    scored = score_points(
        task, perturbation, ordered, masks=masks, seed=seed, digest=digest, clean_scores=clean_scores,
        progress=progress,
    )  # fmt: skip
    used = masks if perturbation.is_random else 1
    resamples = draw_resamples(len(task.values), used, bootstrap, digest)
    drawn = {name: _replicates(metric, task, scored, resamples) for name, metric in task.metrics.items()}
    points = [_point(task, perturbation, point, drawn, at, confidence) for at, point in enumerate(scored)]
    damage = damages(perturbation.neutral, ordered)
    return Curve(
        perturbation.kind, perturbation.name, tuple(points), _areas(points, drawn, damage, confidence),
        len(task.values), task.unit, used, seed, digest, bootstrap, confidence, drawn,
    )  # fmt: skip


def damages(neutral: float, strengths: Sequence[float]) -> Floats:
    """Return how far each strength is from doing nothing: the axis that areas are taken over.

    Example:
        >>> damages(1.0, [1.0, 0.75, 0.5]).tolist()
        [0.0, 0.25, 0.5]
    """
    return np.abs(np.asarray(strengths, dtype=np.float64) - neutral)


def drop_area(metric: NDArray[Any], damage: Floats) -> NDArray[Any]:
    """Return the mean drop: the trapezoid of metric(0) - metric(r) over r, divided by the range of r.

    In the metric's own unit; 0 for a flat curve, and comparable between grids of another length.

    Args:
        metric: `(..., points)`, untouched observations first.
        damage: `(points,)`, increasing from 0; at least two.

    Example:
        >>> float(drop_area(np.array([0.9, 0.8, 0.7]), np.array([0.0, 0.2, 0.4])).round(6))
        0.1
    """
    return np.trapezoid(metric[..., :1] - metric, damage, axis=-1) / (damage[-1] - damage[0])


def _ordered(perturbation: Perturbation, strengths: Sequence[float]) -> tuple[float, ...]:
    """Return the strengths once each, from the neutral one on.

    Raises:
        UsageError: a strength is out of bounds.
    """
    name = STRENGTH_NAMES[perturbation.kind]
    numbers = {float(strength) for strength in strengths}
    wrong = sorted(number for number in numbers if not 0 <= number <= perturbation.largest)
    wrong += [number for number in numbers if np.isnan(number)]
    if wrong or float("inf") in numbers:
        raise UsageError(
            f"`{name}` must be in [0, {perturbation.largest:g}] and finite, got {sorted(numbers)}."
        )
    numbers.add(perturbation.neutral)
    return tuple(sorted(numbers, key=lambda number: abs(number - perturbation.neutral)))


def _check_counts(masks: int, bootstrap: int, confidence: float) -> None:
    if masks < 1:
        raise UsageError(f"`masks` must be at least 1, got {masks}.")
    if bootstrap < 0:
        raise UsageError(f"`bootstrap` must be at least 0 resamples, got {bootstrap}.")
    if not 0 < confidence < 1:
        raise UsageError(f"`confidence` must be in (0, 1), got {confidence}.")


def _replicates(
    metric: Any, task: PerturbationTask, scored: list[PointScores], resamples: Resamples
) -> Floats:
    if len(resamples.samples) == 0:
        return np.empty((0, len(scored)))
    targets = np.asarray(task.targets)
    return np.stack([replicates(metric, targets, point.scores, resamples) for point in scored], axis=1)


def _point(
    task: PerturbationTask,
    perturbation: Perturbation,
    point: PointScores,
    drawn: Mapping[str, Floats],
    at: int,
    confidence: float,
) -> CurvePoint:
    values = {
        name: np.array([metric(task.targets, scores) for scores in point.scores], dtype=np.float64)
        for name, metric in task.metrics.items()
    }
    several = len(point.scores) > 1
    return CurvePoint(
        strength=point.strength,
        requested_rate=perturbation.requested_rate(point.strength),
        achieved_rate=point.achieved_rate,
        metrics={name: finite(by_mask.mean()) for name, by_mask in values.items()},
        intervals={name: percentile_interval(drawn[name][:, at], confidence) for name in values},
        mask_std={name: finite(by_mask.std(ddof=1)) if several else None for name, by_mask in values.items()},
        masks=len(point.scores),
        n=len(task.values),
    )


def _areas(
    points: Sequence[CurvePoint], drawn: Mapping[str, Floats], damage: Floats, confidence: float
) -> dict[str, Area]:
    if len(points) < 2:
        return dict.fromkeys(drawn, Area(None, None))
    areas = {}
    for name, values in drawn.items():
        metric = np.array([point.metrics[name] for point in points], dtype=np.float64)
        interval = percentile_interval(drop_area(values, damage), confidence)
        areas[name] = Area(finite(drop_area(metric, damage)), interval)
    return areas


def finite(value: Any) -> float | None:
    """Return the number, None where it is not finite."""
    return float(value) if np.isfinite(value) else None
