"""How well predictions tell right answers from wrong ones: AUC, accuracy, cross-entropy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def auc(responses: NDArray[np.integer], scores: NDArray[np.floating]) -> float | None:
    """Return the area under the ROC curve, exact with ties; None when only one class is present.

    The rank statistic of Mann and Whitney 1947::

        auc = (sum of the ranks of the right answers - n1 (n1 + 1) / 2) / (n1 n0),  ties at their mean rank

    Args:
        responses: `(n,)`, 0 or 1.
        scores: `(n,)`, in any monotone unit: probabilities and log-odds give the same number.

    Returns:
        The area in [0, 1]; None when undefined or when a score is not a number.

    Source:
        Hanley and McNeil 1982; agrees with `sklearn.metrics.roc_auc_score`.

    Example:
        >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8]))
        0.875
    """
    right = int(np.count_nonzero(responses))
    wrong = len(responses) - right
    if not right or not wrong or np.isnan(scores).any():
        return None
    order = np.argsort(scores)
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # last position of each run of ties
    right_below = np.cumsum(responses[order], dtype=np.int64)[last]
    rights = np.diff(right_below, prepend=0)
    wrong_below = last + 1 - right_below
    wrongs = np.diff(wrong_below, prepend=0)
    doubled = rights @ (2 * wrong_below - wrongs)  # pairs in the right order count 2, ties 1: whole numbers
    return float(doubled / (2 * right * wrong))


def accuracy(responses: NDArray[np.integer], logits: NDArray[np.floating]) -> float | None:
    """Return the share of answers on the predicted side of probability 0.5; None without answers.

    Example:
        >>> accuracy(np.array([0, 1, 1, 1]), np.array([-1.0, 2.0, 0.5, -0.1]))
        0.75
    """
    if not len(responses) or np.isnan(logits).any():
        return None
    return float(np.mean((logits > 0) == (responses == 1)))


def cross_entropy(responses: NDArray[np.integer], logits: NDArray[np.floating]) -> float | None:
    """Return the mean binary cross-entropy in nats, `log(1 + exp(x)) - y x`; None without answers.

    Example:
        >>> round(cross_entropy(np.array([1, 0]), np.array([0.0, 0.0])), 4)
        0.6931
    """
    if not len(responses):
        return None
    wide = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):
        value = float(np.mean(np.logaddexp(0.0, wide) - responses * wide))
    return value if np.isfinite(value) else None
