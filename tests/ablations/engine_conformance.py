"""What every engine must do. A test module inherits from the class and gives an `engine` with two slots."""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from probatum._errors import UsageError
from probatum.ablations.engines.base import Engine, Job, Outcome

PATIENCE_SECONDS = 20.0


class EngineConformance(ABC):
    """Jobs in, outcomes out: each once, with its output and exit code in files."""

    @abstractmethod
    @pytest.fixture
    def engine(self):
        """Yield an engine with two slots, closed at the end."""

    @abstractmethod
    def another(self) -> Engine:
        """Return a second engine of the same kind: that of a runner that came after."""

    @staticmethod
    def job(folder: Path, line: str, key: str = "a", **more) -> Job:
        """Return a job that runs a shell line in a folder of its own."""
        own = folder / key
        own.mkdir(exist_ok=True)
        files = {"stdout": own / "out", "stderr": own / "err", "exit_code": own / "code"}
        return Job(key, ("/bin/sh", "-c", line), own, more.pop("env", {}), **files, **more)

    @staticmethod
    def outcomes(engine: Engine, count: int = 1) -> dict[str, Outcome]:
        """Return the next `count` outcomes by key."""
        found: dict[str, Outcome] = {}
        end = time.monotonic() + PATIENCE_SECONDS
        while len(found) < count and time.monotonic() < end:
            found |= {outcome.key: outcome for outcome in engine.wait(1.0)}
        return found

    def test_a_job_that_ends_well_is_a_success(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "exit 0"))
        assert self.outcomes(engine)["a"].is_success

    def test_the_exit_code_of_a_failure_is_told(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "exit 7"))
        assert self.outcomes(engine)["a"].returncode == 7

    def test_output_and_complaints_go_to_their_files(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "echo good; echo bad >&2"))
        self.outcomes(engine)
        assert (tmp_path / "a/out").read_text() == "good\n"
        assert (tmp_path / "a/err").read_text() == "bad\n"

    def test_the_exit_code_stays_in_a_file(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "exit 5"))
        self.outcomes(engine)
        assert (tmp_path / "a/code").read_text() == "5\n"

    def test_the_environment_and_the_folder_are_the_jobs_own(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, 'echo "$COLOUR"; pwd', env={"COLOUR": "green"}))
        self.outcomes(engine)
        assert (tmp_path / "a/out").read_text().split() == ["green", str(tmp_path / "a")]

    def test_words_reach_the_program_as_they_are(self, engine, tmp_path):
        words = ["a b", "$HOME", "'", '"', "*", "ü", ""]
        program = "import json, sys; print(json.dumps(sys.argv[1:]))"
        job = self.job(tmp_path, "")
        engine.submit(Job("a", (sys.executable, "-c", program, *words), job.cwd, {}, job.stdout, job.stderr,
                          job.exit_code))  # fmt: skip
        self.outcomes(engine)
        assert json.loads(job.stdout.read_text()) == words

    def test_two_jobs_run_at_the_same_time(self, engine, tmp_path):
        for key, other in (("a", "b"), ("b", "a")):
            meet = f"touch here; until [ -e ../{other}/here ]; do sleep 0.02; done"
            engine.submit(self.job(tmp_path, meet, key, timeout_seconds=10.0))
        assert all(outcome.is_success for outcome in self.outcomes(engine, 2).values())

    def test_a_third_job_is_refused_while_both_slots_are_taken(self, engine, tmp_path):
        for key in "ab":
            engine.submit(self.job(tmp_path, "sleep 30", key))
        with pytest.raises(UsageError, match="all 2 slots are taken"):
            engine.submit(self.job(tmp_path, "exit 0", "c"))

    def test_a_slot_is_free_again_after_its_job(self, engine, tmp_path):
        for key in "abcd":
            engine.submit(self.job(tmp_path, "exit 0", key))
            self.outcomes(engine)
        assert engine.running == 0

    def test_each_job_is_reported_once(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "exit 0"))
        self.outcomes(engine)
        assert engine.wait(0.05) == []

    def test_waiting_ends_in_time_while_a_job_goes_on(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "sleep 30"))
        assert engine.wait(0.05) == []
        assert engine.running == 1

    def test_a_job_beyond_its_time_limit_is_stopped(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "sleep 30", timeout_seconds=0.1))
        outcome = self.outcomes(engine)["a"]
        assert outcome.reason == "timed out"
        assert not outcome.is_success

    def test_a_job_that_ignores_the_request_to_end_is_stopped(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "trap '' TERM; while :; do sleep 0.05; done", timeout_seconds=0.1))
        assert self.outcomes(engine)["a"].reason == "timed out"

    def test_a_cancelled_job_is_reported_as_such(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "sleep 30"))
        engine.cancel(["a"])
        assert self.outcomes(engine)["a"].reason == "cancelled"

    def test_a_cancelled_job_may_end_well(self, engine, tmp_path):
        engine.submit(
            self.job(tmp_path, "trap 'echo saved; exit 3' TERM; echo; while :; do sleep 0.05; done")
        )
        self.until(lambda: (tmp_path / "a/out").read_text())
        engine.cancel()
        self.outcomes(engine)
        assert "saved" in (tmp_path / "a/out").read_text()

    def test_what_a_job_started_ends_with_it(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "(while :; do date > beat; sleep 0.05; done) & wait"))
        self.until(lambda: (tmp_path / "a/beat").exists())
        engine.cancel()
        self.outcomes(engine)
        (tmp_path / "a/beat").unlink(missing_ok=True)
        time.sleep(0.2)
        assert not (tmp_path / "a/beat").exists()

    def test_closing_stops_what_runs(self, tmp_path):
        with self.another() as engine:
            engine.submit(self.job(tmp_path, "sleep 30"))
        assert engine.running == 0

    def test_a_later_runner_takes_a_running_job_over(self, engine, tmp_path):
        job = self.job(tmp_path, "sleep 0.3; exit 4")
        place = json.loads(json.dumps(engine.submit(job)))  # a place must survive a file
        later = self.another()
        assert later.attach(job, place)
        assert self.outcomes(later)["a"].returncode == 4

    def test_a_job_that_has_ended_cannot_be_taken_over(self, engine, tmp_path):
        job = self.job(tmp_path, "exit 0")
        place = engine.submit(job)
        self.outcomes(engine)
        assert not self.another().attach(job, place)

    def test_a_place_of_nowhere_cannot_be_taken_over(self, engine, tmp_path):
        assert not engine.attach(self.job(tmp_path, ""), {})

    @staticmethod
    def until(condition) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the condition never held")
