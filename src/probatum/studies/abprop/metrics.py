"""How well residues, CDRs and rates are known; None where that is undefined, never 0.

Rates are judged key by key. Pooled over keys, a model that predicts one constant for each scores an R2 of 0.998
(fact sheet, section 13): keys differ by orders of magnitude, and their means would pass for skill.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Numbers = NDArray[Any]


def perplexity(losses: Numbers) -> float | None:
    """Return exp of the mean negative log-likelihood (nats) `(residues,)`; None without any.

    Example:
        >>> round(perplexity(np.full(3, np.log(20))), 6)
        20.0
    """
    return float(np.exp(np.mean(losses, dtype=np.float64))) if len(losses) else None


def f1(targets: Numbers, predictions: Numbers) -> float | None:
    """Return the harmonic mean of precision and recall of the positive class; None where there is no positive.

    Example:
        >>> f1(np.array([True, True, False]), np.array([True, False, False])).__round__(4)
        0.6667
    """
    targets, predictions = targets.astype(bool), predictions.astype(bool)
    if not targets.any():
        return None
    both = np.count_nonzero(targets & predictions)
    return float(2 * both / (np.count_nonzero(targets) + np.count_nonzero(predictions)))


def cdr_metrics(regions: Numbers, is_cdr: Numbers) -> dict[str, float | None]:
    """Return accuracy, F1 of each class, their mean, and the recall of each CDR.

    Args:
        regions: of every residue, 0 framework, 1-3 the CDR.
        is_cdr: what is predicted of it.

    Example:
        >>> cdr_metrics(np.array([0, 0, 3, 3]), np.array([0, 0, 1, 0]))["cls_recall_cdr3"]
        0.5
    """
    truth, found = regions > 0, is_cdr.astype(bool)
    framework, cdr = f1(~truth, ~found), f1(truth, found)
    recalls = {f"cls_recall_cdr{number}": _share(found[regions == number]) for number in (1, 2, 3)}
    return {
        "cls_accuracy": _share(truth == found),
        "cls_f1_framework": framework,
        "cls_f1_cdr": cdr,
        "cls_macro_f1": None if framework is None or cdr is None else (framework + cdr) / 2,
        **recalls,
    }


def r2(targets: Numbers, predictions: Numbers) -> float | None:
    """Return 1 - sum (y - p)^2 / sum (y - mean y)^2, unclamped; None where the targets are all equal.

    Example:
        >>> r2(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
        0.0
    """
    if not _varies(targets):
        return None
    residual = np.sum((targets - predictions) ** 2, dtype=np.float64)
    return float(1 - residual / np.sum((targets - targets.mean()) ** 2, dtype=np.float64))


def spearman(targets: Numbers, predictions: Numbers) -> float | None:
    """Return the correlation of the ranks, ties sharing their mean rank; None where either is constant.

    Example:
        >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0])).__round__(6)
        1.0
    """
    if not _varies(targets) or not _varies(predictions):
        return None
    return float(np.corrcoef(rankdata(targets), rankdata(predictions))[0, 1])


def rate_metrics(targets: Numbers, predictions: Numbers, names: Iterable[str]) -> dict[str, float | None]:
    """Return R2, Spearman correlation and mean squared error of each key, and of each the mean over keys.

    The mean is over the keys that can be measured on these sequences; where none can, it is None.

    Args:
        targets: standardised rates `(sequences, keys)`.
        predictions: of the same shape.
        names: of the keys.

    Example:
        >>> found = rate_metrics(np.array([[1.0, 0], [3.0, 0]]), np.array([[1.0, 0], [3.0, 0]]), ["a", "b"])
        >>> found["reg_r2_a"], found["reg_r2_b"], found["reg_macro_r2"]
        (1.0, None, 1.0)
    """
    columns = list(zip(names, targets.T, predictions.T, strict=True))
    found: dict[str, float | None] = {}
    for kind, measure in {"r2": r2, "spearman": spearman, "mse": mean_squared_error}.items():
        values = {name: measure(truth, guess) for name, truth, guess in columns}
        found |= {f"reg_{kind}_{name}": value for name, value in values.items()}
        found[f"reg_macro_{kind}"] = _mean(values.values())
    return found


def mean_squared_error(targets: Numbers, predictions: Numbers) -> float:
    """Return the mean of (y - p)^2.

    Example:
        >>> mean_squared_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        2.0
    """
    return float(np.mean((targets - predictions) ** 2, dtype=np.float64))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _share(flags: Numbers) -> float | None:
    return float(np.mean(flags)) if len(flags) else None


def _varies(values: Numbers) -> bool:
    return len(values) > 1 and bool(np.ptp(values) > 1e-9)
