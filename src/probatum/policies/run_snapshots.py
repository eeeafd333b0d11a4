"""Any run as snapshots: those that a probe left, or what the epoch file alone gives."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum._errors import RecordError, UnknownNameError
from probatum._files import read_json
from probatum._names import unknown
from probatum.runs.journal import read_epochs
from probatum.runs.paths import RunPaths
from probatum.signals.epoch import EpochSignals
from probatum.signals.history import read_history
from probatum.signals.narrative import tell
from probatum.signals.snapshot import EpochMetrics, PrimaryMetric, Snapshot

_ENDING = "_snapshots.jsonl"


@dataclass(frozen=True)
class RunSnapshots:
    """One training of a run.

    Attributes:
        seed: None where the run does not say.
        source: The file that was read, relative to the run's folder.
        shots: Oldest first.
        has_signals: Whether a probe watched.
    """

    seed: int | None
    source: str
    shots: tuple[Snapshot, ...]
    has_signals: bool


def run_snapshots(paths: RunPaths, tag: str | None = None) -> list[RunSnapshots]:
    """Return every training of a run, with its signals where there are some.

    Args:
        paths: The run.
        tag: Only the signals under this tag; every tag where None.

    Raises:
        UnknownNameError: there is no such tag.
        RecordError: there is no whole epoch, or a file is torn.
    """
    files = {file.name.removesuffix(_ENDING): file for file in _files(paths)}
    if tag is not None and tag not in files:
        raise UnknownNameError(
            f"{unknown('tag', tag, files)} A run has signals where it was launched with --instrument_signals."
        )
    chosen = files if tag is None else {tag: files[tag]}
    found = [
        RunSnapshots(_seed(paths, name), str(file.relative_to(paths.folder)), tuple(read_history(file)), True)
        for name, file in chosen.items()
    ]
    found = [own for own in found if own.shots]
    return found or from_epochs(paths)


def from_epochs(paths: RunPaths) -> list[RunSnapshots]:
    """Return the trainings as the epoch file tells them: losses and the first metric that it has.

    Raises:
        RecordError: there is no whole epoch.
    """
    rows = read_epochs(paths.metrics_epoch) if paths.metrics_epoch.exists() else []
    if not rows:
        rows = [
            row
            for file in sorted(paths.artifacts.glob("metrics_epoch_seed*.csv"))
            for row in read_epochs(file)
        ]
    if not rows:
        raise RecordError(f"{paths.name} has no finished epoch yet, so there is nothing to advise on.")
    metric = _metric(paths, rows[0])
    seeds = list(dict.fromkeys(row.get("seed") for row in rows))
    return [
        RunSnapshots(
            seed, paths.metrics_epoch.name, _shots([r for r in rows if r.get("seed") == seed], metric), False
        )
        for seed in seeds
    ]


def _shots(rows: Sequence[Mapping[str, Any]], metric: Mapping[str, Any] | None) -> tuple[Snapshot, ...]:
    shots: list[Snapshot] = []
    for number, row in enumerate(rows, start=1):
        epoch = row["epoch"] if isinstance(row.get("epoch"), int) else number
        primary = None
        if metric is not None:
            primary = PrimaryMetric(
                metric["name"], _number(row.get(metric["name"])), metric["higher_is_better"]
            )
        metrics = EpochMetrics(
            epoch,
            train_loss=_number(row.get("train_loss")),
            val_loss=_number(row.get("val_loss")),
            val_accuracy=_number(row.get("val_accuracy")),
            train_accuracy=_number(row.get("train_accuracy")),
            primary=primary,
            accuracy_upper=_upper(metric),
        )
        shots.append(tell(EpochSignals(epoch), metrics, shots))
    return tuple(shots)


def _upper(metric: Mapping[str, Any] | None) -> float:
    is_percent = metric is not None and metric["name"] == "val_accuracy" and metric.get("upper")
    return float(metric["upper"]) if metric is not None and is_percent else 1.0


def _metric(paths: RunPaths, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    config = read_json(paths.config) if paths.config.exists() else {}
    known = config.get("metrics") if isinstance(config, dict) else None
    return next((own for own in known or [] if own.get("name") in row), None)


def _number(value: Any) -> float | None:
    """Return a number; one that is NaN or infinite stays, since it says that the run diverged."""
    if isinstance(value, str):
        return math.nan if value.strip().lower() in ("nan", "inf", "-inf", "infinity") else None
    return float(value) if isinstance(value, int | float) else None


def _files(paths: RunPaths) -> list[Path]:
    folder = paths.instrumentation_folder
    return sorted(folder.glob(f"*{_ENDING}")) if folder.is_dir() else []


def _seed(paths: RunPaths, tag: str) -> int | None:
    """Return the seed that a tag names, else the run's only one."""
    if named := re.search(r"_seed(\d+)$", tag):
        return int(named[1])
    config = read_json(paths.config) if paths.config.exists() else {}
    seeds = (config.get("seeds") or {}).get("all") if isinstance(config, dict) else None
    return seeds[0] if seeds and len(seeds) == 1 else None
