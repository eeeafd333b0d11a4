"""How well scores tell deaths from survivals; None where that is undefined, never 0.

Every function takes targets `(n,)` in {0, 1} and scores `(n,)`. Ties share one threshold. One class alone, or
a score that is not a number, gives None.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


class OperatingPoints(NamedTuple):
    """What every threshold gives; at threshold i all scores of at least `thresholds[i]` count as deaths."""

    thresholds: Numbers  # (points,), falling
    sensitivity: Numbers  # (points,), recall
    precision: Numbers  # (points,), P+
    fall_out: Numbers  # (points,), false positive rate


def operating_points(targets: Numbers, scores: Numbers) -> OperatingPoints | None:
    """Return sensitivity, precision and false positive rate at every distinct score; None if undefined.

    Example:
        >>> points = operating_points(np.array([0, 1, 1]), np.array([0.2, 0.2, 0.9]))
        >>> points.sensitivity.tolist(), points.precision.round(2).tolist()
        ([0.5, 1.0], [1.0, 0.67])
    """
    positives = np.count_nonzero(targets == 1)
    negatives = len(targets) - positives
    if not positives or not negatives or np.isnan(scores).any():
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # last position of each run of ties
    found = np.cumsum(targets[order] == 1)[last]
    return OperatingPoints(
        ranked[last], found / positives, found / (last + 1), (last + 1 - found) / negatives
    )


def auroc(targets: Numbers, scores: Numbers) -> float | None:
    """Return the area under the ROC curve, by trapezes, so that a tie counts one half.

    Source: Hanley and McNeil 1982; agrees with `sklearn.metrics.roc_auc_score`.

    Example:
        >>> auroc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8]))
        0.875
    """
    points = operating_points(targets, scores)
    if points is None:
        return None
    return float(np.trapezoid(np.append(0, points.sensitivity), np.append(0, points.fall_out)))


def auprc(targets: Numbers, scores: Numbers) -> float | None:
    """Return the average precision, `sum_i (Se_i - Se_{i-1}) P_i`, without interpolation.

    Source: Davis and Goadrich 2006 on why not to interpolate; agrees with
    `sklearn.metrics.average_precision_score`.

    Example:
        >>> round(auprc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
        0.8333
    """
    points = operating_points(targets, scores)
    if points is None:
        return None
    return float(np.diff(points.sensitivity, prepend=0) @ points.precision)


def min_se_ppv(targets: Numbers, scores: Numbers) -> float | None:
    """Return min(Se, P+), the best over all thresholds of the smaller of sensitivity and precision.

    Source: event 1 of the PhysioNet/CinC Challenge 2012 (Silva et al. 2012).

    Example:
        >>> round(min_se_ppv(np.array([0, 1, 1]), np.array([0.9, 0.8, 0.1])), 4)
        0.6667
    """
    points = operating_points(targets, scores)
    return None if points is None else float(np.minimum(points.sensitivity, points.precision).max())


def f1(targets: Numbers, probabilities: Numbers, threshold: float = 0.5) -> float | None:
    """Return the harmonic mean of sensitivity and precision at `threshold`; 0 where nobody is found.

    Example:
        >>> f1(np.array([0, 1, 1]), np.array([0.6, 0.7, 0.2]))
        0.5
    """
    if not _defined(targets, probabilities):
        return None
    called, dead = probabilities >= threshold, targets == 1
    return float(2 * np.count_nonzero(called & dead) / (np.count_nonzero(called) + np.count_nonzero(dead)))


def brier(targets: Numbers, probabilities: Numbers) -> float | None:
    """Return the mean squared distance of the probability from the outcome (Brier 1950), in [0, 1].

    Example:
        >>> brier(np.array([0, 1]), np.array([0.0, 0.5]))
        0.125
    """
    if not _defined(targets, probabilities):
        return None
    return float(np.mean((probabilities.astype(np.float64) - targets) ** 2))


def calibration_error(targets: Numbers, probabilities: Numbers, groups: int = 10) -> float | None:
    """Return the expected calibration error over groups of equal size by probability, in [0, 1].

    The mean of |mean probability - share of deaths| over the groups, weighted by their sizes. Groups of equal
    size, because ICU risks crowd near 0 (Nixon et al. 2019, adaptive calibration error).

    Example:
        >>> calibration_error(np.array([0, 1, 0, 1]), np.array([0.5, 0.5, 0.5, 0.5]), groups=1)
        0.0
    """
    if not _defined(targets, probabilities):
        return None
    order = np.argsort(probabilities, kind="stable")
    gaps = [
        len(part) * abs(float(np.mean(probabilities[part], dtype=np.float64) - np.mean(targets[part])))
        for part in np.array_split(order, min(groups, len(order)))
    ]
    return float(sum(gaps) / len(order))


def mortality_metrics(targets: Numbers, probabilities: Numbers) -> dict[str, float | None]:
    """Return every metric of the study by name.

    Example:
        >>> sorted(mortality_metrics(np.array([0, 1]), np.array([0.1, 0.9])))
        ['auprc', 'auroc', 'brier', 'calibration_error', 'f1', 'min_se_ppv']
    """
    return {
        "auroc": auroc(targets, probabilities),
        "auprc": auprc(targets, probabilities),
        "min_se_ppv": min_se_ppv(targets, probabilities),
        "f1": f1(targets, probabilities),
        "brier": brier(targets, probabilities),
        "calibration_error": calibration_error(targets, probabilities),
    }


def _defined(targets: Numbers, scores: Numbers) -> bool:
    return bool(0 < np.count_nonzero(targets == 1) < len(targets) and not np.isnan(scores).any())
