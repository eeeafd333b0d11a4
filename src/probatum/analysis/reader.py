"""Every run below a folder, of any of the three layouts, and what its plans declared before the first run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probatum._collector import collector_paused
from probatum._errors import RecordError
from probatum.analysis.ablation_folders import INDEX, METADATA, SUMMARY, read_ablation_run
from probatum.analysis.memory import STATE, Memory
from probatum.analysis.records import RunRecord
from probatum.analysis.run_folders import distinguish, read_run

_RUN_FILES = frozenset({"config.json", "status.json"})  # together they make a Probatum run folder
_DECLARED = ("plan", "baseline", "primary_metric", "objectives", "metrics")
_TELLING = _RUN_FILES | {METADATA, SUMMARY, INDEX}


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
    memories: dict[str, Memory] = {}
    merged: Mapping[str, bool] = {}
    with collector_paused():
        for path, names, memory in _folders(str(folder)):
            records = _records(path, names, memory)
            (found.records if METADATA in names else plain).extend(records)
            for record in records:
                if record.directions is not merged:  # runs that are remembered share theirs
                    opposed |= _merge(found.definitions, record.directions)
                    merged = record.directions
            if INDEX in names:
                opposed |= _declare(found, path, memory)
            if memory is not None:
                memories[memory.folder] = memory
        for memory in memories.values():
            memory.save()
    for name in opposed:
        del found.definitions[name]
    distinguish(plain)
    found.records = sorted([*found.records, *plain], key=_order)
    if not found.records:
        raise RecordError(
            f"{folder}: no run below it; expected folders with {METADATA}, or Probatum run folders."
        )
    return found


def remember(folder: Path | str) -> None:
    """Read every run below a folder for the next analysis, which then finds most of its work done."""
    with suppress(RecordError, OSError):
        read_results(folder)


def _order(record: RunRecord) -> tuple[Any, ...]:
    return record.plan, record.experiment, -1 if record.seed is None else record.seed, record.start_time


def _records(path: str, names: frozenset[str], memory: Memory | None) -> list[RunRecord]:
    """Return the runs that a folder holds; a plan's run from its files unless they are still what they were."""
    if METADATA not in names:
        return read_run(path) if names >= _RUN_FILES else []
    has_summary = SUMMARY in names
    if memory is None:
        return [read_ablation_run(path, has_summary=has_summary)]
    files = (METADATA, SUMMARY) if has_summary else (METADATA,)
    record = memory.run(path, files)
    if record is None:
        record = read_ablation_run(path, has_summary=has_summary)
        memory.keep_run(record, files)
    return [record]


def _folders(root: str) -> Iterator[tuple[str, frozenset[str], Memory | None]]:
    """Yield every folder that holds a run or a plan's index, with the telling names in it and its plan's memory.

    Links are not followed.
    """
    waiting: list[tuple[str, Memory | None]] = [(root, None)]
    while waiting:
        path, memory = waiting.pop()
        if memory is None and os.path.isdir(f"{path}/{STATE}"):
            memory = Memory(path)
        names, below = _listing(path, memory)
        is_run = METADATA in names or names >= _RUN_FILES
        if is_run or INDEX in names:
            yield path, names, memory
        waiting += [(folder, memory) for folder in below]


def _listing(path: str, memory: Memory | None) -> tuple[frozenset[str], list[str]]:
    """Return the telling names in a folder, and the folders below that are searched, last first."""
    if memory is not None and (known := memory.listing(path)) is not None:
        return frozenset(known[0]), known[1]
    names, below = set(), []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            elif entry.name in _TELLING:
                names.add(entry.name)
    is_run = METADATA in names or names >= _RUN_FILES
    searched = sorted(filter(_is_seed if is_run else _is_searched, below), reverse=True)
    if memory is not None:
        memory.keep_listing(path, names, searched)
    return frozenset(names), searched


def _is_seed(folder: str) -> bool:
    """Return whether a folder below a run is another seed of its experiment: `seed_42`."""
    return os.path.basename(folder).startswith("seed_")


def _is_searched(folder: str) -> bool:
    """Return whether runs may stand below: hidden folders and what a new attempt set aside hold none that count."""
    name = os.path.basename(folder)
    if name == "earlier":
        return not all(below.isdigit() for below in os.listdir(folder))
    return not name.startswith(".")


def _declare(found: Results, folder: str, memory: Memory | None) -> set[str]:
    """Take what a plan sealed before its first run; return the metrics that it gives another direction."""
    index = memory.index(folder, INDEX) if memory is not None else None
    if index is None:
        index = _read_index(f"{folder}/{INDEX}")
        if memory is not None:
            memory.keep_index(folder, INDEX, index)
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


def _read_index(path: str) -> dict[str, Any]:
    """Return what an index declares, without the runs that it lists: those have files of their own."""
    try:
        with open(path, "rb") as file:
            index = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}  # an index is a convenience: the runs' own files count
    return {name: index[name] for name in _DECLARED if name in index} if isinstance(index, dict) else {}


def _merge(known: dict[str, bool], directions: Mapping[str, bool]) -> set[str]:
    return {name for name, higher in directions.items() if known.setdefault(name, higher) != higher}
