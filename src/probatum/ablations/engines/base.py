"""Where runs execute: the interface that local processes, a cluster and a batch system share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from probatum._errors import ProbatumError


@dataclass(frozen=True, slots=True)
class Job:
    """One process to run; its output goes to files, so that it survives whoever started it."""

    key: str  # unique in the sweep
    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]  # laid over the engine's environment
    stdout: Path
    stderr: Path
    exit_code: Path  # written by the job when it ends: what remains where the runner was killed
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    `reason` is empty where the process ended by itself; else `timed out`, `cancelled`, or `lost` for a job
    that vanished without its own doing: its machine died, or somebody else took it out of the queue.
    """

    key: str
    returncode: int | None
    reason: str
    duration_seconds: float

    @property
    def is_success(self) -> bool:
        """Whether the process ended by itself with 0."""
        return self.returncode == 0 and not self.reason


class Engine(ABC):
    """Runs jobs, at most `slots` at a time. Not safe for several threads.

    An engine is a context manager; leaving it cancels what still runs. `tests/ablations/engine_conformance.py`
    holds what every engine must do.
    """

    name: ClassVar[str]
    slots: int
    threads: int | None = None  # what one job should use at most; None where the engine does not know

    @property
    def at_once(self) -> int | None:
        """How many jobs run at the same time; None where a scheduler decides."""
        return self.slots

    @property
    @abstractmethod
    def running(self) -> int:
        """The number of jobs that are submitted and not yet reported."""

    @abstractmethod
    def submit(self, job: Job) -> dict[str, Any]:
        """Start a job and return its place: plain JSON with which another process can `attach` to it.

        Raises:
            UsageError: all slots are taken.
        """

    def submit_all(self, jobs: Sequence[Job]) -> list[dict[str, Any] | Exception]:
        """Start several jobs, as one array where the engine has such; return the place of each.

        A job that cannot be started has its error in its place, and the others go on.
        """
        places: list[dict[str, Any] | Exception] = []
        for job in jobs:
            try:
                places.append(self.submit(job))
            except (OSError, ProbatumError) as error:
                places.append(error)
        return places

    @abstractmethod
    def attach(self, job: Job, place: Mapping[str, Any]) -> bool:
        """Take over a job that an earlier runner submitted; return whether it still runs."""

    @abstractmethod
    def wait(self, timeout_seconds: float) -> list[Outcome]:
        """Return the jobs that ended, each once; an empty list after `timeout_seconds` without one."""

    @abstractmethod
    def cancel(self, keys: Sequence[str] | None = None) -> None:
        """Stop jobs, all where `keys` is None, first gently; `wait` reports them as cancelled."""

    @classmethod
    def is_alive(cls, place: Mapping[str, Any]) -> bool | None:
        """Return whether a job still runs, asked from any process; None where that cannot be told from here."""
        return None

    def describe(self, place: Mapping[str, Any]) -> str:
        """Return where a job runs, for people."""
        return self.name

    def close(self) -> None:
        """Cancel what still runs and wait for its end."""
        self.cancel()
        while self.running:
            self.wait(0.1)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_exit_code(path: Path) -> int | None:
    """Return the exit code that a job left, or None where it left none."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
