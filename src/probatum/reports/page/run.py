"""One run folder as the report reads it: each file at its first use, damage as a note."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json, sha256_file
from probatum.reports.figures import with_added
from probatum.reproduction.record import RunRecord, read_record
from probatum.runs.folder import find_reproductions, run_id
from probatum.runs.journal import read_epochs
from probatum.runs.lenient import as_map, read_leniently
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status
from probatum.signals.reading import Artifact, read_artifact

Epochs = dict[int, float]  # a value by epoch


@dataclass
class Run:
    """A run and what it left.

    Args:
        paths: The run's folder.
        name: What the page calls it.
        role: `parent`, `child`, `baseline`, `best`; empty for a run alone.
    """

    paths: RunPaths
    name: str = ""
    role: str = ""
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = self.name or self.title

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What the run was told."""
        return read_leniently(self.paths.config, self.notes)

    @cached_property
    def results(self) -> Mapping[str, Any]:
        """What the run gave; empty where it did not end."""
        return read_leniently(self.paths.results, self.notes) if self.paths.results.exists() else {}

    @cached_property
    def evaluation(self) -> Mapping[str, Any]:
        """The evaluation after training, by split."""
        return as_map(self.results.get("evaluation"))

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Interpreter, packages and devices."""
        path = self.paths.environment_json
        return read_leniently(path, self.notes) if path.exists() else {}

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """What it learned from."""
        return read_leniently(self.paths.data, self.notes) if self.paths.data.exists() else {}

    @cached_property
    def record(self) -> RunRecord | None:
        """The files as comparisons read them; None where one is torn."""
        try:
            return read_record(self.paths)
        except RecordError as error:
            self.notes.append(str(error))
            return None

    @cached_property
    def status(self) -> str:
        """Where the run stands, in a word."""
        try:
            return read_status(self.paths).status
        except RecordError as error:
            self.notes.append(str(error))
            return "unknown"

    @property
    def experiment(self) -> Mapping[str, Any]:
        """Title, study, purpose and time."""
        return as_map(self.config.get("experiment"))

    @property
    def title(self) -> str:
        """The title that a person gave, else the folder's name."""
        return str(self.experiment.get("short_title") or self.paths.name)

    @property
    def number(self) -> str:
        """The six digits that name the run in commands, else its folder's name."""
        return run_id(self.paths.name) or self.paths.name

    @property
    def metrics(self) -> list[Mapping[str, Any]]:
        """The sealed definitions, the one that chooses first."""
        found = [own for own in self.config.get("metrics") or [] if isinstance(own, dict) and "name" in own]
        primary = next((as_map(own.document.get("convergence")) for own in self.artifacts.values()), {})
        return sorted(found, key=lambda own: f"best_{own['name']}" not in primary)

    @property
    def seeds(self) -> list[Any]:
        """The seeds that the results cover, else those that were asked for."""
        return list(self.results.get("seeds") or as_map(self.config.get("seeds")).get("all") or [])

    @cached_property
    def per_seed(self) -> list[Mapping[str, Any]]:
        """One block of results per seed."""
        several: list[Mapping[str, Any]] = [
            own for own in self.results.get("per_seed") or [] if isinstance(own, dict)
        ]
        return several or ([self.results] if self.results else [])

    def values(self, metric: str, which: str = "best") -> dict[int | str, float]:
        """Return a metric by seed, at the best or at the last epoch."""
        found: dict[int | str, float] = {}
        for own in self.per_seed:
            value = as_map(as_map(own.get("metrics")).get(metric)).get(which)
            if isinstance(value, int | float):
                found[own.get("seed", "")] = float(value)
        return found

    @cached_property
    def epochs(self) -> dict[str, dict[str, Epochs]]:
        """The epochs' values by column and seed; of a run that goes on, those that its seeds have written."""
        whole = self.paths.metrics_epoch
        files = [whole] if whole.exists() else sorted(self.paths.artifacts.glob("metrics_epoch_seed*.csv"))
        try:
            return by_column([row for path in files for row in read_epochs(path)])
        except RecordError as error:
            self.notes.append(str(error))
            return {}

    @cached_property
    def artifacts(self) -> dict[str, Artifact]:
        """The signals by tag, one tag per seed."""
        found: dict[str, Artifact] = {}
        for path in sorted(self.paths.instrumentation_folder.glob("*.json")):
            try:
                found[path.stem] = read_artifact(path)
            except RecordError as error:
                self.notes.append(str(error))
        return found

    def curves(self, artifact: Artifact) -> dict[str, Any]:
        """Return an artifact's robustness curves with those that `perturb` added to the finished run."""
        seed = as_map(artifact.document.get("provenance")).get("seed")
        path = self.paths.perturbations(f"curves_seed{seed}")
        added = read_leniently(path, self.notes) if path.exists() else {}
        return with_added(artifact.document.get("perturbations") or {}, added)

    @cached_property
    def trajectories(self) -> dict[str, list[Mapping[str, Any]]]:
        """What each seed's study followed epoch by epoch."""
        found = {}
        for seed in self.seeds:
            path = self.paths.seed_trajectory(seed)
            rows = read_json(path) if path.exists() else []
            if isinstance(rows, list) and rows:
                found[str(seed)] = [row for row in rows if isinstance(row, dict) and "epoch" in row]
        return found

    @cached_property
    def reproduction(self) -> Mapping[str, Any]:
        """The report of the newest reproduction; empty where there is none."""
        own = [self.paths] if self.paths.reproduction_report.exists() else find_reproductions(self.paths)[-1:]
        reports = [paths.reproduction_report for paths in own if paths.reproduction_report.exists()]
        return read_leniently(reports[-1], self.notes) if reports else {}

    @cached_property
    def manifest(self) -> list[tuple[str, str]]:
        """Each sealed file with its SHA-256."""
        if not self.paths.manifest.exists():
            return []
        lines = self.paths.manifest.read_text("utf-8").splitlines()
        return [(name, digest) for digest, _, name in (line.partition("  ") for line in lines) if name]

    @property
    def manifest_sha256(self) -> str:
        """The hash over the hashes."""
        return sha256_file(self.paths.manifest) if self.paths.manifest.exists() else ""


def by_column(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Epochs]]:
    """Return epoch rows by column and seed, without what was not measured.

    Example:
        >>> by_column([{"seed": 1, "epoch": 1, "val_loss": 0.5}, {"seed": 1, "epoch": 2, "val_loss": None}])
        {'val_loss': {'1': {1: 0.5}}}
    """
    found: dict[str, dict[str, Epochs]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in {"seed", "epoch"} and isinstance(value, int | float) and math.isfinite(value):
                found.setdefault(name, {}).setdefault(str(row.get("seed", "")), {})[int(row["epoch"])] = value
    return found
