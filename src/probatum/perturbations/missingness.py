"""Observations that go missing: completely at random, by channel, by block, or because of their value.

Each mechanism says of every cell the smallest rate at which it is gone. That number is uniform over the
observed cells whatever the mechanism, so that a share r of them is expected to be gone at rate r; the
mechanisms differ in which cells go together.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from probatum.perturbations.masks import observed_cells, without
from probatum.perturbations.names import Kind
from probatum.perturbations.perturbation import Damage, Perturbation
from probatum.perturbations.spread import channel_spread
from probatum.perturbations.task import PerturbationTask

Field = NDArray[np.float64]


@dataclass(frozen=True)
class Missingness(Perturbation):
    """What all mechanisms of missingness share: a cell is gone at rate r where its field is below r."""

    kind: ClassVar[Kind] = "missingness"
    neutral: ClassVar[float] = 0.0
    largest: ClassVar[float] = 1.0
    is_random: ClassVar[bool] = True

    @abstractmethod
    def field(self, task: PerturbationTask, random: np.random.Generator) -> Field:
        """Return the rate from which on each cell is gone; broadcasts to `(samples, steps, channels)`."""

    def requested_rate(self, strength: float) -> float:
        """Return the mask rate itself."""
        return strength

    def draw(self, task: PerturbationTask, random: np.random.Generator) -> Damage:
        """Return the function from a mask rate to what is left of the observations."""
        field, observed = self.field(task, random), observed_cells(task)
        return lambda rate: without(task.values, (field < rate) & observed)


@dataclass(frozen=True)
class CompletelyAtRandom(Missingness):
    """Each observed cell on its own, whatever its value, time and channel."""

    name: ClassVar[str] = "completely_at_random"

    def field(self, task: PerturbationTask, random: np.random.Generator) -> Field:
        """Return one number per cell."""
        return random.random(task.values.shape)


@dataclass(frozen=True)
class ByChannel(Missingness):
    """Whole channels of a sample: a sensor that was never attached, a test that was never ordered."""

    name: ClassVar[str] = "by_channel"

    def field(self, task: PerturbationTask, random: np.random.Generator) -> Field:
        """Return one number per sample and channel."""
        samples, _, channels = task.values.shape
        return random.random((samples, 1, channels))


@dataclass(frozen=True)
class ByBlock(Missingness):
    """Contiguous stretches of time over all channels: a transfer, a monitor that was switched off.

    Attributes:
        block_share: length of a block as a share of the grid of steps. Where the first block starts is
            drawn for each sample, so that blocks do not line up over samples.
    """

    name: ClassVar[str] = "by_block"
    block_share: float = 0.125

    def field(self, task: PerturbationTask, random: np.random.Generator) -> Field:
        """Return one number per sample and block of steps."""
        samples, steps, _ = task.values.shape
        length = max(1, round(self.block_share * steps))  # steps
        offset = random.integers(length, size=(samples, 1))
        block = (np.arange(steps) + offset) // length  # (samples, steps)
        numbers = random.random((samples, (steps + length - 1) // length + 1))
        return np.take_along_axis(numbers, block, axis=1)[:, :, None]


@dataclass(frozen=True)
class Informative(Missingness):
    """Not at random: the further a value lies from its channel's median, the likelier it is to go.

    The probability is logistic, p = sigmoid(a(r) + slope * d), where d is the distance from the median in
    robust standard deviations, at most `farthest`, and a(r) makes the mean of p over the observed cells
    equal r. Each further unit multiplies the odds by exp(slope).

    Attributes:
        slope: log odds per robust standard deviation; 0 is completely at random.
        farthest: beyond this distance, in robust standard deviations, nothing changes any more.
    """

    name: ClassVar[str] = "informative"
    slope: float = 1.0
    farthest: float = 6.0

    def field(self, task: PerturbationTask, random: np.random.Generator) -> Field:
        """Return the rate at which p exceeds a uniform number: r(logit(u) - slope * d)."""
        observed = observed_cells(task)
        pull = self.slope * self._distance(task, observed)
        uniform = random.random(task.values.shape)
        field = np.ones(task.values.shape)
        with np.errstate(divide="ignore"):  # logit(0) is -inf: gone at any rate
            offset = logit(uniform[observed]) - pull
        field[observed] = _mean_rate(offset, pull)
        return field

    def _distance(self, task: PerturbationTask, observed: NDArray[np.bool_]) -> Field:
        """Return each observed value's distance from its channel's median, in steps of 1/64."""
        centre, spread = channel_spread(task.values, observed)
        scale = np.where(spread > 0, spread, np.inf)  # in a constant channel no value is far
        cells = np.nonzero(observed)
        distance = np.abs(task.values[cells] - centre[cells[2]]) / scale[cells[2]]
        return np.round(np.minimum(distance, self.farthest) * 64) / 64


def _mean_rate(offset: Field, pull: Field) -> Field:
    """Return r(a) = mean over cells of sigmoid(a + pull) at each offset a, by a table exact to about 1e-5."""
    if len(pull) == 0:
        return offset
    kinds, counts = np.unique(pull, return_counts=True)  # few: distances come in steps
    finite = offset[np.isfinite(offset)]
    grid = np.linspace(finite.min(initial=0.0), finite.max(initial=0.0), 4096)
    rate = np.zeros_like(grid)
    for kind, count in zip(kinds, counts, strict=True):
        rate += count * expit(grid + kind)
    return np.interp(offset, grid, rate / len(pull))


MECHANISMS: dict[str, Missingness] = {
    mechanism.name: mechanism
    for mechanism in (CompletelyAtRandom(), ByChannel(), ByBlock(), Informative())
}  # fmt: skip
