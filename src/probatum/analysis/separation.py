"""What a number of seeds can and cannot tell apart: the smallest p that an exact test can reach."""

from __future__ import annotations

from functools import cache
from math import comb, ldexp


def smallest_paired_p(n: int) -> float:
    """Return 2^(1 - n), the smallest two-sided p of the exact sign permutation test over n seeds.

    Example:
        >>> smallest_paired_p(3), smallest_paired_p(6)
        (0.25, 0.03125)
    """
    return ldexp(1.0, 1 - n)


def smallest_unpaired_p(n: int, m: int) -> float:
    """Return the smallest two-sided p of the exact permutation test of n against m values.

    1 / C(n + m, n), twice that where n = m: the mirrored split is then as extreme as the observed one.

    Example:
        >>> smallest_unpaired_p(3, 3)
        0.1
    """
    return min(1.0, (2 if n == m else 1) / comb(n + m, n))


@cache
def seeds_needed(alpha: float = 0.05, comparisons: int = 1, *, paired: bool = True) -> int:
    """Return the fewest seeds per experiment at which one of several comparisons could be separated.

    The best that Holm leaves to the smallest p is `comparisons` times it.

    Example:
        >>> seeds_needed(), seeds_needed(comparisons=14), seeds_needed(paired=False)
        (6, 10, 4)
    """
    n = 1
    while comparisons * (smallest_paired_p(n) if paired else smallest_unpaired_p(n, n)) > alpha:
        n += 1
    return n
