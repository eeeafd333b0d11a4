"""The exact sign permutation test, counted without listing all patterns: 32 seeds in a moment.

The sums of the first half of the values and those of the second half are listed apart, 2^(n/2) each, and
their pairs counted by binary search.

Source: E. Horowitz, S. Sahni, Computing partitions with applications to the knapsack problem, JACM 21 (1974).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from decimal import Decimal

from probatum.analysis.intervals import mean

LARGEST = 32  # 2^16 sums in each half


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the exact two-sided p-value of "the signs of the differences are arbitrary".

    The share of the 2^n sign patterns whose absolute sum is at least the observed one; sums are whole numbers,
    so that ties count as ties.

    Raises:
        ValueError: no difference, more than `LARGEST`, or one that is not finite.

    Example:
        >>> sign_flip_p([0.1, 0.2, 0.3]), sign_flip_p([0.1, 0.2, -0.3])
        (0.25, 1.0)
    """
    if len(differences) > LARGEST:
        raise ValueError(f"an exact test takes at most {LARGEST} pairs, got {len(differences)}.")
    mean(differences)  # refuses an empty list and values that are not finite
    whole = whole_numbers(differences)
    observed, middle = abs(sum(whole)), len(whole) // 2
    first, second = _sums(whole[:middle]), sorted(_sums(whole[middle:]))
    if observed == 0:
        return 1.0
    above = sum(len(second) - bisect_left(second, observed - total) for total in first)
    below = sum(bisect_right(second, -observed - total) for total in first)
    return math.ldexp(above + below, -len(whole))


def whole_numbers(values: Sequence[float]) -> list[int]:
    """Return the values as whole multiples of one unit, exactly as their shortest decimals say.

    Example:
        >>> whole_numbers([0.1, 0.25, -2.0])
        [10, 25, -200]
    """
    parts = [Decimal(repr(float(value))).as_tuple() for value in values]
    lowest = min(int(part.exponent) for part in parts)
    return [_whole(part.sign, part.digits) * 10 ** (int(part.exponent) - lowest) for part in parts]


def _whole(sign: int, digits: Sequence[int]) -> int:
    whole = int("".join(map(str, digits)))
    return -whole if sign else whole


def _sums(values: Sequence[int]) -> list[int]:
    sums = [0]
    for value in values:
        sums = [total + sign for sign in (value, -value) for total in sums]
    return sums
