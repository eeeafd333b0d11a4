"""`plan_index.json`: every run that a plan ever had, with its summary. Nothing is dropped from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json, write_whole
from probatum.ablations.plan.lookup import shown
from probatum.ablations.plan.model import Plan
from probatum.ablations.runner.folder import PlanFolder
from probatum.ablations.runner.record import read_record
from probatum.runs.files import json_text
from probatum.runs.status import utc_now


def write_index(plan: Plan, folder: PlanFolder) -> None:
    """Write the index from the run folders; an entry whose folder is gone stays, and says so."""
    entries = {str(entry.get("run_root")): {**entry, "folder": "gone"} for entry in _earlier(folder)}
    for run in folder.all_runs():
        record = read_record(run)
        if record is not None:
            entries[str(record.get("run_root"))] = {**record, "summary": _summary(record)}
    place = shown(plan.path.resolve(), plan.root)
    text = json_text(
        {
            "schema_version": 1,
            "plan": plan.name,
            "plan_path": place,
            "generated_at": utc_now(),
            "baseline": plan.baseline,
            "primary_metric": plan.primary_metric.as_record() if plan.primary_metric else None,
            "objectives": [metric.as_record() for metric in plan.objectives],
            "experiments": list(entries.values()),
        }
    )
    write_whole(folder.index, text)


def _summary(record: Mapping[str, Any]) -> Any:
    return record.get("summary") if record.get("status") == "completed" else None


def _earlier(folder: PlanFolder) -> list[dict[str, Any]]:
    try:
        content = read_json(folder.index)
    except RecordError:
        return []
    entries = content.get("experiments") if isinstance(content, dict) else None
    return [entry for entry in entries or () if isinstance(entry, dict)]
