"""Plain Probatum run folders: one record per seed, with every metric at the best and at the last epoch."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum.analysis.records import RunRecord, flatten, number
from probatum.runs.folder import run_id
from probatum.runs.lenient import as_map, read_leniently
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status

_SEEDS = frozenset({"seed", "seeds"})


def read_run(folder: str) -> list[RunRecord]:
    """Return a run's records, one per seed.

    The experiment is the run's short title; runs of one title with different overrides are told apart by
    `distinguish`. Columns are `metrics_NAME_best_epoch`, `metrics_NAME_last_epoch` and `eval_SPLIT_METRIC`.
    """
    paths, notes = RunPaths(Path(folder)), []
    config = read_leniently(paths.config, notes)
    status = _status(paths, notes)
    results = read_leniently(paths.results, notes) if status == "completed" else {}
    experiment = as_map(config.get("experiment"))
    title = str(experiment.get("short_title") or paths.name)
    study, created = str(experiment.get("study") or ""), str(experiment.get("created") or "")
    evaluated = _evaluations(paths, notes) if results else {}
    directions = _directions(config)
    records = []
    for seed, result in _by_seed(results, config):
        record = RunRecord(study, title, status, folder, seed, tags=_tags(config), start_time=created)
        record.variant = _variant(config)
        record.values = _values(result) | evaluated.get(seed, {})
        _times(record, paths, seed)
        record.note = "; ".join(notes)
        record.directions = directions
        records.append(record)
    return records


def distinguish(records: list[RunRecord]) -> None:
    """Give experiments of one title and different overrides different names: the id of their first run."""
    variants: dict[tuple[str, str], dict[str, str]] = {}
    for record in sorted(records, key=lambda record: record.run_root):
        name = Path(record.run_root).name
        named = variants.setdefault((record.plan, record.experiment), {})
        named.setdefault(record.variant, run_id(name) or name)
    for record in records:
        named = variants[record.plan, record.experiment]
        if len(named) > 1:
            record.experiment = f"{record.experiment}_{named[record.variant]}"


def _variant(config: Mapping[str, Any]) -> str:
    """Return every parameter but the seeds, as a text."""
    parameters = as_map(config.get("parameters"))
    return repr(sorted((name, repr(value)) for name, value in parameters.items() if name not in _SEEDS))


def _tags(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was changed: the overrides but for the seeds."""
    changed = {name: value for name, value in as_map(config.get("overrides")).items() if name not in _SEEDS}
    return {
        name: value if isinstance(value, str | int | float) else str(value) for name, value in changed.items()
    }


def _by_seed(
    results: Mapping[str, Any], config: Mapping[str, Any]
) -> list[tuple[int | None, Mapping[str, Any]]]:
    several = [result for result in results.get("per_seed") or [] if isinstance(result, dict)]
    if several:
        return [(_seed(result), result) for result in several]
    seeds = as_map(config.get("seeds")).get("all") or [None]
    return [(_seed({"seed": seed}), results) for seed in seeds[: 1 if results else None]]


def _seed(result: Mapping[str, Any]) -> int | None:
    seed = number(result.get("seed"))
    return None if seed is None else int(seed)


def _values(result: Mapping[str, Any]) -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    for name, value in as_map(result.get("metrics")).items():
        if isinstance(value, dict):
            values[f"metrics_{name}_best_epoch"] = number(value.get("best"))
            values[f"metrics_{name}_last_epoch"] = number(value.get("last"))
    for name in ("best_epoch", "last_epoch"):
        if (epoch := number(result.get(name))) is not None:
            values[name] = epoch
    return values


def _evaluations(paths: RunPaths, notes: list[str]) -> dict[int | None, dict[str, float | None]]:
    """Return the numbers of the evaluation after training, by seed."""
    if not paths.eval_results.exists():
        return {}
    rows = [
        row
        for row in read_leniently(paths.eval_results, notes).get("per_seed") or []
        if isinstance(row, dict)
    ]
    return {
        _seed(row): flatten({name: value for name, value in row.items() if name != "seed"}, "eval_")
        for row in rows
    }


def _times(record: RunRecord, paths: RunPaths, seed: int | None) -> None:
    """Take training apart from the rest of an epoch, where the run timed its epochs."""
    if seed is None or not (path := paths.seed_timing(seed)).exists():
        return
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        record.duration_seconds = sum(float(row["duration_seconds"]) for row in rows)
        record.training_seconds = sum(float(row["train_seconds"]) for row in rows)
        record.training_seconds_source = path.name
    except (OSError, ValueError, KeyError, TypeError):
        record.duration_seconds = record.training_seconds = None


def _directions(config: Mapping[str, Any]) -> dict[str, bool]:
    definitions = config.get("metrics")
    return {
        str(metric["name"]): bool(metric.get("higher_is_better"))
        for metric in (definitions if isinstance(definitions, list) else [])
        if isinstance(metric, dict) and "name" in metric
    }


def _status(paths: RunPaths, notes: list[str]) -> str:
    try:
        return read_status(paths).status
    except RecordError as error:
        notes.append(str(error))
        return "interrupted"
