"""The supervisor of a run on a node, with signals as Slurm sends them."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from probatum.ablations.engines import Job
from probatum.ablations.engines.slurm import task as slurm_task
from probatum.ablations.engines.slurm.task import carry_out_on_node
from probatum.ablations.engines.task import job_to_json


@pytest.fixture(autouse=True)
def handlers():
    """Give the test process its signal handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR2)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(tmp_path):
    """Return a function that carries a shell line out; `$RUNNER` is its supervisor's number."""

    def carry_out(line: str) -> tuple[int, str, float]:
        files = {name: tmp_path / name for name in ("stdout", "stderr", "exit_code")}
        env = {"RUNNER": str(os.getpid())}
        return carry_out_on_node(
            job_to_json(Job("a", ("/bin/sh", "-c", line), tmp_path, env, **files)), 1, 5.0
        )

    return carry_out


def left(folder: Path) -> list[str]:
    """Return the files of exit codes in a folder."""
    return [path.name for path in folder.iterdir() if "exit_code" in path.name]


def test_a_run_that_ends_by_itself_leaves_its_exit_code(run, tmp_path):
    code, reason, seconds = run("exit 3")
    assert (code, reason, (tmp_path / "exit_code").read_text()) == (3, "", "3\n")
    assert seconds > 0
    assert left(tmp_path) == ["exit_code"]


def test_a_run_that_is_stopped_leaves_none_even_where_it_ends_well(run, tmp_path):
    assert run("trap 'exit 0' TERM; kill -TERM $RUNNER; while :; do sleep 0.05; done")[:2] == (0, "cancelled")
    assert left(tmp_path) == []


def test_near_slurms_limit_a_run_is_timed_out_and_keeps_its_exit_code(run, tmp_path):
    assert run("trap 'exit 4' TERM; kill -USR2 $RUNNER; while :; do sleep 0.05; done")[:2] == (4, "timed out")
    assert left(tmp_path) == ["exit_code"]


def test_a_program_that_hears_of_its_end_before_its_supervisor_has_not_failed(run, tmp_path, monkeypatch):
    real = slurm_task.carry_out

    def first_the_program(*arguments):
        ended = real(*arguments)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        return ended

    monkeypatch.setattr(slurm_task, "carry_out", first_the_program)
    monkeypatch.setattr(slurm_task, "_LINGER_SECONDS", 20.0)
    assert run("kill -TERM $$")[:2] == (143, "cancelled")
    assert left(tmp_path) == []
