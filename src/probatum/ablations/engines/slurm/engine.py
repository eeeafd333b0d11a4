"""Runs in Slurm's hands, through submitit: one job array per sweep, and the scheduler decides when and where."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from probatum._errors import ProbatumError, UsageError
from probatum.ablations.engines.base import Engine, Job, Outcome, read_exit_code
from probatum.ablations.engines.options import read_options
from probatum.ablations.engines.slurm import queue as slurm_queue
from probatum.ablations.engines.slurm.lanes import Lanes
from probatum.ablations.engines.slurm.options import SlurmOptions
from probatum.ablations.engines.slurm.queue import Queue, RecentQueue
from probatum.ablations.engines.slurm.submission import (
    clean,
    clean_folder,
    home,
    import_submitit,
    left_behind,
    log_tail,
    new_name,
    read_result,
    refresh,
    submit,
)
from probatum.ablations.engines.task import NOT_STARTED

_LOG = logging.getLogger(__name__)
_COMPLETING = "CG"  # the processes are gone, the node is being tidied up
_CANCEL_POLL_SECONDS = 0.5  # somebody waits for the end
_LIMIT_MARGIN_MINUTES = 5  # Slurm's limit above the run's own, which ends it gently


@dataclass
class _Running:
    job: Job
    id: str
    name: str
    folder: Path
    is_cancelled: bool = False
    kill_at: float | None = None
    missing_since: float | None = None
    seen: float = field(default_factory=time.monotonic)  # since when this runner knows it


class SlurmEngine(Engine):
    """Runs as jobs of Slurm.

    `slots` is how many may be in Slurm's hands, queued or running: the scheduler queues, not the runner. How many
    run at a time is the arrays' throttle, `jobs`.

    Args:
        jobs: how many run at a time; as many as Slurm likes where not given.
        options: see `SlurmOptions`.

    Raises:
        UsageError: Slurm does not answer, or does not take the options.
        MissingExtraError: submitit is not installed.
    """

    name = "slurm"
    _recent: ClassVar[RecentQueue] = RecentQueue()

    def __init__(self, jobs: int | None = None, options: Mapping[str, str] | None = None) -> None:
        if jobs is not None and jobs < 1:
            raise UsageError(f"--jobs must be at least 1, got {jobs}.")
        self._options = read_options(SlurmOptions, self.name, options or {})
        import_submitit()
        self._cluster = slurm_queue.read_cluster()
        self.slots = self._options.slots or max(1, self._cluster.job_count // 2)
        self._array_size = min(self._options.array_size or self._cluster.array_size, self._cluster.array_size)
        self._jobs = jobs
        self._lanes = None if jobs is None else Lanes(jobs)
        self._running: dict[str, _Running] = {}
        self._arrays: dict[str, str] = {}  # Slurm's number of a submission by its name
        self._left: dict[str, int] = {}  # unreported jobs of a submission by its name
        self._searched: set[Path] = set()
        self._attaching = RecentQueue()
        self._next_poll = float("-inf")
        self._is_silent = False

    @property
    def at_once(self) -> int | None:
        """The throttle of the arrays; None where Slurm decides alone."""
        return self._jobs

    @property
    def running(self) -> int:
        """The number of jobs in Slurm's hands."""
        return len(self._running)

    def submit(self, job: Job) -> dict[str, Any]:
        """Queue one job."""
        place = self.submit_all([job])[0]
        if isinstance(place, Exception):
            raise place
        return place

    def submit_all(self, jobs: Sequence[Job]) -> list[dict[str, Any] | Exception]:
        """Queue jobs as one array, or as few as the cluster's MaxArraySize allows."""
        if jobs and len(self._running) + len(jobs) > self.slots:
            error = UsageError(f"{jobs[0].key}: all {self.slots} slots are taken. Wait for one.")
            return [error for _ in jobs]
        parts = [jobs[start : start + self._array_size] for start in range(0, len(jobs), self._array_size)]
        places: list[dict[str, Any] | Exception] = []
        for number, part in enumerate(parts):
            try:
                places += self._submit_array(part, len(parts) - number)
            except (OSError, ProbatumError) as error:
                places += [error for _ in part]
        return places

    def attach(self, job: Job, place: Mapping[str, Any]) -> bool:
        """Take over a job that is in the queue under the number and the name that it was given."""
        words = [place.get(name) for name in ("cluster", "job", "name", "folder")]
        if not all(isinstance(word, str) for word in words) or words[0] != self._cluster.name:
            return False
        queue = self._attaching.get()
        if queue is None:
            raise UsageError(
                "squeue does not answer: it cannot be told which runs still go on. Try again later."
            )
        _, number, name, folder = (str(word) for word in words)
        state, code = queue.state(number, name), read_exit_code(job.exit_code)
        if state in (None, _COMPLETING) and code is not None:
            _tidy(Path(folder), number)  # its end is in its own files
            return False
        if state is None:
            return False
        self._add(_Running(job, number, name, Path(folder)))
        return True

    def wait(self, timeout_seconds: float) -> list[Outcome]:
        """Return the jobs that ended; Slurm is asked every `poll_seconds`, once for all."""
        deadline = time.monotonic() + timeout_seconds
        while self._running:
            if time.monotonic() >= self._next_poll:
                outcomes = list(self._poll())
                if outcomes:
                    return outcomes
            rest = min(deadline, self._next_poll) - time.monotonic()
            if time.monotonic() >= deadline:
                break
            time.sleep(max(0.0, rest))
        return []

    def cancel(self, keys: Sequence[str] | None = None) -> None:
        """Take jobs out of the queue, and ask those that run to end."""
        wanted = self._running if keys is None else [key for key in keys if key in self._running]
        stopped = [self._running[key] for key in wanted if not self._running[key].is_cancelled]
        if not stopped:
            return
        for running in stopped:
            running.is_cancelled = True
            # the supervisor kills its program after the grace time; Slurm is asked to only where it did not
            running.kill_at = time.monotonic() + self._options.grace_seconds + 2 * _CANCEL_POLL_SECONDS
        ids = [running.id for running in stopped]
        slurm_queue.cancel_waiting(ids)
        slurm_queue.ask_to_end(ids)
        self._next_poll = time.monotonic()

    @classmethod
    def is_alive(cls, place: Mapping[str, Any]) -> bool | None:
        """Return whether the job waits or runs, by a look at the queue that is at most two seconds old."""
        queue = cls._recent.get()
        if queue is None:
            return None
        state = queue.state(str(place.get("job")), str(place.get("name")))
        return state not in (None, _COMPLETING)

    def describe(self, place: Mapping[str, Any]) -> str:
        """Return the job's number."""
        return f"slurm job {place.get('job')}"

    # ---------------------------------------------------------------- submitting

    def _submit_array(self, jobs: Sequence[Job], coming: int) -> list[dict[str, Any]]:
        base = home(self._options, jobs[0])
        self._end_left_behind(base, jobs)
        folder, before = base / new_name(), None
        throttle = len(jobs)
        if self._lanes is not None:
            throttle, before = self._lanes.place(folder.name, len(jobs), coming, self._left)
        dependency = None if before is None else self._arrays[before]
        ids = submit(jobs, folder, self._options, self._minutes(jobs), throttle, dependency)
        self._arrays[folder.name] = ids[0].partition("_")[0]
        for job, number in zip(jobs, ids, strict=True):
            self._add(_Running(job, number, folder.name, folder))
        own = {"cluster": self._cluster.name, "name": folder.name, "folder": str(folder),
               "submitted_at": time.time()}  # fmt: skip
        return [{**own, "job": number} for number in ids]

    def _minutes(self, jobs: Sequence[Job]) -> int:
        """Return Slurm's time limit: asked for, else above the run's own, else the partition's."""
        if self._options.time_minutes is not None:
            return self._options.time_minutes
        limits = [job.timeout_seconds for job in jobs if job.timeout_seconds is not None]
        if len(limits) == len(jobs):
            return int((max(limits) + self._options.grace_seconds) // 60) + 1 + _LIMIT_MARGIN_MINUTES
        return slurm_queue.default_minutes(self._options.partition)

    def _end_left_behind(self, base: Path, jobs: Sequence[Job]) -> None:
        """Stop what an earlier runner submitted and had no time to record, where its runs start again."""
        if base in self._searched:
            return
        self._searched.add(base)
        keys, own = {job.key for job in jobs}, {running.id for running in self._running.values()}
        while True:
            queue = slurm_queue.read_queue()
            if queue is None:
                raise UsageError("squeue does not answer: it cannot be told which runs still go on.")
            ids = [job for job, key in left_behind(base, queue) if key in keys and job not in own]
            if not ids:
                return
            _LOG.warning(
                "slurm: %d jobs of an earlier runner, which did not record them, are stopped", len(ids)
            )
            slurm_queue.cancel(ids)
            time.sleep(_CANCEL_POLL_SECONDS)

    def _add(self, running: _Running) -> None:
        self._running[running.job.key] = running
        self._left[running.name] = self._left.get(running.name, 0) + 1

    # ---------------------------------------------------------------- looking

    def _poll(self) -> Iterator[Outcome]:
        is_urgent = any(running.is_cancelled for running in self._running.values())
        pause = self._options.poll_seconds
        self._next_poll = time.monotonic() + (min(pause, _CANCEL_POLL_SECONDS) if is_urgent else pause)
        queue = slurm_queue.read_queue()
        self._tell_silence(queue)
        if queue is None:
            return
        self._stop_stubborn()
        for running in list(self._running.values()):
            outcome = self._look(running, queue)
            if outcome is not None:
                yield outcome

    def _look(self, running: _Running, queue: Queue) -> Outcome | None:
        """Return how a job ended, or None while it has not."""
        state = queue.state(running.id, running.name)
        if state not in (None, _COMPLETING):
            running.missing_since = None
            return None
        result = read_result(running.folder, running.id)
        if isinstance(result, str):
            _append(running.job.stderr, f"slurm job {running.id} failed before its program:\n{result}")
            return self._report(running, NOT_STARTED, "", 0.0)
        if result is not None and not self._may_come_back(running, state, result[1]):
            code, reason, seconds = result
            return self._report(running, code, "lost" if reason == "cancelled" else reason, seconds)
        return self._without_result(running) if state is None else None

    def _may_come_back(self, running: _Running, state: str | None, reason: str) -> bool:
        """Return whether Slurm may put a stopped job back: while it is tidied up, or for a moment out of sight."""
        is_requeued = self._options.requeue and not running.is_cancelled
        return reason == "cancelled" and (state is not None or is_requeued)

    def _without_result(self, running: _Running) -> Outcome | None:
        """Return the loss of a job that left the queue without a word, after the time that files may take."""
        now = time.monotonic()
        if running.is_cancelled:
            return self._report(running, None, "", now - running.seen)
        if running.missing_since is None:
            running.missing_since = now
            refresh(running.folder)
        if now - running.missing_since < self._options.settle_seconds:
            return None
        said = log_tail(running.folder, running.id)
        _append(
            running.job.stderr, f"slurm job {running.id} vanished; {running.folder} holds its log\n{said}"
        )
        return self._report(running, None, "lost", now - running.seen)

    def _report(self, running: _Running, code: int | None, reason: str, seconds: float) -> Outcome:
        del self._running[running.job.key]
        reason = "cancelled" if running.is_cancelled else reason
        clean(running.folder, running.id, keep_logs=reason == "lost")
        self._left[running.name] -= 1
        if not self._left[running.name]:
            del self._left[running.name]
            clean_folder(running.folder)
        return Outcome(running.job.key, code, reason, seconds)

    def _stop_stubborn(self) -> None:
        """Have Slurm stop jobs that were asked to end and did not: their supervisor had not begun to listen."""
        now = time.monotonic()
        late = [job for job in self._running.values() if job.kill_at is not None and now >= job.kill_at]
        for running in late:
            running.kill_at = now + self._options.grace_seconds
        if late:
            slurm_queue.cancel(running.id for running in late)

    def _tell_silence(self, queue: Queue | None) -> None:
        """Say once that Slurm does not answer: the runs go on without it, and so does the waiting."""
        if queue is None and not self._is_silent:
            _LOG.warning("squeue does not answer; the runs go on, and their ends are collected when it does")
        self._is_silent = queue is None


def _tidy(folder: Path, job: str) -> None:
    clean(folder, job)
    clean_folder(folder)


def _append(path: Path, text: str) -> None:
    with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
        file.write(text)
