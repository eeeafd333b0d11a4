"""A study's run folder as a tracking store sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json
from probatum.analysis.records import flatten, number
from probatum.runs.journal import read_epochs
from probatum.runs.paths import RunPaths
from probatum.runs.status import StatusRecord, read_status
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

_NOT_METRICS = frozenset({"seed", "epoch"})


def read_study_run(paths: RunPaths, choice: str = "records", below: str = "") -> RunContent | None:
    """Return what a run folder says; None for a run that has not begun.

    Several seeds stand in one run: their series are `seed_21/val_auc`, `seed_42/val_auc`. A point's time is the
    run's start and the recorded durations of its epochs, so that reading twice gives the same points.
    """
    config = mapping(_read(paths.config))
    experiment, status = mapping(config.get("experiment")), _status(paths)
    start = milliseconds(experiment.get("created"))
    if status.status == "planned" or start is None:
        return None
    is_ended = status.status in ENDED
    end = milliseconds(status.time) if is_ended else None
    files, left_out = artifacts_of(paths.folder, choice, below)
    series = dict(_series(paths, config, start, is_ended))
    return RunContent(
        key=f"{paths.name}#{str(config.get('config_md5'))[:12]}",
        name=paths.name,
        experiment=str(experiment.get("study") or "probatum"),
        status=status.status,
        start_ms=start,
        end_ms=end,
        parameters=parameters_of(mapping(config.get("parameters"))),
        tags=_tags(paths, config, experiment, status, left_out),
        series=with_finals(series, _finals(paths, end or start)) if is_ended else series,
        artifacts=files,
    )


def _tags(
    paths: RunPaths, config: Mapping[str, Any], experiment: Mapping[str, Any], status: StatusRecord, left: int
) -> dict[str, str]:
    seeds = mapping(config.get("seeds")).get("all")
    return texts(
        {
            "study": experiment.get("study"),
            "title": experiment.get("short_title"),
            "run": paths.name,
            "config_md5": config.get("config_md5"),
            "seeds": ",".join(map(str, seeds)) if isinstance(seeds, list) else None,
            "probatum.status": status.status,
            "probatum.error": status.details.get("error"),
            "probatum.files_left_out": left or None,
            "mlflow.note.content": experiment.get("purpose"),
            "mlflow.source.git.commit": _commit(paths),
        }
    )


def _commit(paths: RunPaths) -> Any:
    environment = mapping(_read(paths.environment_json))
    return environment.get("git_commit") or mapping(environment.get("git")).get("commit")


def _series(
    paths: RunPaths, config: Mapping[str, Any], start: int, is_ended: bool
) -> Iterator[tuple[str, tuple[Point, ...]]]:
    seeds = mapping(config.get("seeds")).get("all") or [None]
    offset = 0.0
    for seed in seeds if isinstance(seeds, list) else [None]:
        rows = _epochs(paths, seed)
        times = _elapsed(paths, seed)
        if not is_ended and not times:
            continue  # the times follow, and a point that was sent stays as it is
        prefix = f"seed_{seed}/" if len(seeds) > 1 else ""
        for name in rows[0] if rows else ():
            if name not in _NOT_METRICS:
                points = tuple(_points(rows, name, times, start + round(offset * 1000)))
                if points:
                    yield f"{prefix}{name}", points
        offset += max(times.values(), default=0.0)


def _points(rows: list[dict[str, Any]], name: str, times: Mapping[int, float], start: int) -> Iterator[Point]:
    for row in rows:
        value, epoch = row[name], row.get("epoch")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and isinstance(epoch, int) and (not times or epoch in times):
            yield Point(epoch, float(value), start + round(times.get(epoch, 0.0) * 1000))


def _epochs(paths: RunPaths, seed: Any) -> list[dict[str, Any]]:
    for path in (paths.metrics_epoch, paths.seed_epochs(seed)):
        try:
            rows = read_epochs(path)
        except RecordError:
            continue
        return [row for row in rows if seed is None or row.get("seed", seed) == seed]
    return []


def _elapsed(paths: RunPaths, seed: Any) -> dict[int, float]:
    """Return the seconds from a seed's start to the end of each epoch, as far as they were recorded."""
    try:
        rows = read_epochs(paths.seed_timing(seed))
        epochs = [int(row["epoch"]) for row in rows]
        return dict(zip(epochs, accumulate(float(row["duration_seconds"]) for row in rows), strict=True))
    except (RecordError, KeyError, TypeError, ValueError):
        return {}


def _finals(paths: RunPaths, time: int) -> Iterator[tuple[str, Point]]:
    """Yield `best_NAME` at its epoch, and the evaluation after training as `eval_SPLIT_NAME`.

    A store sorts by the last value of a series: the best one needs a name of its own.
    """
    results = mapping(_read(paths.results))
    for name, value in mapping(results.get("metrics")).items():
        best, epoch = number(mapping(value).get("best")), number(mapping(value).get("best_epoch"))
        if best is not None:
            yield f"best_{name}", Point(int(epoch or 0), float(best), time)
    rows = [row for row in mapping(_read(paths.eval_results)).get("per_seed") or () if isinstance(row, dict)]
    for row in rows:
        prefix = f"seed_{row.get('seed')}/" if len(rows) > 1 else ""
        values = flatten({name: value for name, value in row.items() if name != "seed"}, "eval_")
        for name, value in values.items():
            if value is not None:
                yield f"{prefix}{name}", Point(0, float(value), time)


def _status(paths: RunPaths) -> StatusRecord:
    try:
        return read_status(paths)
    except RecordError as error:
        return StatusRecord("interrupted", note=str(error))


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except (RecordError, RecursionError):
        return None
