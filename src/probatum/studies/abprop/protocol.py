"""Who trains, who validates, who is tested: whole clonotypes, from a seed of the split alone."""

from __future__ import annotations

import numpy as np

from probatum._errors import RecordError
from probatum.studies.abprop.clonotypes import Integers


def split_rows(groups: Integers, *, val_share: float, test_share: float, seed: int) -> dict[str, Integers]:
    """Return the rows named `train`, `valid` and `test`; no group stands in two of them.

    Groups come in random order and fill the test, then the validation split. A group that alone would be more
    than half of either goes to training: a split made of one family measures that family.

    Args:
        groups: the group of each row, `(rows,)`.
        val_share: share of the rows that validates.
        test_share: share of the rows that tests.
        seed: of the order; the training seed plays no part.

    Raises:
        RecordError: a split would be empty.

    Example:
        >>> rows = split_rows(np.arange(10), val_share=0.2, test_share=0.3, seed=1)
        >>> [len(rows[name]) for name in ("train", "valid", "test")]
        [5, 2, 3]
    """
    count = len(groups)
    room = {"test": round(test_share * count), "valid": round(val_share * count)}
    largest = min(room.values()) / 2
    sizes = np.bincount(groups)
    place = np.full(len(sizes), "train", dtype=object)
    for group in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[group] > max(1, largest):
            continue
        name = next((name for name, left in room.items() if sizes[group] <= left), None)
        if name is not None:
            place[group] = name
            room[name] -= int(sizes[group])
    rows = {name: np.flatnonzero(place[groups] == name) for name in ("train", "valid", "test")}
    for name, chosen in rows.items():
        if not len(chosen):
            raise RecordError(
                f"the {name} split is empty: expected at least one of {count} chains in {len(sizes)} clonotypes "
                f"under val_share {val_share:g} and test_share {test_share:g}. Give more data or other shares."
            )
    return rows


def fraction_of(rows: Integers, fraction: float, seed: int) -> Integers:
    """Return a share of `rows`, in order; what a smaller share holds, a larger one holds too.

    Example:
        >>> quarter, half = (set(fraction_of(np.arange(40), share, 1).tolist()) for share in (0.25, 0.5))
        >>> len(quarter), len(half), quarter < half
        (10, 20, True)
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows[np.sort(order[: max(1, round(fraction * len(rows)))])]
