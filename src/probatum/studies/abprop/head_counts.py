"""How many attention heads a width can have."""

from __future__ import annotations


def valid_head_counts(d_model: int) -> list[int]:
    """Return the numbers of heads that divide `d_model`, rising.

    Example:
        >>> valid_head_counts(12)
        [1, 2, 3, 4, 6, 12]
    """
    return [count for count in range(1, d_model + 1) if d_model % count == 0]


def nearest_head_counts(d_model: int, nhead: int) -> list[int]:
    """Return the four valid numbers of heads nearest to `nhead` by their ratio, rising.

    Example:
        >>> nearest_head_counts(256, 6)
        [2, 4, 8, 16]
    """
    ranked = sorted(valid_head_counts(d_model), key=lambda count: max(count / nhead, nhead / count))
    return sorted(ranked[:4])
