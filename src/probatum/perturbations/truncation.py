"""Records that are cut short, from a named end.

Which end goes matters: without the newest data a prediction must be made earlier; without the oldest the
history is lost. Both are shares of each sample's own length, so that padding is never counted as data.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from probatum.perturbations.masks import observed_cells, without
from probatum.perturbations.names import Kind
from probatum.perturbations.perturbation import Damage, Perturbation
from probatum.perturbations.task import PerturbationTask, Values

Steps = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Truncation(Perturbation):
    """Keep a share of each sample's steps: at least one, unless the share is 0."""

    kind: ClassVar[Kind] = "truncation"
    neutral: ClassVar[float] = 1.0
    largest: ClassVar[float] = 1.0
    is_random: ClassVar[bool] = False

    @abstractmethod
    def gone(self, step: Steps, lengths: Steps, kept: Steps) -> NDArray[np.bool_]:
        """Return which steps go, `(samples, steps)`.

        Args:
            step: `(steps,)`, from 0.
            lengths: `(samples, 1)`.
            kept: `(samples, 1)`, how many steps of each sample stay.
        """

    def requested_rate(self, strength: float) -> float:
        """Return the share of steps that is meant to go, 1 - keep_ratio."""
        return 1.0 - strength

    def draw(self, task: PerturbationTask, random: np.random.Generator) -> Damage:
        """Return the function from a keep ratio to what is left of the observations; draws nothing."""
        lengths = np.asarray(task.lengths)[:, None]  # (samples, 1)
        step, observed = np.arange(task.values.shape[1]), observed_cells(task)

        def truncate(keep_ratio: float) -> Values:
            gone = self.gone(step, lengths, steps_kept(lengths, keep_ratio))
            return without(task.values, gone[:, :, None] & observed)

        return truncate


@dataclass(frozen=True)
class KeepEarliest(Truncation):
    """The newest data go: the prediction is made earlier."""

    name: ClassVar[str] = "keep_earliest"

    def gone(self, step: Steps, lengths: Steps, kept: Steps) -> NDArray[np.bool_]:
        """Return the steps from the first that is not kept on."""
        return step >= kept


@dataclass(frozen=True)
class KeepLatest(Truncation):
    """The oldest data go: the history is lost."""

    name: ClassVar[str] = "keep_latest"

    def gone(self, step: Steps, lengths: Steps, kept: Steps) -> NDArray[np.bool_]:
        """Return the steps before the last ones of the sample's own length."""
        return step < lengths - kept


def steps_kept(lengths: Steps, keep_ratio: float) -> Steps:
    """Return how many steps stay: keep_ratio times the length, rounded up.

    Example:
        >>> steps_kept(np.array([48, 30, 1]), 0.1).tolist()
        [5, 3, 1]
    """
    exact = np.round(keep_ratio * lengths, 9)  # 0.1 * 30 is 3.0000000000000004: three steps, not four
    return np.ceil(exact).astype(np.int64)


ENDS: dict[str, Truncation] = {end.name: end for end in (KeepEarliest(), KeepLatest())}
