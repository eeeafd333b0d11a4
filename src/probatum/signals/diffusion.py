"""Whether attention became more diffused: entropy and the spread of the lag curve, parent against child.

Index 0 of a lag curve is the newest position; later indices lie further in the past.

Source: seed 000, "Attention summaries": higher entropy and a flatter curve mean that focus is diffused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SMALL = 0.01  # of the largest possible entropy, and of the mass: less is no change


@dataclass(frozen=True)
class Diffusion:
    """One attention layer's lag curves, as means over the common epochs."""

    layer: str
    epochs: int
    parent_curve_entropy: float  # nats
    child_curve_entropy: float
    parent_centre: float  # mean distance back, in positions
    child_centre: float
    parent_newest: float  # share of the mass at index 0
    child_newest: float
    distance: float  # total variation between the two mean curves, in [0, 1]
    entropy_difference: float | None  # of the attention rows, child - parent; None where not measured
    verdict: str  # more diffused, sharper, shifted, unchanged, mixed


def lag_entropy(curve: Sequence[float]) -> float:
    """Return the entropy of a lag curve normalised to a sum of 1, in nats.

    Example:
        >>> round(lag_entropy([1, 1, 1, 1]), 4), lag_entropy([2, 0])
        (1.3863, 0.0)
    """
    return -math.fsum(share * math.log(share) for share in _shares(curve) if share > 0) + 0.0


def lag_centre(curve: Sequence[float]) -> float:
    """Return the mean distance back of a lag curve, in positions.

    Example:
        >>> lag_centre([0.5, 0.0, 0.5])
        1.0
    """
    return math.fsum(lag * share for lag, share in enumerate(_shares(curve)))


def compare_diffusion(
    layer: str,
    parent: Mapping[int, Sequence[float]],
    child: Mapping[int, Sequence[float]],
    entropy_difference: float | None = None,
) -> Diffusion | None:
    """Return how a layer's lag curve changed; None without common epochs of one curve length.

    More diffused: the mean curve's entropy rose by more than 1% of the largest possible, and the entropy of
    the attention rows, where measured, did not fall. Sharper: the reverse. Shifted: neither, but more than 1%
    of the mass moved. Mixed: curve and rows disagree.
    """
    epochs = [e for e in sorted(parent.keys() & child.keys()) if len(parent[e]) == len(child[e])]
    lengths = {len(parent[e]) for e in epochs}
    if len(lengths) != 1:
        return None
    before, after = (_mean_curve([own[e] for e in epochs]) for own in (parent, child))
    distance = math.fsum(abs(a - b) for a, b in zip(before, after, strict=True)) / 2
    change = lag_entropy(after) - lag_entropy(before)
    limit = SMALL * math.log(max(2, *lengths))
    return Diffusion(
        layer, len(epochs), lag_entropy(before), lag_entropy(after), lag_centre(before), lag_centre(after),
        before[0], after[0], distance, entropy_difference, _verdict(change, limit, distance, entropy_difference),
    )  # fmt: skip


def _verdict(change: float, limit: float, distance: float, rows: float | None) -> str:
    if abs(change) <= limit:
        return "shifted" if distance > SMALL else "unchanged"
    if rows is not None and rows * change < 0:
        return "mixed"
    return "more diffused" if change > 0 else "sharper"


def _mean_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    shares = [_shares(curve) for curve in curves]
    return [math.fsum(column) / len(shares) for column in zip(*shares, strict=True)]


def _shares(curve: Sequence[float]) -> list[float]:
    total = math.fsum(curve)
    return [value / total for value in curve] if total > 0 else [0.0 for _ in curve]
