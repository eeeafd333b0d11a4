"""A real MLflow server on a loopback port, asked through its own HTTP interface.

The module begins without it: a plan is carried out while nothing answers, then the server starts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.tracking.address import Address
from probatum.tracking.sources import Sources
from probatum.tracking.sync import Sync

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None,
    reason="needs the mlflow extra: pip install 'probatum[mlflow]'",
)
PATIENCE_SECONDS = 90
TRAINER = """
import os, pathlib, sys, time
out, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
(out / "logs").mkdir(parents=True, exist_ok=True)
rows = [f"{step},train,loss,{seed / step}" for step in range(1, 21)]
(out / "logs/abprop-train.csv").write_text("\\n".join(["step,tag,metric,value", *rows, ""]))
(out / "seen.txt").write_text(os.environ.get("MLFLOW_TRACKING_URI", "nothing"))
"""
PLAN = """
plan_name: NAME
seeds: [1, 2]
defaults: {train_script: ['{python}', train.py, '{output_dir}', '{seed}', '{train.rate}']}
results: {file: logs/abprop-train.csv, format: long}
experiments:
  - {name: a, train_overrides: {rate: 0.1}, tags: {axis: rate}}
  - {name: b, train_overrides: {rate: 0.5}, tags: {axis: rate}}
"""
RUNS = ["a/seed_1", "a/seed_2", "b/seed_1", "b/seed_2"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a working folder, the address of a server that is not there yet, and a way to run commands."""
    folder, uri = tmp_path_factory.mktemp("tracking"), f"http://127.0.0.1:{free_port()}"
    (folder / "train.py").write_text(TRAINER)
    unset = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "PROBATUM_RUNS", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if name not in unset}

    def call(*words):
        command = [sys.executable, "-m", "probatum", *words]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return SimpleNamespace(folder=folder, uri=uri, env=env, call=call)


def sweep(place, name: str):
    (place.folder / f"{name}.yaml").write_text(PLAN.replace("NAME", name))
    return place.call("ablate", f"{name}.yaml", "--jobs", "2", "--mlflow", place.uri)


@pytest.fixture(scope="module")
def swept_alone(place):
    """Return a plan's outcome while no server was there."""
    return sweep(place, "alone")


@pytest.fixture(scope="module")
def server(place, swept_alone):
    """Return a running server and a function that asks it; it starts after the first plan is done."""
    port, store = place.uri.rpartition(":")[2], place.folder / "server"
    store.mkdir()
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--workers",
        "1",
    ]
    stores = ["--backend-store-uri", f"sqlite:///{store}/m.db", "--artifacts-destination", f"{store}/files"]
    quiet = {  # its job runners are eight more processes, which nobody needs here
        **place.env, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }  # fmt: skip
    with (store / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *stores], cwd=store, env=quiet, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _await(process, place.uri, store / "log")
        yield SimpleNamespace(ask=lambda path, body=None: _ask(f"{place.uri}/api/2.0/mlflow/{path}", body))
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its files are thrown away with it
        process.wait(20)


def _await(process, uri: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


def _ask(url: str, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def runs_of(server, name: str) -> dict[str, dict]:
    found = server.ask(f"experiments/get-by-name?experiment_name={name}")["experiment"]["experiment_id"]
    runs = server.ask("runs/search", {"experiment_ids": [found]})["runs"]
    return {run["info"]["run_name"]: run for run in runs}


@pytest.fixture(scope="module")
def synced(place, server):
    """Return what `runs sync` printed once the server was there."""
    return place.call("runs", "sync", "outputs/ablations/alone", "--mlflow", place.uri, "--format", "json")


@pytest.fixture(scope="module")
def followed(place, server):
    """Return a plan's outcome with the server there, once all is sent: a busy machine takes its time."""
    done = sweep(place, "live")
    sync = Sync(Address(place.uri))
    end = time.monotonic() + PATIENCE_SECONDS
    while sync.missing(Sources(place.folder / "outputs/ablations/live", "plan")):
        assert time.monotonic() < end, (
            place.folder / "outputs/ablations/live/.probatum/tracking.log"
        ).read_text()
        time.sleep(0.1)
    return done


def test_a_server_that_is_down_fails_no_run_and_the_last_line_tells(place, swept_alone):
    assert swept_alone.code == 0
    *_, counts, last = swept_alone.out.splitlines()
    assert counts == "alone: 4 completed"
    assert last == (
        f"4 runs not yet in MLflow: probatum runs sync outputs/ablations/alone --mlflow {place.uri}"
    )


def test_that_it_is_down_is_told_once(place, swept_alone):
    log = (place.folder / "outputs/ablations/alone/.probatum/tracking.log").read_text()
    assert log.count("does not answer") == 1


def test_sync_sends_what_was_missed(synced, server):
    assert synced.code == 0
    assert [result["action"] for result in json.loads(synced.out)] == ["sent"] * 4
    assert sorted(runs_of(server, "alone")) == RUNS


def test_sync_again_changes_nothing(place, synced, server):
    before = runs_of(server, "alone")
    again = place.call("runs", "sync", "outputs/ablations/alone", "--mlflow", place.uri)
    assert again.out.strip() == f"4 unchanged: {place.uri}"
    assert runs_of(server, "alone") == before


@pytest.mark.slow
def test_a_sweep_is_in_mlflow_when_it_ends(place, followed, server):
    assert followed.code == 0
    assert followed.out.splitlines()[-1].startswith("MLflow: ")
    runs = runs_of(server, "live")
    assert sorted(runs) == RUNS
    assert {run["info"]["status"] for run in runs.values()} == {"FINISHED"}


def test_a_series_has_every_step(synced, server):
    run = runs_of(server, "alone")["a/seed_2"]
    answer = server.ask(f"metrics/get-history?run_id={run['info']['run_id']}&metric_key=loss")
    assert [(int(m.get("step", 0)), m["value"]) for m in answer["metrics"]] == [
        (step, 2 / step) for step in range(1, 21)
    ]


def test_tags_and_parameters_are_there(synced, server):
    data = runs_of(server, "alone")["b/seed_1"]["data"]
    tags = {tag["key"]: tag["value"] for tag in data["tags"]}
    expected = {"ablation_plan": "alone", "ablation_experiment": "b", "axis": "rate", "seed": "1"}
    assert expected.items() <= tags.items()
    assert {"key": "train.rate", "value": "0.5"} in data["params"]


def test_artifacts_are_there(synced, server):
    run = runs_of(server, "alone")["a/seed_1"]
    run_id, root = run["info"]["run_id"], run["info"]["artifact_uri"]
    assert root.startswith("mlflow-artifacts:")
    files = server.ask(f"artifacts/list?run_id={run_id}&path=artifacts/logs")["files"]
    assert [file["path"] for file in files] == ["artifacts/logs/abprop-train.csv"]


def test_a_run_sees_nothing_of_the_tracking(place, swept_alone):
    seen = place.folder / "outputs/ablations/alone/a/seed_1/artifacts/seen.txt"
    assert seen.read_text() == "nothing"


def test_sync_to_a_server_that_is_down_says_what_to_do(place, swept_alone):
    failed = place.call("runs", "sync", "outputs/ablations/alone", "--mlflow", "http://127.0.0.1:9")
    assert failed.code == 1
    assert failed.err.startswith("probatum: MLflow at http://127.0.0.1:9 does not answer: ")
    assert failed.err.rstrip().endswith("then: probatum runs sync outputs/ablations/alone")
