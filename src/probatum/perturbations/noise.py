"""Measurement noise on what was observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from probatum.perturbations.masks import observed_cells
from probatum.perturbations.names import NOISE, Kind
from probatum.perturbations.perturbation import Damage, Perturbation
from probatum.perturbations.spread import channel_spread
from probatum.perturbations.task import PerturbationTask, Values


@dataclass(frozen=True)
class GaussianNoise(Perturbation):
    """x + scale * spread(channel) * e, e normal with variance 1, on observed values alone.

    The strength is in robust standard deviations of the channel. One field e per mask number serves every
    scale. What was not observed stays so.
    """

    name: ClassVar[str] = NOISE
    kind: ClassVar[Kind] = "noise"
    neutral: ClassVar[float] = 0.0
    largest: ClassVar[float] = float("inf")
    is_random: ClassVar[bool] = True

    def requested_rate(self, strength: float) -> None:
        """Return None: noise removes nothing."""
        return

    def draw(self, task: PerturbationTask, random: np.random.Generator) -> Damage:
        """Return the function from a scale to the noisy observations."""
        observed = observed_cells(task)
        _, spread = channel_spread(task.values, observed)
        step = random.standard_normal(task.values.shape) * spread
        step[~observed] = 0.0

        def disturb(scale: float) -> Values:
            noisy = task.values + scale * step
            return noisy.astype(task.values.dtype, copy=False)

        return disturb
