"""The columns of a pack: one row per observation, fixed width, little-endian, appended.

An episode of 25 epochs is 25 rows. A row holds the observation at the end of an epoch and the decision that
was made on it, so that the next row is the next observation. Nothing follows the last row of an episode: its
`actions` is -1 and its `done` 1, as it is of the row before, whose decision ended the episode's learning.

| column | type, width | content |
|---|---|---|
| observations | float32, features | values; 0 where the mask is 0 |
| mask | uint8, features | 1 where the value was measured |
| actions | int16 | position of the action among the pack's; -1 where nothing was decided |
| greedy | int16 | what the policy would have done without exploration; -1 as above |
| allowed | uint8, actions | 1 where the action would have been carried out |
| probabilities | float32, actions | with which the behaviour policy took each action |
| rewards | float32, 4 | `rewards.COMPONENTS`, in points |
| done | uint8 | 1 where no decision follows: at the last decision and at the last observation |
| good | int8 | `was_good_decision`; -1 where it is not known |
| epochs | int16 | the epoch of the observation |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probatum.packs.rewards import COMPONENTS

NOTHING = -1  # of `actions`, `greedy` and `good`
NAMES = (
    "observations", "mask", "actions", "greedy", "allowed", "probabilities", "rewards", "done", "good", "epochs",
)  # fmt: skip
INDEX = np.dtype([("rows", "<u8"), ("episodes", "<u8"), ("listing", "<u8"), ("sha256", "V32")])
Arrays = Mapping[str, NDArray[Any]]


class Column(NamedTuple):
    """Type and width of a column; width () is one number per row."""

    dtype: np.dtype[Any]
    width: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        """The size of one row."""
        return self.dtype.itemsize * int(np.prod(self.width, dtype=int))


def columns(features: int, actions: int) -> dict[str, Column]:
    """Return every column of a pack with so many features and actions, in the order of `NAMES`.

    Example:
        >>> columns(27, 8)["observations"].row_bytes
        108
    """
    widths = {
        "observations": ("<f4", (features,)),
        "mask": ("u1", (features,)),
        "actions": ("<i2", ()),
        "greedy": ("<i2", ()),
        "allowed": ("u1", (actions,)),
        "probabilities": ("<f4", (actions,)),
        "rewards": ("<f4", (len(COMPONENTS),)),
        "done": ("u1", ()),
        "good": ("i1", ()),
        "epochs": ("<i2", ()),
    }
    return {name: Column(np.dtype(widths[name][0]), widths[name][1]) for name in NAMES}


def describe(features: int, actions: int) -> dict[str, dict[str, Any]]:
    """Return the columns as `pack.json` states them, for readers that know no Probatum."""
    return {
        name: {"file": f"columns/{name}.bin", "dtype": column.dtype.str, "width": list(column.width)}
        for name, column in columns(features, actions).items()
    }
