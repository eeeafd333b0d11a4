"""The Pareto front: what nothing else beats in one objective without losing in another.

Points with equal values stand or fall together; a point that another equals in some objectives and beats in
the rest is dominated. Three objectives take a sweep over a staircase, O(n log n); two a running minimum; more
than three remove what each front point dominates.

Source: H. T. Kung, F. Luccio, F. P. Preparata, On finding the maxima of a set of vectors, JACM 22 (1975).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FILTERS = 16  # strong points that clear the field before the sweep


def pareto_front(points: ArrayLike, higher_is_better: Sequence[bool]) -> NDArray[np.bool_]:
    """Return which points are on the front.

    Args:
        points: `(points, objectives)`, in any units.
        higher_is_better: One direction per objective.

    Raises:
        ValueError: the shape does not fit the directions, or a value is NaN.

    Example:
        >>> pareto_front([[1, 20], [1, 10], [2, 10], [3, 5]], [False, False]).tolist()
        [False, True, False, True]
    """
    values = np.asarray(points, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(higher_is_better) or not len(higher_is_better):
        raise ValueError(f"expected (points, {len(higher_is_better)}) values, got shape {values.shape}.")
    if np.isnan(values).any():
        raise ValueError("a point with NaN is neither better nor worse than another: leave it out.")
    losses = np.ascontiguousarray((values * np.where(higher_is_better, -1.0, 1.0)).T)  # (objectives, points)
    on_front = np.zeros(losses.shape[1], dtype=bool)
    alive = _cleared(losses)
    on_front[alive] = _front(losses[:, alive])
    return on_front


def _cleared(losses: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices that none of a few strong points dominates: cheap, and most of a crowd is gone."""
    alive = np.arange(losses.shape[1])
    if len(alive) <= _FILTERS * 4 or not np.isfinite(losses).all():
        return alive
    low = losses.min(axis=1, keepdims=True)
    width = losses.max(axis=1, keepdims=True) - low
    scores = ((losses - low) / np.where(width > 0, width, 1.0)).max(axis=0)
    for chosen in np.argpartition(scores, _FILTERS)[:_FILTERS]:
        strong, field = losses[:, chosen, None], losses[:, alive]
        keep = (field < strong).any(axis=0) | (field == strong).all(axis=0)
        if not keep.all():
            alive = alive[keep]
    return alive


def _front(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the front of `(objectives, points)` losses: sorted, equal points joined, swept, and mapped back."""
    if losses.shape[1] == 0:
        return np.zeros(0, dtype=bool)
    order = np.lexsort(losses[::-1])
    ordered = losses[:, order]
    is_new = np.concatenate([[True], (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)])
    unique = ordered[:, is_new]
    sweep = {1: _sweep1, 2: _sweep2, 3: _sweep3}.get(len(unique), _sweep)
    on_front = np.empty(losses.shape[1], dtype=bool)
    on_front[order] = sweep(unique)[np.cumsum(is_new) - 1]
    return on_front


def _sweep1(unique: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.arange(unique.shape[1]) == 0


def _sweep2(unique: NDArray[np.float64]) -> NDArray[np.bool_]:
    lowest = np.minimum.accumulate(unique[1])
    return np.concatenate([[True], lowest[1:] < lowest[:-1]])


def _sweep3(unique: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Keep a staircase of (second, third) objectives: third strictly falls while second rises.

    Every point before the current one is at most as large in the first objective, so that it dominates
    where the stair at or left of it is not above it.
    """
    seconds: list[float] = []
    thirds: list[float] = []
    found = []
    for second, third in zip(unique[1].tolist(), unique[2].tolist(), strict=True):
        place = bisect_right(seconds, second)
        is_front = place == 0 or thirds[place - 1] > third
        found.append(is_front)
        if is_front:
            start = bisect_left(seconds, second)
            end = start
            while end < len(thirds) and thirds[end] >= third:
                end += 1
            seconds[start:end], thirds[start:end] = [second], [third]
    return np.array(found, dtype=bool)


def _sweep(unique: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Take the first of the rest, which nothing dominates, and drop what it dominates."""
    on_front = np.zeros(unique.shape[1], dtype=bool)
    rest = np.arange(unique.shape[1])
    rows = unique[1:]
    while len(rest):
        on_front[rest[0]] = True
        first, others = rows[:, rest[0], None], rest[1:]
        rest = others[(rows[:, others] < first).any(axis=0)]
    return on_front
