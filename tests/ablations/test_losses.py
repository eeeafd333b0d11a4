"""Runs whose machine dies, and jobs that are submitted together: with an engine that does as it is told."""

from __future__ import annotations

from collections import deque

import pytest

from probatum.ablations import SweepOptions, run_plan
from probatum.ablations.engines.base import Engine, Outcome


class ToldEngine(Engine):
    """Ends each job as the script says: `lost`, or an exit code."""

    name = "told"

    def __init__(self, script, slots=2):
        self.script, self.slots = deque(script), slots
        self.jobs, self.batches = [], []

    @property
    def running(self):
        return len(self.jobs)

    def submit(self, job):
        if job.key == "nowhere":
            raise OSError("no such place")
        self.jobs.append(job)
        return {}

    def submit_all(self, jobs):
        self.batches.append([job.key for job in jobs])
        return super().submit_all(jobs)

    def attach(self, job, place):
        return False

    def wait(self, timeout_seconds):
        outcomes = [self._outcome(job.key, self.script.popleft()) for job in self.jobs]
        self.jobs = []
        return outcomes

    def cancel(self, keys=None):
        self.jobs = []

    @staticmethod
    def _outcome(key, end):
        return Outcome(key, None, "lost", 1.0) if end == "lost" else Outcome(key, end, "", 1.0)


@pytest.fixture
def told(shell_plan):
    def run(script, slots=2, retries=0, **lines):
        said: list[str] = []
        engine = ToldEngine(script, slots)
        result = run_plan(shell_plan(**lines), engine, SweepOptions(retries=retries), said.append)
        return result, said, engine

    return run


def test_a_run_that_lost_its_machine_is_started_again(told):
    result, said, _ = told(["lost", 0], a="exit 0")
    assert result.completed == ["a"]
    assert said[0] == "a: its process vanished; it is started again"


def test_a_loss_is_no_try_of_the_run(told):
    result, _, _ = told(["lost", 1, 0], retries=1, a="exit 0")
    assert result.completed == ["a"]


def test_a_run_that_is_lost_again_and_again_is_left_for_another_day(told):
    result, _, engine = told(["lost"] * 9, a="exit 0")
    assert result.interrupted == ["a"]
    assert len(engine.batches) == 4


def test_what_fits_is_submitted_together(told):
    _, _, engine = told([0] * 5, slots=3, **dict.fromkeys("abcde", "exit 0"))
    assert engine.batches == [["a", "b", "c"], ["d", "e"]]


def test_a_job_that_cannot_be_submitted_fails_alone(told):
    result, _, _ = told([0], a="exit 0", nowhere="exit 0")
    assert (result.completed, result.failed) == (["a"], ["nowhere"])
