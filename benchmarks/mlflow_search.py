"""MLflow's side of `benchmarks.ablations`: the same runs in its SQLite store, and what a person does with them.

It runs in an interpreter that has MLflow, and prints JSON:

PEERS_PYTHON benchmarks/mlflow_search.py fill STORE.db RUNS.json
PEERS_PYTHON benchmarks/mlflow_search.py search STORE.db METRIC
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

EXPERIMENT = "ablation"
_STARTED_MS = 1_767_225_600_000  # 2026-01-01


def fill(store: str, runs_file: str) -> dict[str, Any]:
    """Put the runs into a new store: its tables by MLflow itself, the rows in bulk, which is quicker to write.

    Reading does not tell the difference: the rows are those that `log_batch` leaves.
    """
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{store}")
    experiment = mlflow.set_experiment(EXPERIMENT)
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _INSERTS}
    for number, run in enumerate(json.loads(Path(runs_file).read_text(encoding="utf-8"))):
        _add(rows, f"{number:032x}", run, experiment.artifact_location, experiment.experiment_id)
    with sqlite3.connect(store) as connection:
        for name, statement in _INSERTS.items():
            connection.executemany(statement, rows[name])
    connection.close()
    return {"runs": len(rows["runs"]), "mlflow": mlflow.__version__}


def search(store: str, metric: str) -> dict[str, Any]:
    """Return the seconds from a started interpreter to a leaderboard by experiment: import, search, group by."""
    started = time.perf_counter()
    import mlflow
    import pandas

    imported = time.perf_counter()
    mlflow.set_tracking_uri(f"sqlite:///{store}")
    frame: Any = mlflow.search_runs(experiment_names=[EXPERIMENT])
    groups = frame.groupby("tags.ablation_experiment")[f"metrics.{metric}"]
    leaderboard = groups.agg(["count", "mean", "std"]).sort_values("mean")
    return {
        "runs": len(frame),
        "experiments": len(leaderboard),
        "best": str(leaderboard.index[0]),
        "best_mean": float(leaderboard["mean"].iloc[0]),
        "import_seconds": imported - started,
        "search_seconds": time.perf_counter() - imported,
        "pandas": pandas.__version__,
        "mlflow": mlflow.__version__,
    }


_INSERTS = {
    "runs": "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, "
    "start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id) "
    "VALUES (?, ?, 'UNKNOWN', '', '', 'user', 'FINISHED', ?, ?, '', 'active', ?, ?)",
    "params": "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
    "tags": "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
    "metrics": "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
    "latest_metrics": "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) "
    "VALUES (?, ?, ?, ?, ?, 0)",
}


def _add(
    rows: dict[str, list[tuple[Any, ...]]],
    identity: str,
    run: dict[str, Any],
    artifacts: str,
    experiment: str,
) -> None:
    ended = _STARTED_MS + round(run["duration_seconds"] * 1000)
    place = f"{artifacts}/{identity}/artifacts"
    rows["runs"].append((identity, run["name"], _STARTED_MS, ended, place, int(experiment)))
    rows["params"] += [(key, str(value), identity) for key, value in run["params"].items()]
    tags = {**run["tags"], "mlflow.runName": run["name"]}
    rows["tags"] += [(key, str(value), identity) for key, value in tags.items()]
    last = {}
    for name, step, value in run["metrics"]:
        last[name] = (name, value, ended, identity, step)
        rows["metrics"].append(last[name])
    rows["latest_metrics"] += last.values()


if __name__ == "__main__":
    print(json.dumps({"fill": fill, "search": search}[sys.argv[1]](*sys.argv[2:])))
