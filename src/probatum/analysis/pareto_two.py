"""The front of two objectives by sorting alone: what most analyses ask for, and no reason to load numpy.

Equal to `pareto` and `pareto_seeds`, which take any number of objectives; the tests hold them together.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from probatum.analysis.pareto_seeds import Place

Pair = tuple[float, float]
_NONE = (float("inf"), -1)  # no value, of nobody


def front_of_two(points: Sequence[Sequence[float]], higher_is_better: Sequence[bool]) -> list[bool]:
    """Return which points nothing else dominates.

    Example:
        >>> front_of_two([[1, 20], [1, 10], [2, 10], [3, 5]], [False, False])
        [False, True, False, True]
    """
    losses = _signed(points, higher_is_better)
    return [not found for found in _dominated(losses, losses)]


def places_of_two(
    low: Sequence[Sequence[float]], high: Sequence[Sequence[float]], higher_is_better: Sequence[bool]
) -> list[Place]:
    """Return where each experiment stands, as `pareto_seeds.places` does.

    Example:
        >>> places_of_two([[0, 5], [4, 0], [6, 6]], [[1, 6], [5, 1], [7, 7]], [False, False])
        ['frontier', 'frontier', 'dominated']
    """
    ends = _signed(low, higher_is_better), _signed(high, higher_is_better)
    best = [(min(a[0], b[0]), min(a[1], b[1])) for a, b in zip(*ends, strict=True)]
    worst = [(max(a[0], b[0]), max(a[1], b[1])) for a, b in zip(*ends, strict=True)]
    surely, possibly = _dominated(worst, best), _dominated(best, worst)
    return [
        "dominated" if sure else "ambiguous" if doubt else "frontier"
        for sure, doubt in zip(surely, possibly, strict=True)
    ]


def _signed(points: Sequence[Sequence[float]], higher_is_better: Sequence[bool]) -> list[Pair]:
    first, second = (-1.0 if higher else 1.0 for higher in higher_is_better)
    return [(first * x, second * y) for x, y in points]


def _dominated(by: Sequence[Pair], what: Sequence[Pair]) -> list[bool]:
    """Return which of `what` some of `by`, other than its own, is no worse than in both and better in one."""
    order = sorted(range(len(by)), key=lambda index: by[index])
    across = [by[index][0] for index in order]
    lowest = [
        (_NONE, _NONE)
    ]  # of the first k in order: the lowest second loss with its owner, and the next owner's
    for index in order:
        lowest.append(tuple(sorted([*lowest[-1], (by[index][1], index)])[:2]))  # type: ignore[arg-type]

    def least(count: int, own: int) -> float:
        first, second = lowest[count]
        return second[0] if first[1] == own else first[0]

    return [
        least(bisect_left(across, x), own) <= y or least(bisect_right(across, x), own) < y
        for own, (x, y) in enumerate(what)
    ]
