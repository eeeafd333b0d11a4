"""The Slurm engine on a real Slurm of one node, started for this module."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from engine_conformance import EngineConformance
from slurm_cluster import missing, slurm_cluster

from probatum._errors import RunFailedError
from probatum.ablations.engines.slurm.engine import SlurmEngine
from probatum.ablations.engines.slurm.queue import read_queue

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'probatum[slurm]'")
pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing())]

OPTIONS = {"slots": "2", "poll_seconds": "0.1", "grace_seconds": "0.3", "settle_seconds": "0.5"}
MANY = {**OPTIONS, "slots": "100"}


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Run a Slurm for the tests of this module."""
    with slurm_cluster() as folder:
        yield folder


@pytest.fixture
def silent(tmp_path):
    """Return a PATH whose squeue fails as it does while the controller is away."""
    program = tmp_path / "silent/squeue"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


def slurm(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def number(place) -> str:
    """Return the array's number in a job's id."""
    return place["job"].partition("_")[0]


class TestSlurmEngine(EngineConformance):
    @pytest.fixture
    def engine(self):
        with self.another() as engine:
            yield engine

    @pytest.fixture
    def wide(self):
        """Yield an engine that takes many jobs and starts them as Slurm likes."""
        with SlurmEngine(None, MANY) as engine:
            yield engine

    def another(self):
        return SlurmEngine(2, OPTIONS)

    def begun(self, folder: Path, key: str = "a") -> None:
        """Wait until a job, which prints first of all, has begun."""
        self.until(lambda: (folder / key / "out").read_text())

    # ---------------------------------------------------------------- arrays

    def test_a_sweep_is_one_array(self, wide, tmp_path):
        places = wide.submit_all([self.job(tmp_path, "exit 0", f"run{n}") for n in range(5)])
        array = number(places[0])
        assert [place["job"] for place in places] == [f"{array}_{n}" for n in range(5)]
        assert all(outcome.is_success for outcome in self.outcomes(wide, 5).values())

    def test_the_number_of_runs_at_a_time_is_the_arrays_throttle(self, tmp_path):
        with SlurmEngine(3, MANY) as engine:
            engine.submit_all([self.job(tmp_path, "sleep 30", f"run{n}") for n in range(9)])
            assert "%3]" in slurm("squeue", "--noheader", "--format=%i")
            self.until(lambda: list(read_queue().states.values()).count("R") == 3)

    def test_a_sweep_larger_than_an_array_is_several_that_share_the_throttle(self, tmp_path):
        line = "date +%s%N; sleep 0.3; date +%s%N"
        with SlurmEngine(2, {**MANY, "array_size": "2"}) as engine:
            places = engine.submit_all([self.job(tmp_path, line, f"run{n}") for n in range(5)])
            assert [
                len([p for p in places if number(p) == a]) for a in dict.fromkeys(map(number, places))
            ] == [2, 2, 1]
            assert all(outcome.is_success for outcome in self.outcomes(engine, 5).values())
        times = [[int(t) for t in (tmp_path / f"run{n}/out").read_text().split()] for n in range(5)]
        assert max(sum(begin <= at < end for begin, end in times) for at, _ in times) <= 2

    def test_more_than_the_slots_are_refused_together(self, engine, tmp_path):
        refused = engine.submit_all([self.job(tmp_path, "exit 0", key) for key in "abc"])
        assert [type(error).__name__ for error in refused] == ["UsageError"] * 3
        assert engine.running == 0

    def test_what_slurm_does_not_take_is_told_in_its_words(self, tmp_path):
        with SlurmEngine(None, {**MANY, "partition": "nowhere", "time_minutes": "5"}) as engine:
            errors = engine.submit_all([self.job(tmp_path, "exit 0", key) for key in "ab"])
            assert all(isinstance(error, RunFailedError) for error in errors)
            assert "invalid partition" in str(errors[0])
            assert not list((tmp_path / ".probatum/slurm").iterdir())

    def test_nothing_is_left_of_a_submission_whose_runs_ended(self, wide, tmp_path):
        wide.submit_all([self.job(tmp_path, "exit 3", key) for key in "ab"])
        self.outcomes(wide, 2)
        assert list((tmp_path / ".probatum/slurm").iterdir()) == []

    def test_each_job_has_its_share_of_the_cores(self, tmp_path):
        with SlurmEngine(None, {**OPTIONS, "cpus_per_run": "3"}) as engine:
            engine.submit(self.job(tmp_path, 'echo "$OMP_NUM_THREADS $SLURM_CPUS_PER_TASK"'))
            self.outcomes(engine)
        assert (tmp_path / "a/out").read_text() == "3 3\n"

    # ---------------------------------------------------------------- ends

    def test_the_time_in_the_queue_is_no_running_time(self, tmp_path):
        with SlurmEngine(1, OPTIONS) as engine:
            engine.submit_all([self.job(tmp_path, "sleep 1.5", "a"), self.job(tmp_path, "exit 0", "b")])
            waited = time.monotonic()
            outcome = self.outcomes(engine, 2)["b"]
            assert outcome.duration_seconds < 1.0 < time.monotonic() - waited

    def test_a_job_that_somebody_else_cancels_is_lost(self, engine, tmp_path):
        place = engine.submit(self.job(tmp_path, "trap 'exit 0' TERM; echo; while :; do sleep 0.05; done"))
        self.begun(tmp_path)
        slurm("scancel", place["job"])
        assert self.outcomes(engine)["a"].reason == "lost"
        assert not (tmp_path / "a/code").exists()

    def test_a_waiting_job_that_somebody_else_cancels_is_lost(self, engine, tmp_path):
        engine.submit_all([self.job(tmp_path, "sleep 30", key) for key in "ab"])
        slurm("scancel", "--state=PENDING", "--user=root")
        assert "lost" in {outcome.reason for outcome in self.outcomes(engine).values()}

    def test_a_job_that_vanishes_without_a_word_is_lost_and_its_log_told(self, engine, tmp_path):
        place = engine.submit(self.job(tmp_path, "echo; sleep 30"))
        self.begun(tmp_path)
        slurm("scancel", "--batch", "--signal=KILL", place["job"])
        assert self.outcomes(engine)["a"].reason == "lost"
        assert "vanished" in (tmp_path / "a/err").read_text()
        assert list(Path(place["folder"]).glob("*_log.err"))

    def test_a_job_near_slurms_own_time_limit_is_ended_gently(self, engine, tmp_path):
        place = engine.submit(
            self.job(tmp_path, "trap 'echo saved; exit 0' TERM; echo; while :; do sleep 0.05; done")
        )
        self.begun(tmp_path)
        slurm("scancel", "--batch", "--signal=USR2", place["job"])  # what Slurm sends a minute before
        assert self.outcomes(engine)["a"].reason == "timed out"
        assert "saved" in (tmp_path / "a/out").read_text()

    def test_a_waiting_job_is_cancelled_without_a_node(self, tmp_path):
        with SlurmEngine(1, OPTIONS) as engine:
            engine.submit_all([self.job(tmp_path, "echo; sleep 30", "a"), self.job(tmp_path, "echo", "b")])
            self.begun(tmp_path)
            engine.cancel(["b"])
            assert self.outcomes(engine)["b"].reason == "cancelled"
            assert engine.running == 1
        assert not (tmp_path / "b/out").exists()

    def test_a_folder_that_the_node_cannot_write_is_told(self, engine, tmp_path):
        job = self.job(tmp_path, "exit 0")
        job.stdout.mkdir()
        engine.submit(job)
        assert self.outcomes(engine)["a"].returncode == 126
        assert "IsADirectoryError" in job.stderr.read_text()

    @pytest.mark.slow
    def test_a_job_that_slurm_puts_back_into_the_queue_is_not_lost(self, tmp_path):
        line = "echo; [ -e earlier ] && exit 0; touch earlier; while :; do sleep 0.05; done"
        with SlurmEngine(None, {**OPTIONS, "requeue": "true"}) as engine:
            place = engine.submit(self.job(tmp_path, line))
            self.begun(tmp_path)
            slurm("scontrol", "requeue", place["job"])
            self.until(lambda: engine.wait(0.0) == [] and read_queue().states.get(place["job"]) == "PD")
            slurm("scontrol", "update", f"JobId={place['job']}", "StartTime=now")  # else in two minutes
            assert self.outcomes(engine)["a"].is_success

    # ---------------------------------------------------------------- another runner

    def test_a_jobs_number_that_is_given_out_again_is_another_job(self, engine, tmp_path):
        job = self.job(tmp_path, "sleep 30")
        place = engine.submit(job)
        assert not self.another().attach(job, {**place, "name": "probatum-earlier"})
        assert not self.another().attach(job, {**place, "cluster": "other"})

    def test_any_process_can_ask_whether_a_job_is_alive(self, engine, tmp_path, monkeypatch):
        monkeypatch.setattr(SlurmEngine._recent, "_seconds", 0.0)
        place = engine.submit(self.job(tmp_path, "sleep 30"))
        assert SlurmEngine.is_alive(place) is True
        engine.cancel()
        self.outcomes(engine)
        assert SlurmEngine.is_alive(place) is False

    def test_where_slurm_does_not_answer_nobody_knows(self, monkeypatch, silent):
        monkeypatch.setattr(SlurmEngine._recent, "_seconds", 0.0)
        monkeypatch.setenv("PATH", silent)
        assert SlurmEngine.is_alive({"job": "1", "name": "probatum-1"}) is None

    def test_runs_outlive_a_scheduler_that_does_not_answer(
        self, engine, tmp_path, monkeypatch, caplog, silent
    ):
        engine.submit(self.job(tmp_path, "exit 0"))
        with monkeypatch.context() as broken:
            broken.setenv("PATH", silent)
            assert engine.wait(0.5) == []
        assert [record.message for record in caplog.records if "does not answer" in record.message]
        assert self.outcomes(engine)["a"].is_success

    def test_jobs_that_a_killed_runner_had_no_time_to_record_are_stopped_first(self, engine, tmp_path):
        line = "[ -e earlier ] && exit 0; touch earlier; echo; while :; do touch beat; sleep 0.05; done"
        before = self.another()
        before.submit(self.job(tmp_path, line))
        self.begun(tmp_path)
        engine.submit(self.job(tmp_path, line))
        (tmp_path / "a/beat").unlink()
        assert self.outcomes(engine)["a"].is_success
        assert not (tmp_path / "a/beat").exists()

    def test_a_place_is_told_by_the_jobs_number(self, engine):
        assert engine.describe({"job": "12_3"}) == "slurm job 12_3"
