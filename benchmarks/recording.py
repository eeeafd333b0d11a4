"""What recording a run costs: Probatum beside MLflow, Aim and Sacred, on the same workload.

A run is 20 parameters and 40 epochs of 30 metrics. Stores take turns in shuffled rounds, each round in a
fresh process that imports and opens first and is then timed run by run; ratios are taken within a round.
Afterwards each store is asked for the best run by one metric; the answer is checked against the known one.

The peers are not installed with Probatum. Give them an interpreter of their own::

    python -m venv peers && peers/bin/pip install mlflow sacred aim "setuptools<81"
    python -m benchmarks.recording --peers-python peers/bin/python

A peer that cannot be imported there is named in the result as missing; the others still run. Sacred has
no query of its own: its files are read. The result is `benchmarks/results/recording.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

METRICS = [f"metric_{number:02d}" for number in range(30)]
EPOCHS = 40
STORES = ("probatum", "mlflow", "sacred", "aim")


def workload(number: int) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Return the parameters and epoch rows of run `number`: the same for every store."""
    draw = random.Random(number)
    parameters = {f"parameter_{index:02d}": draw.random() for index in range(20)}
    return parameters, [{name: draw.random() for name in METRICS} for _ in range(EPOCHS)]


def open_probatum(root: str) -> Callable[[int], None]:
    """Return the function that records one run with Probatum."""
    from probatum.runs.metric import MetricDefinition
    from probatum.runs.recorder import RunRecorder

    metrics = [MetricDefinition(name, name, True, 0.0, 1.0, 2e-4, 2e-3, "", "") for name in METRICS]

    def record(number: int) -> None:
        parameters, rows = workload_cache[number]
        with RunRecorder("benchmark", parameters, metrics, title="recording", root=root) as run:
            for epoch, row in enumerate(rows, start=1):
                run.epoch({"epoch": epoch, **row})

    return record


def open_mlflow(root: str) -> Callable[[int], None]:
    """Return the function that records one run with MLflow's SQLite store."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{root}/mlflow.db")
    mlflow.set_experiment("benchmark")

    def record(number: int) -> None:
        parameters, rows = workload_cache[number]
        with mlflow.start_run():
            mlflow.log_params(parameters)
            for epoch, row in enumerate(rows, start=1):
                mlflow.log_metrics(row, step=epoch)

    return record


def open_sacred(root: str) -> Callable[[int], None]:
    """Return the function that records one run with Sacred's FileStorageObserver."""
    from sacred import SETTINGS, Experiment
    from sacred.observers import FileStorageObserver

    SETTINGS.CAPTURE_MODE = "no"

    def record(number: int) -> None:
        parameters, rows = workload_cache[number]
        experiment = Experiment("benchmark", save_git_info=False)
        experiment.observers.append(FileStorageObserver(f"{root}/sacred"))
        experiment.add_config(parameters)

        def main(_run: Any) -> None:
            for epoch, row in enumerate(rows, start=1):
                for name, value in row.items():
                    _run.log_scalar(name, value, epoch)

        experiment.main(main)
        experiment.run(options={"--loglevel": "ERROR"})

    return record


def open_aim(root: str) -> Callable[[int], None]:
    """Return the function that records one run with Aim."""
    from aim import Run

    def record(number: int) -> None:
        parameters, rows = workload_cache[number]
        run = Run(repo=root, experiment="benchmark", system_tracking_interval=None, log_system_params=False)
        run["hparams"] = parameters
        for epoch, row in enumerate(rows, start=1):
            for name, value in row.items():
                run.track(value, name=name, step=epoch)
        run.close()

    return record


def best_probatum(root: str) -> Callable[[], float]:
    """Return the query for the best value of the first metric at the best epoch."""
    from probatum.runs.catalogue import Catalogue

    catalogue = Catalogue(root)
    return lambda: catalogue.best(METRICS[0], 1)[0].best or 0.0


def best_mlflow(root: str) -> Callable[[], float]:
    """Return the query for the best last value, the only one that MLflow can order by."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{root}/mlflow.db")
    order = [f"metrics.{METRICS[0]} DESC"]
    return lambda: mlflow.search_runs(
        experiment_names=["benchmark"], order_by=order, max_results=1, output_format="list"
    )[0].data.metrics[METRICS[0]]


def best_sacred(root: str) -> Callable[[], float]:
    """Return the reading of every run's metrics file."""
    files = list(Path(root, "sacred").glob("*/metrics.json"))
    return lambda: max(max(json.loads(file.read_text())[METRICS[0]]["values"]) for file in files)


workload_cache: dict[int, tuple[dict[str, float], list[dict[str, float]]]] = {}


def work(store: str, root: str, first: int, count: int) -> None:
    """Record runs `first` to `first + count - 1` and print the times as one JSON line: what a worker does."""
    os.chdir(root)
    started = time.perf_counter()
    record = globals()[f"open_{store}"](root)
    opened = time.perf_counter() - started
    workload_cache.update({number: workload(number) for number in range(first, first + count)})
    times = []
    for number in range(first, first + count):
        started = time.perf_counter()
        record(number)
        times.append((time.perf_counter() - started) * 1e3)
    print(json.dumps({"open_seconds": opened, "record_ms": times}))


