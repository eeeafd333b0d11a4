"""Rank groups instead of ranks: experiments that the seeds cannot tell apart share a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from probatum.analysis.comparison import ALPHA, adjust, compare, smallest_p
from probatum.analysis.groups import Seed
from probatum.analysis.intervals import mean


def rank_groups(values: Sequence[Mapping[Seed, float]], higher_is_better: bool) -> list[int | None]:
    """Return each experiment's rank group, 1 the best, None for one without values.

    The best mean leads. Every experiment that is not separated from the leader (exact test, Holm over those
    behind it) is in its group up to the first that is; that one leads the next group.

    Args:
        values: One value per seed, for each experiment.
        higher_is_better: The metric's direction.

    Example:
        >>> far = [{seed: base + seed / 100 for seed in range(8)} for base in (0.9, 0.5, 0.89)]
        >>> rank_groups(far, True), rank_groups([{1: 0.9}, {1: 0.1}], True)
        ([1, 3, 2], [1, 1])
    """
    known = [index for index, found in enumerate(values) if found]
    known.sort(key=lambda index: mean(list(values[index].values())), reverse=higher_is_better)
    places: list[int | None] = [None] * len(values)
    place = 1
    while known:
        size = _group_size([values[index] for index in known], higher_is_better)
        for index in known[:size]:
            places[index] = place
        known, place = known[size:], place + 1
    return places


def _group_size(ordered: Sequence[Mapping[Seed, float]], higher_is_better: bool) -> int:
    """Return how many from the leader on cannot be told apart from it."""
    leader, behind = ordered[0], ordered[1:]
    if not any(smallest_p(leader, other) * len(behind) <= ALPHA for other in behind):
        return len(ordered)  # no values could tell so many apart with so few seeds
    compared = [compare(leader, other, higher_is_better) for other in behind]
    for index, found in enumerate(adjust(compared)):
        if found.verdict == "worse":
            return index + 1
    return len(ordered)
