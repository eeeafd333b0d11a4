"""The front when seeds allow doubt: frontier, ambiguous or dominated.

Each experiment is a box: its t-interval in every objective. Boxes, not points, dominate each other, so that a
place on the front that seed noise could have made is called ambiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Place = Literal["frontier", "ambiguous", "dominated"]
_BLOCK = 256  # experiments compared with all others at once


def places(low: ArrayLike, high: ArrayLike, higher_is_better: Sequence[bool]) -> list[Place]:
    """Return where each experiment stands.

    Dominated: some other's worst corner is at least as good as this one's best corner in every objective, and
    better in one. Frontier: no other's best corner is so to this one's worst corner. Else ambiguous.

    Args:
        low: `(experiments, objectives)`, the lower ends of the intervals; `low == high` where nothing varies.
        high: The upper ends.
        higher_is_better: One direction per objective.

    Raises:
        ValueError: an interval is NaN or ends before it begins.

    Example:
        >>> places([[0, 5], [4, 0], [6, 6]], [[1, 6], [5, 1], [7, 7]], [False, False])
        ['frontier', 'frontier', 'dominated']
        >>> places([[0, 0], [1, 1]], [[4, 4], [5, 5]], [False, False])
        ['ambiguous', 'ambiguous']
    """
    ends = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if not (ends[0] <= ends[1]).all():
        raise ValueError("every interval needs a lower end that is at most its upper end.")
    flip = np.asarray(higher_is_better, dtype=bool)
    best = np.where(flip, -ends[1], ends[0])
    worst = np.where(flip, -ends[0], ends[1])
    surely, possibly = _dominated(worst, best), _dominated(best, worst)
    return [
        "dominated" if sure else "ambiguous" if doubt else "frontier"
        for sure, doubt in zip(surely, possibly, strict=True)
    ]


def _dominated(by: NDArray[np.float64], what: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows of `what` a row of `by`, other than their own, dominates."""
    found = np.zeros(len(what), dtype=bool)
    for start in range(0, len(what), _BLOCK):
        block = what[start : start + _BLOCK]
        no_worse = np.ones((len(block), len(by)), dtype=bool)
        better = np.zeros_like(no_worse)
        for objective in range(what.shape[1]):
            no_worse &= by[:, objective] <= block[:, objective, None]
            better |= by[:, objective] < block[:, objective, None]
        rows = np.arange(len(block))
        no_worse[rows, start + rows] = False
        found[start : start + _BLOCK] = (no_worse & better).any(axis=1)
    return found
