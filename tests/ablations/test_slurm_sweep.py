"""A plan on a real Slurm: carried out, disturbed, and gone on with."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from slurm_cluster import missing, slurm_cluster, until

from probatum._files import read_json
from probatum.ablations import SweepOptions, plan_status, run_plan
from probatum.ablations.engines.slurm.engine import SlurmEngine
from probatum.ablations.engines.slurm.queue import read_queue

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'probatum[slurm]'")
pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing())]

OPTIONS = {"poll_seconds": "0.1", "grace_seconds": "0.3", "settle_seconds": "0.5"}
WAIT = "until [ -e go ]; do sleep 0.02; done"


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Run a Slurm for the tests of this module."""
    with slurm_cluster() as folder:
        yield folder


@pytest.fixture
def carry_out():
    """Return a function that carries a plan out on Slurm and returns the result and what was said."""

    def run(plan, hook=lambda said: None, **options):
        said: list[str] = []

        def say(line: str) -> None:
            said.append(line)
            hook(said)

        with SlurmEngine(None, OPTIONS) as engine:
            return run_plan(plan, engine, SweepOptions(**options), say), said

    return run


@pytest.fixture
def runner(tmp_path):
    """Return a function that starts `probatum ablate` in a process of its own."""
    processes = []

    def start():
        options = [word for item in OPTIONS.items() for word in ("--engine-option", "=".join(item))]
        process = subprocess.Popen(
            [sys.executable, "-m", "probatum", "ablate", "plan.yaml", "--engine", "slurm", *options],
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
    subprocess.run(["scancel", "--user=root"], check=False)


def record_of(plan, key):
    path = plan.folder / key / "metadata.json"
    return read_json(path) if path.exists() else {}


def is_running(plan, key) -> bool:
    return record_of(plan, key).get("status") == "running" and (plan.folder / key / "stdout.log").exists()


def test_a_plan_is_one_array_and_every_run_has_its_record(shell_plan, carry_out):
    plan = shell_plan(a="exit 0", b="exit 4", c="exit 0")
    result, _ = carry_out(plan)
    assert (sorted(result.completed), result.failed) == (["a", "c"], ["b"])
    places = [record_of(plan, key)["place"] for key in "abc"]
    assert len({place["name"] for place in places}) == 1
    assert record_of(plan, "b")["returncode"] == 4


def test_a_run_that_somebody_cancels_is_done_again(shell_plan, tmp_path, carry_out):
    script = tmp_path / "disturb.sh"
    scancel = 'scancel "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"'
    script.write_text(f"[ -e disturbed ] && exit 0\ntouch disturbed\n{scancel}\nsleep 30\n")
    plan = shell_plan(a=f". {script}", b="exit 0")
    result, said = carry_out(plan)
    assert sorted(result.completed) == ["a", "b"]
    assert any("started again" in line for line in said)
    assert [attempt["status"] for attempt in record_of(plan, "a")["attempts"]] == ["interrupted", "completed"]


def test_the_next_runner_collects_what_ended_and_takes_over_what_runs(
    shell_plan, runner, carry_out, tmp_path
):
    lines = {"a": WAIT.replace("go", "early"), "b": WAIT, "c": f"{WAIT}; exit 5"}
    plan = shell_plan(**{key: f"echo once >> count; {line}" for key, line in lines.items()})
    process = runner()
    until(lambda: all(is_running(plan, key) for key in "abc"))
    process.kill()
    process.wait()
    assert [run.status for run in plan_status(plan).runs] == ["running"] * 3
    (tmp_path / "early").touch()
    until((plan.folder / "a/exit_code").exists)
    until(lambda: len(read_queue().states) == 2)

    def go(said):
        if any("taken over" in line for line in said):
            (tmp_path / "go").touch()

    result, said = carry_out(plan, hook=go)
    assert (sorted(result.completed), result.failed) == (["a", "b"], ["c"])
    assert "a: completed while no runner was there" in said
    assert sum("taken over, slurm job" in line for line in said) == 2
    assert (tmp_path / "count").read_text() == "once\n" * 3
    assert list((plan.folder / ".probatum/slurm").iterdir()) == []


def test_ctrl_c_empties_the_queue(shell_plan, carry_out):
    plan = shell_plan(**{f"run{n:02d}": "sleep 30" for n in range(20)})  # more than the node has cores
    engine = SlurmEngine(None, OPTIONS)
    wait, calls = engine.wait, []

    def interrupted(seconds):
        calls.append(seconds)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return wait(seconds)

    engine.wait = interrupted
    result = run_plan(plan, engine, SweepOptions(), lambda line: None)
    assert len(result.interrupted) == 20
    end = time.monotonic() + 10
    while read_queue().states and time.monotonic() < end:
        time.sleep(0.05)
    assert read_queue().states == {}


def test_a_run_beyond_its_time_limit_fails_alone(shell_plan, carry_out):
    plan = shell_plan(a="sleep 30", b="exit 0")
    result, _ = carry_out(plan, timeout_seconds=0.5)
    assert (result.completed, result.failed) == (["b"], ["a"])
    assert "timed out" in record_of(plan, "a")["error"]
