"""Bootstrap over samples and masks, with the same resamples for every point and every model.

A resample draws samples with replacement, and mask numbers with replacement; it is kept as counts. The
counts come from the digest of the data, so that a parent's and a child's replicates, computed on different
days, belong together one by one and their differences are a paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum.perturbations.masks import generator
from probatum.perturbations.rank_metrics import WeightedScore
from probatum.perturbations.task import Score

Floats = NDArray[np.float64]
Interval = tuple[float, float]
BLOCK_CELLS = (
    2**18
)  # weights handled at once: a few arrays that fit the cache, whatever the number of samples
DIGITS = 8  # of a replicate: those read from a record are those that were compared in memory


@dataclass(frozen=True)
class Resamples:
    """How often each sample and each mask stands in each resample."""

    samples: NDArray[np.integer[Any]]  # (resamples, samples)
    masks: NDArray[np.integer[Any]]  # (resamples, masks)


def draw_resamples(samples: int, masks: int, count: int, digest: str) -> Resamples:
    """Return `count` resamples, the same for the same digest and sizes.

    Example:
        >>> drawn = draw_resamples(10, 5, 3, "ab")
        >>> drawn.samples.sum(axis=1).tolist(), drawn.masks.sum(axis=1).tolist()
        ([10, 10, 10], [5, 5, 5])
    """
    return Resamples(
        _counts(generator(0, digest, samples, "bootstrap over samples"), samples, count),
        _counts(generator(0, digest, masks, "bootstrap over masks"), masks, count),
    )


def _counts(random: np.random.Generator, size: int, count: int) -> NDArray[np.integer[Any]]:
    counts = np.empty((count, size), dtype=np.uint16 if size < 2**16 else np.uint32)
    for row in counts:
        row[:] = np.bincount(random.integers(size, size=size), minlength=size)
    return counts


def replicates(
    metric: Score, targets: NDArray[Any], scores: Sequence[NDArray[Any]], resamples: Resamples
) -> Floats:
    """Return the metric's mean over masks in each resample, `(resamples,)`; NaN where it is undefined.

    Args:
        metric: one with a method `weighted` (`rank_metrics.WeightedScore`) is computed for all resamples
            at once; any other is called once per resample and mask.
        targets: `(samples,)`.
        scores: `(samples,)` for each mask; a single one where there is no mask to choose.
        resamples: from `draw_resamples`.
    """
    by_mask = np.stack([_of_one_mask(metric, targets, one, resamples.samples) for one in scores], axis=1)
    if len(scores) == 1:
        return np.round(by_mask[:, 0], DIGITS)
    return np.round((by_mask * resamples.masks).sum(axis=1) / len(scores), DIGITS)


def _of_one_mask(
    metric: Score, targets: NDArray[Any], scores: NDArray[Any], counts: NDArray[np.integer[Any]]
) -> Floats:
    if isinstance(metric, WeightedScore):
        rows = max(1, BLOCK_CELLS // len(scores))
        blocks = [counts[start : start + rows] for start in range(0, len(counts), rows)]
        return np.concatenate([metric.weighted(targets, scores, block) for block in blocks])
    drawn = (np.repeat(np.arange(len(scores)), row) for row in counts)
    return np.array([metric(targets[index], scores[index]) for index in drawn], dtype=np.float64)


def percentile_interval(values: Floats, confidence: float) -> Interval | None:
    """Return the percentile interval of the replicates; None where fewer than half of them are defined.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    Example:
        >>> percentile_interval(np.arange(5.0), 0.5)
        (1.0, 3.0)
    """
    defined = values[np.isfinite(values)]
    if len(defined) == 0 or 2 * len(defined) < len(values):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def two_sided_p(differences: Floats) -> float | None:
    """Return the bootstrap p-value of "the difference is 0": twice the smaller share beyond 0.

    The observed data count as one more resample, so that the p-value is never 0: the smallest is
    2 / (resamples + 1).

    Source:
        Davison and Hinkley 1997, Bootstrap Methods and their Application, section 4.2.

    Example:
        >>> two_sided_p(np.ones(99))
        0.02
    """
    defined = differences[np.isfinite(differences)]
    if len(defined) == 0 or 2 * len(defined) < len(differences):
        return None
    beyond = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    return min(1.0, 2 * (beyond + 1) / (len(defined) + 1))
