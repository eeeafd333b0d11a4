"""What every perturbation is: a name, a strength at which nothing happens, and seeded damage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from probatum.perturbations.names import Kind
from probatum.perturbations.task import PerturbationTask, Values

Damage = Callable[[float], Values]  # strength -> damaged copy of the values


class Perturbation(ABC):
    """A controlled damage to raw observations.

    A new one is a frozen dataclass in a file of its own, and a line in `names.py`.
    """

    kind: ClassVar[Kind]
    name: ClassVar[str]  # mechanism of missingness, kept end of truncation, law of noise
    neutral: ClassVar[
        float
    ]  # the strength at which nothing happens: mask rate 0, keep ratio 1, noise scale 0
    largest: ClassVar[float]  # the largest strength that has a meaning; the smallest is 0
    is_random: ClassVar[bool]  # whether another mask number gives another damage

    @abstractmethod
    def requested_rate(self, strength: float) -> float | None:
        """Return the share of observations that this strength is meant to remove; None if it removes none."""

    @abstractmethod
    def draw(self, task: PerturbationTask, random: np.random.Generator) -> Damage:
        """Return the damage of one mask, for every strength."""
