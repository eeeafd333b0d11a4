"""What a policy acts on: training runs that can be observed, intervened in, and forked.

A study offers an environment; packs and policies know the interface and no study. Several runs go side by side,
because small models train faster together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from probatum.signals.features import FeatureSchema
from probatum.signals.snapshot import Snapshot


@dataclass(frozen=True)
class EpisodeSettings:
    """Everything that an episode is told; the same settings give the same episode under the same actions."""

    seed: int  # weights, order of the batches, dropout, probes
    cause: str = (
        "none"  # a hidden fault of the run that an intervention can mend; never part of an observation
    )
    overrides: Mapping[str, Any] = field(default_factory=dict)  # of the study's parameters


@dataclass(frozen=True)
class Observed:
    """What is known at the end of an epoch; `signals.features` makes the vector of it.

    Attributes:
        epoch: Epochs trained so far, from 1.
        snapshot: The epoch with its signals, flags and narrative; accuracies in percent.
        recent: The last snapshots, oldest first, this one included, as many as the features look back on.
        slot: The slot's state by the names of `signals.features.SEED_STATE`.
        facts: Numbers that rules may use although they are no feature, such as `total_improvement` in points.
        allowed: For each action, whether it would be carried out now.
        budget: Epochs left.
    """

    epoch: int
    snapshot: Snapshot
    recent: tuple[Snapshot, ...]
    slot: Mapping[str, float]
    facts: Mapping[str, float]
    allowed: tuple[bool, ...]
    budget: int

    @property
    def is_last(self) -> bool:
        """Whether the budget is spent: no action follows."""
        return self.budget <= 0


class Environment(ABC):
    """Runs of one study side by side, each with its own seed and its own history of interventions.

    `reset` trains the first epoch; every `step` carries the actions out and trains one more. Validation data make
    the observations; the test split is read by `test_accuracy` alone, once, at the end.
    """

    study: ClassVar[str]
    actions: ClassVar[tuple[str, ...]]  # WAIT first

    @property
    @abstractmethod
    def schema(self) -> FeatureSchema:
        """Names and order of an observation's features."""

    @property
    @abstractmethod
    def max_epochs(self) -> int:
        """The budget of an episode."""

    @abstractmethod
    def reset(self, settings: Sequence[EpisodeSettings]) -> list[Observed]:
        """Begin an episode for each of the settings."""

    @abstractmethod
    def step(self, actions: Sequence[int]) -> list[Observed]:
        """Carry out one action per run, train one epoch, and return what is then known."""

    @abstractmethod
    def fork(self, index: int) -> Environment:
        """Return an environment of one run, an exact copy of run `index`: same actions, same numbers."""

    @abstractmethod
    def test_accuracy(self) -> list[float]:
        """Return the accuracy of each run on the test split, in percent."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what the runs have in common: study, parameters, telemetry, data with checksums."""
