"""The leaderboard as files: the seed's CSV, and one strict JSON with everything that was computed."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from probatum._errors import UsageError
from probatum._files import write_whole
from probatum.analysis.groups import Group
from probatum.analysis.leaderboard import Analysis, ParetoPoint
from probatum.analysis.records import columns_of
from probatum.runs.files import json_text
from probatum.runs.status import utc_now

SCHEMA_VERSION = 1


def csv_text(analysis: Analysis) -> str:
    """Return one line per run under the seed's columns; empty where nothing was measured."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns_of(analysis.records), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(record.as_row() for record in analysis.records)
    return stream.getvalue()


def as_record(analysis: Analysis) -> dict[str, Any]:
    """Return the whole analysis as plain values, with the seed's keys and what it does not know."""
    baselines = {plan: group.experiment for plan, group in analysis.baselines.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": utc_now(),
        "results_dir": str(analysis.results.folder),
        "num_runs": len(analysis.records),
        "status_counts": analysis.status_counts,
        "metric": analysis.metric.column,
        "higher_is_better": analysis.metric.higher_is_better,
        "epochs": analysis.epochs,
        "objectives": [
            {"column": objective.column, "higher_is_better": objective.higher_is_better}
            for objective in analysis.objectives
        ],
        "baselines": baselines,
        "records": [_filled(record.as_row()) for record in analysis.records],
        "experiments": [_experiment(analysis, group) for group in analysis.groups],
        "pareto": [_pareto_record(analysis, point) for point in analysis.pareto if point.is_on_front],
    }


def write_csv(analysis: Analysis, path: Path) -> None:
    """Write the CSV whole.

    Raises:
        UsageError: the folder of the file cannot be made or written.
    """
    write_text(path, csv_text(analysis))


def write_json(analysis: Analysis, path: Path) -> None:
    """Write the JSON whole.

    Raises:
        UsageError: the folder of the file cannot be made or written.
    """
    write_text(path, json_text(as_record(analysis)))


def write_text(path: Path, text: str) -> None:
    """Write a text whole, and make its folder where it is missing.

    Raises:
        UsageError: the folder of the file cannot be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}. Choose another place.") from None


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose tags are plain: a YAML tag may be a list or a map."""
    plain = (str, int, float, bool, type(None))
    return {name: value if isinstance(value, plain) else str(value) for name, value in row.items()}


def _experiment(analysis: Analysis, group: Group) -> dict[str, Any]:
    point = analysis.points.get(id(group))
    summaries = {
        column: group.summary(column)
        for column in dict.fromkeys(
            [analysis.metric.column, *analysis.epochs.values(), *(o.column for o in analysis.objectives)]
        )
    }
    comparison = analysis.comparison(group, analysis.metric.column)
    return {
        "plan": group.plan,
        "experiment": group.experiment,
        "axis": group.axis,
        "n": group.n,
        "seeds": [run.seed for run in group.runs],
        "failed": len(group.failures()),
        "repeated": len(group.repeated),
        "rank_group": analysis.ranks[id(group)],
        "summary": {name: dict(vars(found)) for name, found in summaries.items() if found},
        "against_baseline": comparison.as_record() if comparison else None,
        "on_front": point.is_on_front if point else None,
        "place": point.place if point else None,
    }


def _pareto_record(analysis: Analysis, point: ParetoPoint) -> dict[str, Any]:
    group = point.group
    duration = group.summary("duration_seconds")
    values = {
        objective.column: value for objective, value in zip(analysis.objectives, point.values, strict=True)
    }
    return {
        "plan": group.plan,
        "experiment": group.experiment,
        "metric": analysis.metric.column,
        "duration_seconds": duration.mean if duration else None,
        "run_root": group.runs[0].run_root,
        "run_roots": [run.run_root for run in group.runs],
        "status": "completed",
        "n": group.n,
        "place": point.place,
        **values,
    }
