"""The runner is stopped or killed in the middle; the next one goes on, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from probatum._files import read_json
from probatum.ablations import plan_status
from probatum.runs.status import process_start

RUNNER = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
from probatum.ablations import SweepOptions, load_plan, run_plan
from probatum.ablations.engines.local import LocalEngine
from probatum.ablations.engines.slots import Slot
with LocalEngine(None, {"grace_seconds": "0.5"}, slots=[Slot(0, 1, None)]) as engine:
    run_plan(load_plan("plan.yaml"), engine, SweepOptions())
"""


@pytest.fixture
def runner(tmp_path):
    """Return a function that starts a runner of `plan.yaml` in its own process; its runs end with the test."""
    processes = []

    def start():
        process = subprocess.Popen([sys.executable, "-c", RUNNER], cwd=tmp_path, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.02)


def status_of(plan, key):
    path = plan.folder / key / "metadata.json"
    return read_json(path)["status"] if path.exists() else None


@pytest.fixture
def gated(shell_plan):
    """Return a plan whose first run waits for a file `go`, and whose second follows it."""
    return shell_plan(a="echo once >> count; until [ -e go ]; do sleep 0.02; done", b="exit 0")


def test_ctrl_c_stops_the_runs_and_leaves_a_whole_record(gated, runner, sweep, tmp_path):
    process = runner()
    until(lambda: status_of(gated, "a") == "running")
    process.send_signal(signal.SIGINT)
    process.wait(20)
    assert status_of(gated, "a") == "interrupted"
    assert [entry["status"] for entry in read_json(gated.folder / "plan_index.json")["experiments"]] == [
        "interrupted"
    ]
    (tmp_path / "go").touch()
    assert sorted(sweep(gated, skip_existing=True)[0].completed) == ["a", "b"]


def test_a_run_outlives_its_killed_runner_and_the_next_takes_it_over(gated, runner, sweep, tmp_path):
    process = runner()
    until(lambda: status_of(gated, "a") == "running")
    process.kill()
    process.wait()
    assert [run.status for run in plan_status(gated).runs] == ["running", "planned"]
    (tmp_path / "go").touch()
    result, said = sweep(gated)
    assert sorted(result.completed) == ["a", "b"]
    assert (tmp_path / "count").read_text() == "once\n"
    assert any("taken over" in line for line in said) or any("no runner was there" in line for line in said)


def test_what_ended_while_no_runner_was_there_is_collected(gated, runner, sweep, tmp_path):
    process = runner()
    until(lambda: status_of(gated, "a") == "running")
    process.kill()
    process.wait()
    (tmp_path / "go").touch()
    until((gated.folder / "a/exit_code").exists)
    until(lambda: process_start(read_json(gated.folder / "a/metadata.json")["place"]["pid"]) is None)
    assert "ended with 0, to be collected" in plan_status(gated).lines()[0]
    result, said = sweep(gated)
    assert sorted(result.completed) == ["a", "b"]
    assert "a: completed while no runner was there" in said
    assert (tmp_path / "count").read_text() == "once\n"
    assert read_json(gated.folder / "a/metadata.json")["duration_seconds"] > 0


def test_a_run_that_vanished_with_its_runner_is_done_again(gated, runner, sweep, tmp_path):
    process = runner()
    until(lambda: status_of(gated, "a") == "running")
    process.kill()
    process.wait()
    place = read_json(gated.folder / "a/metadata.json")["place"]
    until(lambda: (tmp_path / "count").exists() and (tmp_path / "count").read_text())
    os.killpg(place["pid"], signal.SIGKILL)
    until(lambda: process_start(place["pid"]) is None)
    assert "its process vanished" in plan_status(gated).lines()[0]
    (tmp_path / "go").touch()
    assert sorted(sweep(gated, skip_existing=True)[0].completed) == ["a", "b"]
    assert (tmp_path / "count").read_text() == "once\nonce\n"
