"""The runner works beside the runs: one is laid out before its turn, and recorded after the next began."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest

from probatum.ablations import SweepOptions, run_plan
from probatum.ablations.engines.local import LocalEngine
from probatum.ablations.engines.slots import Slot

PATIENCE_SECONDS = 30.0


@pytest.fixture
def one_by_one():
    """Return a function that carries a plan out in one slot; `see(key)` is called when a run is submitted."""

    def run(plan, see=lambda key: None, **options):
        class Seen(LocalEngine):
            def submit(self, job):
                see(job.key)
                return super().submit(job)

        with Seen(slots=[Slot(0, 1, None)], options={"grace_seconds": "0.5"}) as engine:
            return run_plan(plan, engine, SweepOptions(**options), lambda line: None)

    return run


def wait_for(condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_the_next_run_is_laid_out_while_one_runs(shell_plan, one_by_one):
    there = "[ -e outputs/ablations/p/b/configs/train.yaml ]"
    line = f"n=0; until {there} || [ $n -ge 400 ]; do sleep .05; n=$((n+1)); done; {there}"
    assert one_by_one(shell_plan(a=line, b="exit 0")).completed == ["a", "b"]


def test_the_next_run_begins_before_the_end_of_one_is_recorded(shell_plan, one_by_one):
    plan, statuses = shell_plan(a="exit 0", b="exit 0"), []

    def see(key):
        if key == "b":
            statuses.append(json.loads((plan.folder / "a/metadata.json").read_text())["status"])

    one_by_one(plan, see)
    assert statuses == ["running"]


@pytest.mark.parametrize(("line", "options"), [("exit 1", {}), ("exit 0", {"fail_fast": True})])
def test_a_failure_and_a_sweep_that_stops_at_one_are_recorded_first(shell_plan, one_by_one, line, options):
    plan, statuses = shell_plan(a=line, b="exit 0"), []

    def see(key):
        if key == "b":
            statuses.append(json.loads((plan.folder / "a/metadata.json").read_text())["status"])

    one_by_one(plan, see, **options)
    assert statuses in (["failed"], ["completed"])


def test_a_run_that_was_laid_out_and_never_began_leaves_no_record_and_no_attempt(shell_plan, one_by_one):
    plan = shell_plan(a="sleep 60", b="exit 0")

    def interrupt():
        wait_for((plan.folder / "b/configs/train.yaml").exists)
        wait_for((plan.folder / "a/metadata.json").exists)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt).start()
    result = one_by_one(plan)
    assert (result.interrupted, result.left) == (["a"], ["b"])
    assert not (plan.folder / "b/metadata.json").exists()
    assert one_by_one(shell_plan(a="exit 0", b="exit 0")).completed == ["a", "b"]
    assert not (plan.folder / "b/earlier").exists()


def test_the_start_time_is_that_of_the_start(shell_plan, one_by_one):
    plan = shell_plan(a="sleep 1.2", b="exit 0")
    one_by_one(plan)
    times = [json.loads((plan.folder / f"{name}/metadata.json").read_text())["start_time"] for name in "ab"]
    assert times[0] < times[1]


def test_a_run_done_again_keeps_its_earlier_attempt_until_its_own_turn(shell_plan, one_by_one):
    plan = shell_plan(a="exit 0", b="exit 0")
    one_by_one(plan)
    seen = {}

    def see(key):
        if key == "a":
            seen["b"] = (plan.folder / "b/metadata.json").exists() and not (
                plan.folder / "b/earlier"
            ).exists()

    one_by_one(plan, see)
    assert seen == {"b": True}
