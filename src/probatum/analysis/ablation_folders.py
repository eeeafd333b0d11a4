"""Runs of `ablate`, and of AbProp's own runner: `metadata.json` and `summary.json` in each run's folder.

What AbProp's runner left wrong is not believed: numbers beside a run that did not complete belong to an
earlier attempt, dry runs were never run, and NaN in a summary is no number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from probatum.analysis.records import RunRecord, flatten, number

METADATA, SUMMARY, INDEX = "metadata.json", "summary.json", "plan_index.json"
_NOT_VALUES = frozenset({"schema_version", "seed", "training_seconds", "startup_seconds", "duration_seconds"})


def read_ablation_run(folder: str, *, has_summary: bool) -> RunRecord:
    """Return the run in a folder; a torn file leaves a record with a note, never an error.

    Args:
        folder: Where `metadata.json` stands.
        has_summary: Whether `summary.json` stands there too.
    """
    notes: list[str] = []
    metadata = _read(f"{folder}/{METADATA}", notes)
    record = _head(metadata, folder)
    summary = _read(f"{folder}/{SUMMARY}", notes) if has_summary else _map(metadata.get("summary"))
    if metadata.get("dry_run"):
        notes.append("a dry run: nothing was run")
        record.status = "skipped"
    if record.status == "completed":
        _take(record, metadata, summary, notes)
    elif summary:
        notes.append(
            f"{record.status}: the numbers of its summary are not used, they may be an earlier run's"
        )
    record.note = "; ".join(notes)
    return record


def _head(metadata: Mapping[str, Any], folder: str) -> RunRecord:
    plan, experiment = folder.rstrip("/").split("/")[-2:] if "/" in folder.rstrip("/") else ("", folder)
    seed, code = number(metadata.get("seed")), number(metadata.get("returncode"))
    return RunRecord(
        plan=str(metadata.get("plan") or plan),
        experiment=str(metadata.get("experiment") or experiment),
        status=str(metadata.get("status") or "interrupted"),
        run_root=folder,
        seed=None if seed is None else int(seed),
        returncode=None if code is None else int(code),
        duration_seconds=number(metadata.get("duration_seconds")),
        tags={name: value for name, value in _map(metadata.get("tags")).items() if name != "seed"},
        start_time=str(metadata.get("start_time") or ""),
    )


def _take(
    record: RunRecord, metadata: Mapping[str, Any], summary: Mapping[str, Any], notes: list[str]
) -> None:
    """Put the summary's numbers into the record, and training time apart from start-up."""
    plain = {key: value for key, value in summary.items() if key not in _NOT_VALUES}
    best = _map(plain.pop("best", None))
    record.values = flatten(plain) | _best_values(best)
    record.directions = {
        name: found["higher_is_better"]
        for name, found in best.items()
        if isinstance(found, dict) and isinstance(found.get("higher_is_better"), bool)
    }
    if not record.values:
        notes.append("completed without a summary")
    lost = [name for name, value in record.values.items() if value is None]
    if lost:
        notes.append(f"not finite: {', '.join(lost)}")
    for place, source in ((summary, SUMMARY), (metadata, METADATA)):
        if (seconds := number(place.get("training_seconds"))) is not None:
            record.training_seconds, record.training_seconds_source = seconds, source
            return
    step, steps = record.values.get("step_time_avg"), record.values.get("final_step")
    if step is not None and steps is not None:
        record.training_seconds = step * steps
        record.training_seconds_source = "step_time_avg x final_step"
        if record.duration_seconds is not None and record.training_seconds > record.duration_seconds:
            notes.append("step_time_avg x final_step exceeds the run's duration")


def _best_values(best: Mapping[str, Any]) -> dict[str, float | None]:
    """Return `best_NAME` and `best_step_NAME` of every metric whose direction the runner knew."""
    values: dict[str, float | None] = {}
    for name, found in best.items():
        if isinstance(found, dict):
            values[f"best_{name}"] = number(found.get("value"))
            if (step := number(found.get("step"))) is not None:
                values[f"best_step_{name}"] = step
        else:
            values[f"best_{name}"] = number(found)
    return values


def _read(path: str, notes: list[str]) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            return _map(json.loads(file.read()))
    except (OSError, ValueError, RecursionError) as error:
        notes.append(f"{path.rpartition('/')[2]} cannot be read ({type(error).__name__})")
        return {}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
