"""A plan once it is understood: frozen, every run resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.ablations.plan.merge import Difference, differences
from probatum.ablations.plan.names import folder_name
from probatum.ablations.plan.source import PlanFile, Steps

if TYPE_CHECKING:
    from probatum.ablations.targets.base import Target

BLOCKS = ("train", "model", "data")
Configs = Mapping[str, Mapping[str, Any]]  # the three blocks, resolved


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, and which way is better (None where nobody said)."""

    name: str
    higher_is_better: bool | None

    def as_record(self) -> dict[str, Any]:
        """Return the metric as plain JSON."""
        return {"name": self.name, "higher_is_better": self.higher_is_better}


@dataclass(frozen=True, slots=True)
class Accommodation:
    """Where something else was used than the plan says, and why: recorded, never silent."""

    rule: str
    written: str
    used: str
    reason: str

    def as_record(self) -> dict[str, str]:
        """Return the accommodation as plain JSON."""
        return {"rule": self.rule, "written": self.written, "used": self.used, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named set of overrides."""

    name: str
    description: str
    overrides: Configs
    tags: Mapping[str, Any]
    env: Mapping[str, str]
    extra_args: tuple[str, ...]
    seeds: tuple[int | None, ...]
    has_seed_folders: bool  # `seeds` was declared: one folder each below the experiment's
    file: PlanFile
    steps: Steps

    @property
    def where(self) -> str:
        """`file:line: path` of the experiment."""
        return self.file.where(self.steps)

    @property
    def folder(self) -> str:
        """The name of the experiment's folder."""
        return folder_name(self.name)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a target makes of an experiment: configurations and identity."""

    configs: Configs
    identity: Mapping[str, Any]  # what determines the result beside the seed, plain JSON
    accommodations: tuple[Accommodation, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One experiment with one seed."""

    experiment: Experiment
    seed: int | None
    resolved: Resolved
    config_hash: str  # SHA-256 of what determines the result
    place: tuple[str, ...]  # the folder below the plan's

    @property
    def key(self) -> str:
        """`experiment` or `experiment/seed_N`: unique in the plan, and the folder below the plan's."""
        return "/".join(self.place)

    def differences(self, base: Configs) -> list[Difference]:
        """Return what the run changes in the base configurations."""
        return differences(base, self.resolved.configs)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an ablation needs to know before it starts."""

    name: str
    path: Path
    root: Path  # what relative paths of the plan are taken from
    output: Path  # holds a folder per plan, and the ledger
    target: Target
    experiments: tuple[Experiment, ...]  # all, also those that a filter leaves out
    runs: tuple[PlannedRun, ...]  # the selected ones, in the plan's order
    baseline: str | None
    primary_metric: Metric | None
    objectives: tuple[Metric, ...]
    sets: tuple[str, ...] = ()
    accommodations: tuple[Accommodation, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def folder(self) -> Path:
        """The folder of all that the plan leaves."""
        return self.output / folder_name(self.name)

    @property
    def base(self) -> Configs:
        """The configurations that experiments change."""
        return self.target.base
