"""Metrics of a ranking, for many sets of weights at once: what makes a bootstrap of them fast.

The scores are sorted once. A resample is a row of weights, how often each sample was drawn; all rows are
then summed along the sorted scores together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]


@runtime_checkable
class WeightedScore(Protocol):
    """A metric that also takes weights."""

    def __call__(self, targets: Array, scores: Array) -> float:
        """Return the metric of `targets` and `scores`, both `(samples,)`."""
        ...

    def weighted(self, targets: Array, scores: Array, weights: Array) -> Floats:
        """Return the metric for each row of `weights`, `(rows, samples)` to `(rows,)`."""
        ...


@dataclass(frozen=True)
class RankMetric:
    """A metric that depends on the order of the scores alone; higher is better.

    Attributes:
        name: what the record calls it.
        reduce: from the weights of positives and negatives at each distinct score, highest score first,
            both `(rows, distinct scores)`, to `(rows,)`.
    """

    name: str
    reduce: Callable[[Floats, Floats], Floats]

    def __call__(self, targets: Array, scores: Array) -> float:
        """Return the metric, NaN where it is undefined.

        Args:
            targets: `(samples,)`, 1 for a positive, 0 for a negative.
            scores: `(samples,)`, higher means more likely positive.
        """
        return float(self.weighted(targets, scores, np.ones((1, len(scores))))[0])

    def weighted(self, targets: Array, scores: Array, weights: Array) -> Floats:
        """Return the metric for each row of `weights`, NaN where a row leaves it undefined.

        Args:
            targets: `(samples,)`, 1 for a positive, 0 for a negative.
            scores: `(samples,)`.
            weights: `(rows, samples)`, not negative.
        """
        order = np.argsort(-np.asarray(scores), kind="stable")
        ranked = np.asarray(scores)[order]
        starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])  # ties are one threshold
        sorted_weights = np.asarray(weights)[:, order].astype(np.float64)
        positive = sorted_weights * np.asarray(targets)[order].astype(bool)
        negative = sorted_weights - positive
        if len(starts) < len(ranked):
            positive = np.add.reduceat(positive, starts, axis=1)
            negative = np.add.reduceat(negative, starts, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is NaN: undefined
            return self.reduce(positive, negative)


def _area_under_roc(positive: Floats, negative: Floats) -> Floats:
    """Return P(a positive outranks a negative) + P(tie) / 2."""
    negatives = negative.sum(axis=1)
    below = negatives[:, None] - np.cumsum(negative, axis=1) + negative / 2
    return (positive * below).sum(axis=1) / (positive.sum(axis=1) * negatives)


def _precision_and_recall(positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
    found = np.cumsum(positive, axis=1)
    called = found + np.cumsum(negative, axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return precision, found / found[:, -1:]


def _average_precision(positive: Floats, negative: Floats) -> Floats:
    """Return the sum over thresholds of precision times the gain in recall: no interpolation."""
    precision, _ = _precision_and_recall(positive, negative)
    return (precision * positive).sum(axis=1) / positive.sum(axis=1)


def _min_precision_sensitivity(positive: Floats, negative: Floats) -> Floats:
    """Return the maximum over thresholds of the smaller of precision and sensitivity."""
    precision, recall = _precision_and_recall(positive, negative)
    return np.minimum(precision, recall).max(axis=1)


auroc = RankMetric("auroc", _area_under_roc)
auprc = RankMetric("auprc", _average_precision)
minpse = RankMetric("minpse", _min_precision_sensitivity)
