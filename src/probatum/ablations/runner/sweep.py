"""Carries a plan out: what exists is skipped, what was interrupted goes on, what fails is told and tried again."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from probatum._errors import ProbatumError
from probatum.ablations.engines.base import Engine, Job, Outcome, read_exit_code
from probatum.ablations.plan.model import Plan, PlannedRun
from probatum.ablations.runner.ending import age_seconds, record_end
from probatum.ablations.runner.folder import PlanFolder, RunFolder
from probatum.ablations.runner.index import write_index
from probatum.ablations.runner.lock import plan_lock
from probatum.ablations.runner.progress import Progress, duration
from probatum.ablations.runner.record import (
    first_record,
    is_completed,
    read_record,
    run_tags,
    started,
    write_configs,
    write_ended,
    write_started,
)
from probatum.ablations.runner.seal import seal_plan
from probatum.ablations.targets.base import Start
from probatum.runs.status import utc_now

Say = Callable[[str], None]
_WAIT_SECONDS = 1.0  # an interrupt is heard at the latest after this long
_TOGETHER = 1000  # so many are laid out before the first of them is submitted
_LOSSES = 3  # how often a run may lose its machine before it is left for another day


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """How a plan is carried out."""

    skip_existing: bool = False
    max_runs: int | None = None  # starts of this call; retries of a run count once
    timeout_seconds: float | None = None
    retries: int = 0
    fail_fast: bool = False


@dataclass
class SweepResult:
    """What became of the runs of this call, by key."""

    completed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    interrupted: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # not started: --max-runs, --fail-fast or an interrupt

    def line(self) -> str:
        """Return the counts in one line."""
        counts = {name: len(keys) for name, keys in vars(self).items() if keys}
        return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing to do"


def run_plan(plan: Plan, engine: Engine, options: SweepOptions, say: Say = print) -> SweepResult:
    """Carry a plan out and return what became of each run.

    A second runner on the same plan is refused. Ctrl-C and SIGTERM stop the runs gently and leave a whole
    record; after a SIGKILL the next call takes over what still runs and collects what ended meanwhile.

    Raises:
        UsageError: another runner works on this plan.
    """
    folder = PlanFolder(plan.folder)
    folder.make()
    with plan_lock(folder):
        return _Sweep(plan, engine, options, say, folder).run()


class _Sweep:
    """The state of one call: what waits, what runs, how often each was tried."""

    def __init__(
        self, plan: Plan, engine: Engine, options: SweepOptions, say: Say, folder: PlanFolder
    ) -> None:
        self.plan, self.engine, self.options, self.say, self.folder = plan, engine, options, say, folder
        self.result = SweepResult()
        self.active: dict[str, tuple[PlannedRun, dict[str, Any]]] = {}
        self.waiting: deque[PlannedRun] = deque()
        self.ended: deque[Outcome] = deque()
        self.tries: dict[str, int] = {}
        self.losses: dict[str, int] = {}
        self.ready: dict[str, Job] = {}  # laid out before its turn, beside the run that goes on
        self.progress = Progress(0, engine.at_once)
        self.is_stopping = False

    def run(self) -> SweepResult:
        """Do everything, and leave a whole index whatever happens."""
        records = {run.key: read_record(self._folder(run)) for run in self.plan.runs}
        completed = sum(1 for record in records.values() if record and record.get("status") == "completed")
        seal_plan(self.plan, self.folder, completed)
        self._warn_of_threads()
        try:
            with _interruptible():
                taken = {run.key for run in self.plan.runs if self._recover(run, records[run.key])}
                self._choose([run for run in self.plan.runs if run.key not in taken])
                write_index(self.plan, self.folder)
                self._loop()
        except KeyboardInterrupt:
            self.say("stopping: asking the runs to end")
            self._stop()
        finally:
            self.result.left += [run.key for run in self.waiting]
            write_index(self.plan, self.folder)
        return self.result

    def _warn_of_threads(self) -> None:
        """Tell where runs will slow each other down; nothing is changed, since `threads` is recorded."""
        wanted = max((self.plan.target.threads(run) or 0 for run in self.plan.runs), default=0)
        if self.engine.threads is not None and wanted > self.engine.threads:
            self.say(
                f"note: runs use {wanted} threads each, {self.engine.slots} at a time, where {self.engine.threads} "
                "each would fit. Lower --jobs, or --set threads."
            )

    # ---------------------------------------------------------------- what is there already

    def _recover(self, run: PlannedRun, record: dict[str, Any] | None) -> bool:
        """Take over or collect a run that an earlier runner left; return whether it needs no start."""
        if record is None or record.get("status") != "running":
            return False
        folder, place = self._folder(run), record.get("place") or {}
        if self.engine.attach(self._job(run, folder, Start((), self.plan.root, {}, {})), place):
            self.active[run.key] = (run, record)
            self.tries[run.key] = 1
            self.progress.total += 1
            self.say(f"{run.key}: taken over, {self.engine.describe(place)}")
            return True
        code = read_exit_code(folder.exit_code)
        seconds = 0.0 if code is None else age_seconds(folder, place)
        outcome = Outcome(run.key, code, "lost" if code is None else "", seconds)
        ended = self._ended(run, record, outcome)
        if ended["status"] == "completed" and ended["config_hash"] == run.config_hash:
            self.result.completed.append(run.key)
            self.say(f"{run.key}: completed while no runner was there")
            return True
        return False

    def _choose(self, runs: list[PlannedRun]) -> None:
        """Put in line what is to be started."""
        chosen = []
        for run in runs:
            if self.options.skip_existing and is_completed(run, self._folder(run)):
                self.result.skipped.append(run.key)
            else:
                chosen.append(run)
        limit = len(chosen) if self.options.max_runs is None else self.options.max_runs
        self.waiting.extend(chosen[:limit])
        self.result.left += [run.key for run in chosen[limit:]]
        self.progress.total += len(self.waiting)
        if self.result.skipped:
            self.say(f"skipped: {len(self.result.skipped)} completed with the same hash")

    # ---------------------------------------------------------------- the loop

    def _loop(self) -> None:
        while self.waiting or self.active:
            self._start_waiting()
            self._prepare_ahead()
            self._finish_ended()
            if self.is_stopping:
                self.say("stopping at the first failure (--fail-fast)")
                self._stop()

    def _finish_ended(self) -> None:
        self.ended.extend(self.engine.wait(_WAIT_SECONDS))
        if all(outcome.is_success for outcome in self.ended) and not self.options.fail_fast:
            self._start_waiting()  # the next runs do not wait for the records of these
        while self.ended:
            self._finish(self.ended.popleft())

    def _start_waiting(self) -> None:
        """Start what fits, all at once: a batch system gets one array."""
        free = min(len(self.waiting), self.engine.slots - self.engine.running, _TOGETHER)
        jobs = [job for job in (self._job_of(self.waiting.popleft()) for _ in range(free)) if job]
        places = self.engine.submit_all(jobs) if jobs else []
        for job, place in zip(jobs, places, strict=True):
            run, record = self.active[job.key]
            if isinstance(place, Exception):
                del self.active[job.key]
                self._refused(run, record, str(place))
            else:
                record |= {"place": place, "start_time": utc_now()}
                write_started(self._folder(run), record)

    def _prepare_ahead(self) -> None:
        """Lay the next run out while others run: a new one, of a target that makes nothing for it yet."""
        if not self.waiting or not self.plan.target.prepares_ahead:
            return
        run = self.waiting[0]
        if run.key in self.ready or self._folder(run).metadata.exists():
            return
        job = self._prepare(run)
        if job is None:  # it is recorded as failed
            self.waiting.popleft()
        else:
            self.ready[run.key] = job

    def _job_of(self, run: PlannedRun) -> Job | None:
        return self.ready.pop(run.key, None) or self._prepare(run)

    def _prepare(self, run: PlannedRun) -> Job | None:
        """Lay a run's folder out and return its job; None where it cannot be executed, which is recorded."""
        folder = self._folder(run)
        previous = self._continuable(run, folder)
        self.tries[run.key] = self.tries.get(run.key, 0) + 1
        record = first_record(self.plan, run, folder)
        record["attempts"] = previous.get("attempts", []) if previous else []
        folder.set_aside()
        folder.artifacts.mkdir(parents=True, exist_ok=True)
        write_configs(folder, self.plan.target.written_configs(run, folder, run_tags(self.plan, run)))
        try:
            start = self.plan.target.start(run, folder, previous)
        except (OSError, ProbatumError) as error:
            self._refused(run, record, str(error))
            return None
        self.active[run.key] = (run, started(record, start, self.engine.name, utc_now()))
        return self._job(run, folder, start)

    def _continuable(self, run: PlannedRun, folder: RunFolder) -> dict[str, Any] | None:
        record = read_record(folder)
        is_same = record is not None and record.get("config_hash") == run.config_hash
        return record if is_same and record and record.get("status") in ("interrupted", "failed") else None

    def _refused(self, run: PlannedRun, record: dict[str, Any], error: str) -> None:
        """Record a run whose process could not even be started: a program that is not there."""
        ended = {**record, "status": "failed", "end_time": utc_now(), "duration_seconds": 0.0, "error": error}
        write_ended(self._folder(run), ended, None)
        self._failed(run, ended, 0.0)

    def _finish(self, outcome: Outcome) -> None:
        run, record = self.active[outcome.key]
        record = self._ended(run, record, outcome)
        del self.active[outcome.key]  # an interrupt before has it recorded again
        if outcome.reason == "lost" and self._may_be_lost_again(run):
            self.say(f"{run.key}: {record['error']}; it is started again")
            self.waiting.appendleft(run)
        elif record["status"] == "interrupted":
            self.result.interrupted.append(run.key)
        elif record["status"] == "completed":
            self.result.completed.append(run.key)
            self.progress.ended(outcome.duration_seconds, failed=False)
            self.say(
                f"[{self.progress.line()}] {run.key} completed in {duration(outcome.duration_seconds)}"
                f"{self._headline(record)}"
            )
        elif self.tries[run.key] <= self.options.retries and not self.is_stopping:
            self.say(f"{run.key}: {record['error']}; attempt {self.tries[run.key] + 1} follows")
            self.waiting.appendleft(run)
        else:
            self._failed(run, record, outcome.duration_seconds)

    def _may_be_lost_again(self, run: PlannedRun) -> bool:
        """Count a loss, which is the machine's fault and no try of the run; return whether to start it again."""
        self.losses[run.key] = self.losses.get(run.key, 0) + 1
        self.tries[run.key] -= 1
        return self.losses[run.key] <= _LOSSES and not self.is_stopping

    def _failed(self, run: PlannedRun, record: dict[str, Any], seconds: float) -> None:
        self.result.failed.append(run.key)
        self.progress.ended(seconds, failed=True)
        tail = "".join(f"\n    {line}" for line in record.get("last_lines", ()))
        self.say(f"[{self.progress.line()}] {run.key} FAILED: {record['error']} ({record['run_root']}){tail}")
        self.is_stopping = self.is_stopping or self.options.fail_fast

    def _stop(self) -> None:
        """Start nothing more, ask what runs to end, and record it."""
        self.is_stopping = True
        self.result.left += [run.key for run in self.waiting]
        for run in self.waiting:
            self.active.pop(run.key, None)  # laid out ahead, and never started
        self.waiting.clear()
        self.ready.clear()
        self.engine.cancel()
        while self.engine.running or self.ended:
            self._finish_ended()
        for key, (run, _) in list(self.active.items()):  # not yet submitted, or reported in that very instant
            code = read_exit_code(self._folder(run).exit_code)
            self._finish(Outcome(key, code, "cancelled" if code is None else "", 0.0))

    # ---------------------------------------------------------------- one run

    def _folder(self, run: PlannedRun) -> RunFolder:
        return self.folder.run(run.place)

    def _job(self, run: PlannedRun, folder: RunFolder, start: Start) -> Job:
        return Job(
            run.key, start.command, start.cwd, start.env, folder.stdout, folder.stderr, folder.exit_code,
            self.options.timeout_seconds,
        )  # fmt: skip

    def _ended(self, run: PlannedRun, record: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
        return record_end(self.plan, self._folder(run), record, outcome)

    def _headline(self, record: dict[str, Any]) -> str:
        metric, summary = self.plan.primary_metric, record.get("summary") or {}
        name = metric.name if metric else "loss"
        value = summary.get("metrics", {}).get(name.removeprefix("metrics_"))
        return f", {name} {value:.4g}" if isinstance(value, int | float) else ""


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM end the sweep as Ctrl-C does, where signals can be caught at all."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        previous = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
