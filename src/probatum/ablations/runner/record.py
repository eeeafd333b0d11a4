"""`metadata.json`: what a run was told, where it stands, and what became of it.

Source: seed 001 and AbProp fact sheet, section 10, for the keys; statuses are those of DESIGN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from probatum._errors import RecordError
from probatum._files import read_json
from probatum.ablations.plan.lookup import shown
from probatum.ablations.plan.model import BLOCKS, Configs, Plan, PlannedRun
from probatum.ablations.runner.folder import RunFolder
from probatum.ablations.targets.base import Start
from probatum.runs.files import Group, json_text

SCHEMA_VERSION = 1
_TEXTS: dict[str, str] = {}
_MOST_TEXTS = 64
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_SECRET = re.compile(r"token|secret|password|passwd|credential|api_?key|access_?key", re.IGNORECASE)


class _Dumper(_DUMPER):
    """Writes every list in full: an alias would tie two values together that are none."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: no anchors."""
        return True


def write_configs(folder: RunFolder, configs: Configs) -> None:
    """Write `configs/{train,model,data}.yaml`."""
    configs_folder = folder.config("train").parent
    configs_folder.mkdir(parents=True, exist_ok=True)
    with Group(configs_folder, durable=False) as group:
        for block in BLOCKS:
            group.add(folder.config(block).name, _yaml(configs[block]))


def _yaml(block: Mapping[str, Any]) -> str:
    """Return a block as YAML; most runs of a plan share most of their blocks, and `repr` tells 1 from 1.0."""
    key = repr(block)
    if key not in _TEXTS:
        if len(_TEXTS) >= _MOST_TEXTS:
            _TEXTS.clear()
        _TEXTS[key] = yaml.dump(dict(block), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return _TEXTS[key]


def run_tags(plan: Plan, run: PlannedRun) -> dict[str, str]:
    """Return the tags of a run: the plan's, the experiment's name, and its own, as MLflow takes them."""
    own = {name: str(value) for name, value in run.experiment.tags.items() if value is not None}
    return {"ablation_plan": plan.name, "ablation_experiment": run.experiment.name, **own}


def first_record(plan: Plan, run: PlannedRun, folder: RunFolder) -> dict[str, Any]:
    """Return the record of a run before it starts."""
    experiment, root = run.experiment, plan.root
    used = {*plan.accommodations, *run.resolved.accommodations}
    return {
        "schema_version": SCHEMA_VERSION,
        "plan": plan.name,
        "experiment": experiment.name,
        "description": experiment.description,
        "status": "planned",
        "seed": run.seed,
        "tags": dict(experiment.tags),
        "config_hash": run.config_hash,
        "overrides": [str(difference) for difference in run.differences(plan.base)],
        "set": list(plan.sets),
        "accommodations": [a.as_record() for a in sorted(used, key=lambda a: (a.rule, a.written))],
        "run_root": shown(folder.folder, root),
        "config_paths": {block: shown(folder.config(block), root) for block in BLOCKS},
        "command": [],
        "start_time": None,
        "end_time": None,
        "duration_seconds": None,
        "returncode": None,
        "error": None,
        "attempts": [],
    }


def started(record: Mapping[str, Any], start: Start, engine: str, time: str) -> dict[str, Any]:
    """Return the record of a run that starts now."""
    env = {name: "(hidden)" if _SECRET.search(name) else value for name, value in sorted(start.env.items())}
    own = {"command": list(start.command), "env": env, "start_time": time, "engine": engine}
    return {**record, **start.record, **own, "status": "running"}


def write_started(folder: RunFolder, record: Mapping[str, Any]) -> None:
    """Write `metadata.json` of a run that began; a power loss may take it along with the run itself."""
    with Group(folder.folder, durable=False) as group:
        group.add(folder.metadata.name, json_text(record))


def write_ended(folder: RunFolder, record: Mapping[str, Any], summary: Mapping[str, Any] | None) -> None:
    """Write `metadata.json` of a run that ended, and its `summary.json` where it has one, to the disk."""
    with Group(folder.folder) as group:
        if summary is not None:
            group.add(folder.summary.name, json_text({"schema_version": SCHEMA_VERSION, **summary}))
        group.add(folder.metadata.name, json_text(record))


def read_record(folder: RunFolder) -> dict[str, Any] | None:
    """Return the record of a run, or None where there is none, or none that can be read."""
    try:
        record = read_json(folder.metadata)
    except RecordError:
        return None
    return record if isinstance(record, dict) else None


def is_completed(run: PlannedRun, folder: RunFolder) -> bool:
    """Return whether a run exists: completed with the hash that the plan gives it now, and nothing less."""
    record = read_record(folder) or {}
    return record.get("status") == "completed" and record.get("config_hash") == run.config_hash


def last_lines(folder: RunFolder, count: int = 12) -> list[str]:
    """Return the last lines of what a run complained of, or else of what it printed."""
    for path in (folder.stderr, folder.stdout):
        lines = [line for line in _tail(path).splitlines() if line.strip()]
        if lines:
            return lines[-count:]
    return []


def _tail(path: Path, size: int = 16_384) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