def ask(store: str, root: str, first: int, count: int) -> None:
    """Print the times and the answer of the query for the best run as one JSON line."""
    os.chdir(root)
    query = globals()[f"best_{store}"](root)
    answer, times = query(), []
    for _ in range(20 if store == "probatum" else 5):
        started = time.perf_counter()
        query()
        times.append((time.perf_counter() - started) * 1e3)
    print(json.dumps({"answer": answer, "best_ms": times}))


def call(python: str, job: str, store: str, root: Path, first: int, count: int) -> dict[str, Any]:
    """Return what a worker process prints, or why it could not."""
    environment = {**os.environ, "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_DISABLE_TELEMETRY": "true"}
    source = str(Path(__file__).resolve().parents[1] / "src")
    environment["PYTHONPATH"] = source if store == "probatum" else ""
    command = [python, __file__, "--worker", job, store, str(root), str(first), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1]}
    return json.loads(lines[-1])


def is_there(python: str, package: str) -> bool:
    """Return whether an interpreter can find a package."""
    if python == sys.executable:
        return importlib.util.find_spec(package) is not None
    with contextlib.suppress(OSError):
        code = f"import importlib.util as u; raise SystemExit(u.find_spec({package!r}) is None)"
        return subprocess.run([python, "-c", code], check=False).returncode == 0
    return False


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of every store that is there."""
    pythons = {store: arguments.peers_python or sys.executable for store in STORES} | {
        "probatum": sys.executable
    }
    present = [store for store in STORES if store == "probatum" or is_there(pythons[store], store)]
    root = Path(tempfile.mkdtemp(prefix="recording-", dir=arguments.folder))
    rounds: list[dict[str, float]] = []
    opened: dict[str, list[float]] = {store: [] for store in present}
    errors: dict[str, str] = {}
    try:
        for store in present:
            (root / store).mkdir()
        for number in range(arguments.rounds):
            order = [store for store in present if store not in errors]
            random.Random(number).shuffle(order)
            medians = {}
            for store in order:
                count = arguments.runs if store == "probatum" else arguments.peer_runs
                answer = call(pythons[store], "work", store, root / store, number * count, count)
                if "error" in answer:
                    errors[store] = answer["error"]
                    continue
                medians[store] = statistics.median(answer["record_ms"])
                opened[store].append(answer["open_seconds"])
            rounds.append(medians)
        stores = {store: _figures(store, rounds, opened[store]) for store in present if store not in errors}
        for store, figures in stores.items():
            if f"best_{store}" in globals():
                figures |= _query(call(pythons[store], "ask", store, root / store, 0, 0), store, arguments)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {
        "workload": {
            "parameters": 20,
            "epochs": EPOCHS,
            "metrics": len(METRICS),
            "rounds": arguments.rounds,
            "runs_per_round": arguments.runs,
            "peer_runs_per_round": arguments.peer_runs,
            "folder": arguments.folder or tempfile.gettempdir(),
        },
        "stores": stores,
        "missing": sorted(set(STORES) - set(present)),
        "errors": errors,
    }


def _figures(store: str, rounds: list[dict[str, float]], opened: list[float]) -> dict[str, Any]:
    own = [medians[store] for medians in rounds if store in medians]
    ratios = [
        medians[store] / medians["probatum"] for medians in rounds if {store, "probatum"} <= set(medians)
    ]
    return {
        "record_ms": _spread(own),
        "ratio_to_probatum": _spread(ratios),
        "open_seconds": statistics.median(opened),
    }


def _query(answer: dict[str, Any], store: str, arguments: argparse.Namespace) -> dict[str, Any]:
    if "error" in answer:
        return {"best_error": answer["error"]}
    count = arguments.rounds * (arguments.runs if store == "probatum" else arguments.peer_runs)
    values = [[row[METRICS[0]] for row in workload(number)[1]] for number in range(count)]
    expected = max(series[-1] if store == "mlflow" else max(series) for series in values)
    right = abs(answer["answer"] - expected) < 1e-12
    return {"best_ms": _spread(answer["best_ms"]), "best_of_runs": count, "best_is_right": right}


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def main() -> None:
    """Measure, print a table, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers-python", help="the interpreter that has MLflow, Sacred and Aim")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=100, help="Probatum's runs per round")
    parser.add_argument("--peer-runs", type=int, default=20, help="each peer's runs per round")
    parser.add_argument("--folder", help="where the stores are made (and removed)")
    parser.add_argument("--output", type=Path, help="the result's file")
    parser.add_argument("--worker", nargs=5, metavar="X", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        job, store, root, first, count = arguments.worker
        {"work": work, "ask": ask}[job](store, root, int(first), int(count))
        return
    from benchmarks.measurement import save  # not at the top: the peers' interpreters run this file too

    load = os.getloadavg()[0]
    result = measure(arguments)
    save("recording", result, load, arguments.output)
    for store, figures in result["stores"].items():
        record, ratio = figures["record_ms"], figures["ratio_to_probatum"]
        best = f"{figures['best_ms']['median']:8.3f}" if "best_ms" in figures else "       -"
        print(
            f"{store:10} {record['median']:8.2f} ms/run ({record['lowest']:.2f}-{record['highest']:.2f})  "
            f"ratio {ratio['median']:6.1f} ({ratio['lowest']:.1f}-{ratio['highest']:.1f})  best {best} ms"
        )
    for store in result["missing"]:
        print(f"{store:10} missing: give --peers-python an interpreter that has it")
    for store, error in result["errors"].items():
        print(f"{store:10} failed: {error}")


if __name__ == "__main__":
    main()
