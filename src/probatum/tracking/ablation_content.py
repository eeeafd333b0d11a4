"""A run of a plan as a tracking store sees it: its own files, and its study's run folder where it has one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from probatum._errors import RecordError
from probatum._files import read_json
from probatum.ablations.plan.model import BLOCKS
from probatum.ablations.runner.folder import RunFolder
from probatum.ablations.runner.record import read_record
from probatum.ablations.targets.results import Results, read_values
from probatum.analysis.records import number
from probatum.runs.folder import runs_root
from probatum.runs.paths import RunPaths
from probatum.tracking.artifacts import artifacts_of
from probatum.tracking.content import (
    ENDED,
    Point,
    RunContent,
    mapping,
    milliseconds,
    parameters_of,
    texts,
    with_finals,
)
from probatum.tracking.study_content import read_study_run

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STATUSES = {"pending": "planned", "skipped": "planned"}  # as AbProp's own runner spells them
_PLACES = ("output_dir", "log_dir", "checkpoint_dir", "mlflow")  # in train.yaml: where, not what
_ABPROP = {"file": "logs/abprop-train.csv", "format": "long"}
_SUMMARY = ("loss_min", "loss_mean", "step_time_avg", "final_step")
_UNSAFE = re.compile(r"[^\w\-./:@#+]")  # in a search for the key


def read_ablation(folder: RunFolder, choice: str = "records", root: Path | None = None) -> RunContent | None:
    """Return what a run of a plan says; None for one that has not begun, or was a dry run.

    Args:
        folder: The run's folder in the plan's.
        choice: Which files go along: `records`, `all` or `none`.
        root: Where the run folders of studies stand, where the record does not lead to them.
    """
    record = read_record(folder) or {}
    status = _STATUSES.get(str(record.get("status")), str(record.get("status")))
    start = milliseconds(record.get("start_time"))
    if start is None or record.get("dry_run") or status not in (*ENDED, "running"):
        return None
    configs = {block: _config(folder.config(block)) for block in BLOCKS}
    paths = study_run(record, root)
    study = read_study_run(paths, choice, "run/") if paths else None
    files, left_out = artifacts_of(folder.folder, choice)
    names = run_names(folder, record)
    own = RunContent(
        key=_UNSAFE.sub("_", _key(record, names)),
        name="/".join(names[1:]),
        experiment=str(mapping(configs["train"].get("mlflow")).get("experiment_name") or names[0]),
        status=status,
        start_ms=start,
        end_ms=milliseconds(record.get("end_time")),
        parameters={**parameters_of(_told(configs)), **_seed(record)},
        tags=_tags(record, names, left_out),
        series={},
        artifacts=files,
    )
    if study is None:
        return replace(own, series=_series(folder, record, own))
    return _joined(own, study)


def study_run(record: Mapping[str, Any], root: Path | None = None) -> RunPaths | None:
    """Return the study's run folder that a record names, where it can be found."""
    name = record.get("run")
    if not isinstance(name, str) or not name or "/" in name or name.startswith("."):
        return None
    made = mapping(record.get("env")).get("EXPERIMENT_DIR")
    roots = (root, record.get("runs_root"), Path(str(made)).parent if made else None, runs_root())
    found = (Path(place) / name for place in roots if place)
    return next((RunPaths(folder) for folder in found if folder.is_dir()), None)


def run_names(folder: RunFolder, record: Mapping[str, Any]) -> list[str]:
    """Return plan, experiment and, where seeds have folders of their own, `seed_N`."""
    place = folder.folder.resolve()
    seed = [place.name] if place.name.startswith("seed_") else []
    above = place.parent if seed else place
    return [
        str(record.get("plan") or above.parent.name),
        str(record.get("experiment") or above.name),
        *seed,
    ]


def _key(record: Mapping[str, Any], names: list[str]) -> str:
    host = mapping(record.get("place")).get("host") or ""
    return f"{'/'.join(names)}@{host}@{record['start_time']}#{str(record.get('config_hash'))[:12]}"


def _joined(own: RunContent, study: RunContent) -> RunContent:
    """Return one run: the study's identity and numbers, the plan's name and tags."""
    return replace(
        own,
        key=study.key,  # a resumed run is still the same
        start_ms=study.start_ms,
        parameters={**study.parameters, **{n: v for n, v in own.parameters.items() if n == "seed"}},
        tags={**study.tags, **own.tags},
        series=study.series,
        artifacts=(*own.artifacts, *study.artifacts),
    )


def _told(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    train = {name: value for name, value in configs["train"].items() if name not in _PLACES}
    return {block: values for block, values in {**configs, "train": train}.items() if values}


def _seed(record: Mapping[str, Any]) -> dict[str, str]:
    return {} if record.get("seed") is None else {"seed": str(record["seed"])}


def _tags(record: Mapping[str, Any], names: list[str], left_out: int) -> dict[str, str]:
    return texts(
        {
            "ablation_plan": names[0],
            "ablation_experiment": names[1],
            **mapping(record.get("tags")),
            "seed": record.get("seed"),
            "probatum.config_hash": record.get("config_hash"),
            "probatum.engine": record.get("engine"),
            "probatum.error": record.get("error"),
            "probatum.files_left_out": left_out or None,
            "probatum.run_folder": record.get("run_root"),
            "probatum.status": record.get("status"),
            "mlflow.note.content": record.get("description"),
        }
    )


def _series(folder: RunFolder, record: Mapping[str, Any], run: RunContent) -> dict[str, tuple[Point, ...]]:
    """Return every measured series, at the run's start: these files tell steps and no times."""
    declared = mapping(record.get("results") or _ABPROP)
    results = Results(str(declared.get("file")), str(declared.get("format")))
    found: dict[str, list[Point]] = {}
    try:
        values = read_values(folder.artifacts, results, is_whole=run.is_ended)
    except RecordError:
        values = []  # a run that measured nothing still has parameters, a status and a log
    for value in values:
        points = found.setdefault(value.name, [])
        points.append(Point(len(points) if value.step is None else value.step, value.value, run.start_ms))
    series = {name: tuple(points) for name, points in found.items()}
    return with_finals(series, _finals(folder, run)) if run.status == "completed" else series


def _finals(folder: RunFolder, run: RunContent) -> Iterator[tuple[str, Point]]:
    """Yield the summary's numbers for the whole run, the best value of a metric as `best_NAME` at its step."""
    try:
        summary = mapping(read_json(folder.summary))
    except RecordError:
        return
    time = run.end_ms or run.start_ms
    for name in _SUMMARY:
        if (value := number(summary.get(name))) is not None:
            yield name, Point(0, float(value), time)
    for name, best in mapping(summary.get("best")).items():
        if (value := number(mapping(best).get("value"))) is not None:
            yield f"best_{name}", Point(int(number(mapping(best).get("step")) or 0), float(value), time)


def _config(path: Path) -> Mapping[str, Any]:
    try:
        return mapping(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER))  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
