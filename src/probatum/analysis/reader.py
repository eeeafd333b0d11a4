"""Every run below a folder, of any of the three layouts, and what its plans declared before the first run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum.analysis.ablation_folders import INDEX, METADATA, SUMMARY, read_ablation_run
from probatum.analysis.records import RunRecord
from probatum.analysis.run_folders import distinguish, read_run

_RUN_FILES = frozenset({"config.json", "status.json"})  # together they make a Probatum run folder


@dataclass
class Results:
    """What stands below a folder."""

    folder: Path
    records: list[RunRecord] = field(default_factory=list)
    definitions: dict[str, bool] = field(default_factory=dict)  # metric -> higher is better
    declared: dict[str, Any] = field(default_factory=dict)  # primary_metric, objectives
    baselines: dict[str, str] = field(default_factory=dict)  # plan -> the experiment that it sealed


def read_results(folder: Path | str) -> Results:
    """Return every run below a folder, by plan, experiment and seed.

    A run's folder is not searched for further runs. A metric that runs define with opposite directions has
    none.

    Raises:
        RecordError: the folder is missing, or no run stands below it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordError(
            f"{folder}: expected a folder with results, found none. Run `probatum ablate` first."
        )
    found, plain = Results(folder), []
    opposed: set[str] = set()
    for path, names in _folders(str(folder)):
        if METADATA in names:
            record = read_ablation_run(path, has_summary=SUMMARY in names)
            found.records.append(record)
            opposed |= _merge(found.definitions, record.directions)
        elif names >= _RUN_FILES:
            for record in read_run(path):
                plain.append(record)
                opposed |= _merge(found.definitions, record.directions)
        if INDEX in names:
            opposed |= _declare(found, f"{path}/{INDEX}")
    for name in opposed:
        del found.definitions[name]
    distinguish(plain)
    found.records = sorted([*found.records, *plain], key=_order)
    if not found.records:
        raise RecordError(
            f"{folder}: no run below it; expected folders with {METADATA}, or Probatum run folders."
        )
    return found


def _order(record: RunRecord) -> tuple[Any, ...]:
    return record.plan, record.experiment, -1 if record.seed is None else record.seed, record.start_time


def _folders(root: str) -> Iterator[tuple[str, set[str]]]:
    """Yield every folder that holds a run or a plan's index, with the names in it; links are not followed."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        names, below = set(), []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                else:
                    names.add(entry.name)
        is_run = METADATA in names or names >= _RUN_FILES
        if is_run or INDEX in names:
            yield path, names
        waiting += sorted(filter(_is_seed if is_run else _is_searched, below), reverse=True)


def _is_seed(folder: str) -> bool:
    """Return whether a folder below a run is another seed of its experiment: `seed_42`."""
    return os.path.basename(folder).startswith("seed_")


def _is_searched(folder: str) -> bool:
    """Return whether runs may stand below: hidden folders and what a new attempt set aside hold none that count."""
    name = os.path.basename(folder)
    if name == "earlier":
        return not all(below.isdigit() for below in os.listdir(folder))
    return not name.startswith(".")


def _declare(found: Results, path: str) -> set[str]:
    """Take what a plan sealed before its first run; return the metrics that it gives another direction."""
    try:
        with open(path, "rb") as file:
            index = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return set()  # an index is a convenience: the runs' own files count
    if not isinstance(index, dict):
        return set()
    for name in ("primary_metric", "objectives"):
        if index.get(name):
            found.declared.setdefault(name, index[name])
    if isinstance(index.get("baseline"), str):
        found.baselines[str(index.get("plan"))] = index["baseline"]
    definitions = index.get("metrics") if isinstance(index.get("metrics"), list) else []
    directions = {
        str(metric["name"]): bool(metric["higher_is_better"])
        for metric in definitions or []
        if isinstance(metric, dict) and {"name", "higher_is_better"} <= metric.keys()
    }
    return _merge(found.definitions, directions)


def _merge(known: dict[str, bool], directions: Mapping[str, bool]) -> set[str]:
    return {name for name, higher in directions.items() if known.setdefault(name, higher) != higher}
