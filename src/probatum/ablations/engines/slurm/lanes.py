"""How several job arrays share the number of runs that the user allowed: Slurm throttles each array alone."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass


@dataclass
class Lane:
    """Arrays one after another, each with the same throttle."""

    width: int
    last: str  # the array that the next one waits for


class Lanes:
    """Lanes whose widths never add up to more than `width`.

    Example:
        >>> lanes = Lanes(5)
        >>> lanes.place("a", size=1000, coming=2, busy=[])
        (3, None)
        >>> lanes.place("b", size=1000, coming=1, busy=["a"])
        (2, None)
        >>> lanes.place("c", size=1000, coming=1, busy=["a", "b"])
        (3, 'a')
        >>> lanes.place("d", size=1000, coming=1, busy=["c"])  # the lane of b has run empty
        (2, None)
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._lanes: list[Lane] = []

    def place(self, name: str, size: int, coming: int, busy: Container[str]) -> tuple[int, str | None]:
        """Return the throttle of a new array and the name of the array that it must wait for.

        Args:
            name: of the array.
            size: its number of runs.
            coming: how many arrays are to be placed now, this one included; they get equal shares.
            busy: the names of the arrays that have runs left.
        """
        self._lanes = [lane for lane in self._lanes if lane.last in busy]
        free = self.width - sum(lane.width for lane in self._lanes)
        if free > 0:
            width = min(size, -(-free // coming))
            self._lanes.append(Lane(width, name))
            return width, None
        lane = self._lanes.pop(0)  # the one that was filled longest ago
        self._lanes.append(Lane(lane.width, name))
        return lane.width, lane.last
