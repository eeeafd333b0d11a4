"""Processes of this machine: each in its own session, so that it outlives the runner and is stopped whole."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from probatum._errors import UsageError
from probatum.ablations.engines.base import Engine, Job, Outcome, read_exit_code
from probatum.ablations.engines.options import EngineOptions, read_options
from probatum.ablations.engines.processes import BLIND_SECONDS, end_descriptor, signal_group
from probatum.ablations.engines.slots import Slot, plan_slots
from probatum.runs.status import process_start, this_process

# The shell notes the exit code where it stays, whoever is there to read it. It catches TERM only to outlive the
# program, which gets the signal too and may take its time to end well.
_SHELL = 'trap : TERM INT; "$@"; code=$?; echo $code > "$0"; exit $code'


class LocalOptions(EngineOptions):
    """What the local engine can be told."""

    grace_seconds: float = Field(
        default=10.0, ge=0.0, description="how long a run may take to end when asked to"
    )


@dataclass
class _Running:
    job: Job
    pid: int
    slot: Slot | None
    process: subprocess.Popen[bytes] | None  # None for one taken over
    descriptor: int | None
    started: float = field(default_factory=time.monotonic)
    reason: str = ""
    kill_at: float | None = None

    @property
    def is_over(self) -> bool:
        if self.process is not None:
            return self.process.poll() is not None
        return process_start(self.pid) is None


class LocalEngine(Engine):
    """N processes side by side, each with its share of the cores and its own device.

    Args:
        jobs: how many at a time; one per device where not given, one on a machine without.
        options: see `LocalOptions`.
        slots: the slots themselves, instead of those of this machine.
    """

    name = "local"

    def __init__(
        self,
        jobs: int | None = None,
        options: Mapping[str, str] | None = None,
        *,
        slots: Sequence[Slot] | None = None,
    ) -> None:
        self._free = list(slots) if slots is not None else plan_slots(jobs)
        self.slots = len(self._free)
        self.threads = min(slot.threads for slot in self._free)
        self._grace = read_options(LocalOptions, self.name, options or {}).grace_seconds
        self._running: dict[str, _Running] = {}

    @property
    def running(self) -> int:
        """The number of processes that are not yet reported."""
        return len(self._running)

    def submit(self, job: Job) -> dict[str, Any]:
        """Start the process in a free slot."""
        if not self._free:
            raise UsageError(f"{job.key}: all {self.slots} slots are taken. Wait for one.")
        slot = self._free.pop(0)
        environment = {**os.environ, **slot.environment(), **job.env}
        try:
            with job.stdout.open("ab") as out, job.stderr.open("ab") as err:
                process = subprocess.Popen(
                    ["/bin/sh", "-c", _SHELL, str(job.exit_code), *job.command],
                    cwd=job.cwd, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                    start_new_session=True,
                )  # fmt: skip
        except OSError:
            self._free.insert(0, slot)
            raise
        self._running[job.key] = _Running(job, process.pid, slot, process, end_descriptor(process.pid))
        start = process_start(process.pid)
        own = {"pid": process.pid, "start_time": start, "slot": slot.number, "submitted_at": time.time()}
        return {**this_process(), **own}

    def attach(self, job: Job, place: Mapping[str, Any]) -> bool:
        """Take over a process of an earlier runner on this machine, in a slot where one is free."""
        pid, here = place.get("pid"), this_process()
        if not isinstance(pid, int) or any(place.get(name) != here[name] for name in ("host", "boot_id")):
            return False
        start = process_start(pid)
        if start is None or start != place.get("start_time"):
            return False
        slot = self._free.pop(0) if self._free else None
        age = max(0.0, time.time() - float(place.get("submitted_at", time.time())))
        self._running[job.key] = _Running(job, pid, slot, None, end_descriptor(pid), time.monotonic() - age)
        return True

    def wait(self, timeout_seconds: float) -> list[Outcome]:
        """Return the processes that ended; it sleeps until one does, or a time limit is reached."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            self._enforce_limits()
            over = [running for running in self._running.values() if running.is_over]
            left = deadline - time.monotonic()
            if over or not self._running or left <= 0:
                return [self._report(running) for running in over]
            self._sleep(min([left, *self._limits()]))

    def cancel(self, keys: Sequence[str] | None = None) -> None:
        """Ask processes to end; those that do not within the grace time are stopped."""
        for key in list(self._running) if keys is None else keys:
            if key in self._running:
                self._stop(self._running[key], "cancelled")

    @classmethod
    def is_alive(cls, place: Mapping[str, Any]) -> bool | None:
        """Return whether the process is there; None for one of another machine."""
        if place.get("host") != this_process()["host"]:
            return None
        return isinstance(place.get("pid"), int) and process_start(place["pid"]) == place.get("start_time")

    def describe(self, place: Mapping[str, Any]) -> str:
        """Return the process's number."""
        return f"process {place.get('pid')}"

    def _stop(self, running: _Running, reason: str) -> None:
        if not running.reason:
            running.reason, running.kill_at = reason, time.monotonic() + self._grace
            signal_group(running.pid, signal.SIGTERM)

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        for running in self._running.values():
            limit = running.job.timeout_seconds
            if limit is not None and now - running.started >= limit:
                self._stop(running, "timed out")
            if running.kill_at is not None and now >= running.kill_at:
                signal_group(running.pid, signal.SIGKILL)

    def _limits(self) -> list[float]:
        """Return the seconds to each time at which something must be done."""
        now, limits = time.monotonic(), []
        for running in self._running.values():
            limit = running.job.timeout_seconds
            if running.kill_at is not None:
                limits.append(max(BLIND_SECONDS, running.kill_at - now))
            elif limit is not None:
                limits.append(max(0.0, running.started + limit - now))
        return limits

    def _sleep(self, seconds: float) -> None:
        descriptors = [running.descriptor for running in self._running.values()]
        if None in descriptors:
            time.sleep(min(seconds, BLIND_SECONDS))
            return
        poll = select.poll()
        for descriptor in descriptors:
            poll.register(descriptor or 0, select.POLLIN)
        poll.poll(max(1, int(seconds * 1000)))

    def _report(self, running: _Running) -> Outcome:
        del self._running[running.job.key]
        if running.descriptor is not None:
            os.close(running.descriptor)
        if running.reason:
            signal_group(running.pid, signal.SIGKILL)  # what the program started and left behind
        if running.slot is not None:
            self._free.append(running.slot)
        code = running.process.returncode if running.process else None
        noted = read_exit_code(running.job.exit_code)
        code = noted if noted is not None else code
        lost = "" if running.process or noted is not None else "lost"
        return Outcome(running.job.key, code, running.reason or lost, time.monotonic() - running.started)
