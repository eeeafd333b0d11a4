"""Which steps of an epoch are probed: one in each of equal parts of it, drawn by the probe's own generator."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise


@dataclass
class ProbeSchedule:
    """The probed steps of each epoch; the same seed gives the same steps, whatever else was drawn.

    Where the number of steps is not known, the first epoch is probed at steps 0, 1, 2, 4, 8, ... and later ones
    by the length of the epoch before.

    Example:
        >>> ProbeSchedule(seed=0, batches=3).steps(epoch=1)
        [0, 1, 2]
        >>> [step // 10 for step in ProbeSchedule(seed=0, batches=4, steps_per_epoch=40).steps(epoch=1)]
        [0, 1, 2, 3]
    """

    seed: int
    batches: int
    steps_per_epoch: int | None = None

    def steps(self, epoch: int) -> list[int]:
        """Return the steps of `epoch` (from 1) to probe, counted from 0, ascending; all where there are few."""
        total = self.steps_per_epoch
        if total is None:
            return [0, *(2**power for power in range(self.batches - 1))]
        if total <= self.batches:
            return list(range(total))
        own = random.Random(f"{self.seed}/{epoch}")  # noqa: S311 (no secret; apart from every global generator)
        bounds = [part * total // self.batches for part in range(self.batches + 1)]
        return [own.randrange(low, high) for low, high in pairwise(bounds)]

    def learn(self, steps: int) -> None:
        """Note how many steps an epoch had; one without steps teaches nothing."""
        if steps:
            self.steps_per_epoch = steps
