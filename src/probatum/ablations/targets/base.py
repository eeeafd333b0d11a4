"""What a plan's experiments change, and what a run of one executes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from probatum.ablations.plan.model import Accommodation, Configs, Experiment, PlannedRun, Resolved

if TYPE_CHECKING:
    from probatum.ablations.runner.folder import RunFolder


@dataclass(frozen=True, slots=True)
class Start:
    """How a run is executed."""

    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]  # what the plan adds to the environment
    record: Mapping[str, Any]  # what `metadata.json` keeps beside


class Target(ABC):
    """A training program that takes overrides: a script with configuration files, or a Probatum study."""

    base: Configs
    accommodations: tuple[Accommodation, ...] = ()
    prepares_ahead: ClassVar[bool] = False  # `start` makes nothing that a run which never starts would leave

    @property
    def directions(self) -> Mapping[str, bool]:
        """Return which metrics are better when higher, as far as the target itself declares it."""
        return {}

    @property
    def primary_metric(self) -> str | None:
        """Return the metric that the target itself compares runs by."""
        return None

    def check(self, experiments: tuple[Experiment, ...]) -> Iterator[str]:
        """Yield what is wrong for all experiments together."""
        yield from ()

    @abstractmethod
    def resolve(self, experiment: Experiment) -> Resolved:
        """Return the configurations of an experiment.

        Raises:
            ParameterError: an override cannot be; the message does not name the experiment.
        """

    def threads(self, run: PlannedRun) -> int | None:
        """Return how many threads a run will use whatever the engine grants; None where it heeds the engine."""
        return None

    @abstractmethod
    def written_configs(self, run: PlannedRun, folder: RunFolder, tags: Mapping[str, str]) -> Configs:
        """Return the configurations as the run's folder keeps them, with the folders and the seed set."""

    @abstractmethod
    def start(self, run: PlannedRun, folder: RunFolder, previous: Mapping[str, Any] | None) -> Start:
        """Return how to execute a run; `previous` is the record of an attempt that can be continued."""

    @abstractmethod
    def summarise(self, folder: RunFolder, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of `summary.json`.

        Raises:
            RecordError: the run ended well but left no results.
        """
