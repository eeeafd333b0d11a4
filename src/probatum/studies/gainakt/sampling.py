"""Which students the semantic metrics look at: drawn once from the data, the same for every seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
STRATA = 10  # deciles of the history's length


def seed_from(digest: str) -> int:
    """Return a seed from a hexadecimal digest of the data, so that equal data draw equal samples."""
    return int(digest[:16], 16)


def sample_students(eligible: Integers, size: int, seed: int) -> Integers:
    """Return `size` of the `eligible` students at random, sorted; all of them if there are fewer.

    Example:
        >>> len(sample_students(np.arange(100), 5, seed=3)), sample_students(np.arange(4), 5, seed=3).tolist()
        (5, [0, 1, 2, 3])
    """
    draw = np.random.default_rng(seed)
    return np.sort(draw.permutation(eligible)[:size])


def sample_by_length(eligible: Integers, lengths: Integers, size: int, seed: int) -> Integers:
    """Return `size` students drawn evenly from the deciles of their lengths, sorted.

    Args:
        eligible: `(n,)`, students.
        lengths: `(n,)`, the number of steps of each.
        size: number of students wanted; all are returned if there are fewer.
        seed: from the digest of the data.

    Example:
        >>> chosen = sample_by_length(np.arange(100), np.arange(100), 20, seed=3)
        >>> np.bincount(chosen // 10).tolist()
        [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    if size >= len(eligible):
        return np.sort(eligible)
    draw = np.random.default_rng(seed)
    order = np.lexsort((draw.random(len(eligible)), lengths))  # by length, ties at random
    strata = [draw.permutation(stratum) for stratum in np.array_split(order, STRATA)]
    turn = np.concatenate(
        [np.arange(len(stratum)) for stratum in strata]
    )  # first of each decile, second, ...
    return np.sort(eligible[np.concatenate(strata)[np.lexsort((draw.random(len(turn)), turn))[:size]]])
