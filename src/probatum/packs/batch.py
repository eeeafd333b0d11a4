"""Some episodes as arrays, one row per observation; a column is read when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


class EpisodeBatch:
    """The columns of some episodes, in memory once they were touched; `packs.columns` says what each holds.

    Args:
        episodes: The positions of the episodes in the pack.
        lengths: How many rows each has.
        read: Returns the rows of a column by its name.
    """

    def __init__(
        self, episodes: NDArray[np.int64], lengths: NDArray[np.int64], read: Callable[[str], NDArray[Any]]
    ) -> None:
        self.episodes, self.lengths, self._read = episodes, lengths, read

    def column(self, name: str) -> NDArray[Any]:
        """Return a column by its name."""
        return getattr(self, name)

    @property
    def episode(self) -> NDArray[np.int64]:
        """The episode that each row belongs to."""
        return np.repeat(self.episodes, self.lengths)

    @property
    def decisions(self) -> NDArray[np.int64]:
        """The rows on which something was decided; the row after each is the next observation."""
        return np.flatnonzero(self.actions >= 0)

    @cached_property
    def observations(self) -> NDArray[np.float32]:
        """Features: (rows, features)."""
        return self._read("observations")

    @cached_property
    def mask(self) -> NDArray[np.uint8]:
        """1 where a feature was measured: (rows, features)."""
        return self._read("mask")

    @cached_property
    def actions(self) -> NDArray[np.int16]:
        """Positions of the actions, -1 where nothing was decided: (rows,)."""
        return self._read("actions")

    @cached_property
    def greedy(self) -> NDArray[np.int16]:
        """Positions of the actions without exploration, -1 as above: (rows,)."""
        return self._read("greedy")

    @cached_property
    def allowed(self) -> NDArray[np.uint8]:
        """1 where an action would have been carried out: (rows, actions)."""
        return self._read("allowed")

    @cached_property
    def probabilities(self) -> NDArray[np.float32]:
        """With which the behaviour policy took each action: (rows, actions)."""
        return self._read("probabilities")

    @cached_property
    def rewards(self) -> NDArray[np.float32]:
        """`rewards.COMPONENTS` in points: (rows, 4)."""
        return self._read("rewards")

    @cached_property
    def done(self) -> NDArray[np.uint8]:
        """1 where no decision follows: (rows,)."""
        return self._read("done")

    @cached_property
    def good(self) -> NDArray[np.int8]:
        """1 for a good decision, 0 for another, -1 where it is not known: (rows,)."""
        return self._read("good")

    @cached_property
    def epochs(self) -> NDArray[np.int16]:
        """The epoch of every observation: (rows,)."""
        return self._read("epochs")
