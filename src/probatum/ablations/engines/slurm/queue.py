"""Slurm's own words: what is in the queue, what the cluster allows, and how jobs are signalled.

One `squeue` tells about all jobs, so that the controller is asked once, however many runs there are. Accounting
(`sacct`) is not needed: many clusters have none.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from probatum._errors import UsageError

_CALL_SECONDS = 60.0
_PER_CALL = 200  # array expressions in one command line
_ARRAY = re.compile(r"(\d+)_\[([\d,-]+)(?:%\d+)?\]")


@dataclass(frozen=True, slots=True)
class Queue:
    """What is in the queue: the state and the name of each job of this user, by its id `12` or `12_3`."""

    states: Mapping[str, str]
    names: Mapping[str, str]

    def state(self, job: str, name: str) -> str | None:
        """Return a job's compact state (`PD`, `R`, `CG`); None for one that is not there, or not by that name."""
        return self.states.get(job) if self.names.get(job) == name else None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a cluster is called and allows."""

    name: str
    array_size: int
    job_count: int


def read_queue() -> Queue | None:
    """Return what is in the queue; None where Slurm does not answer, which says nothing about the jobs."""
    # Without it an expression like `12_[3,5-9]` is cut after 64 letters.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SQUEUE_")}
    command = ["squeue", "--me", "--noheader", "--format=%i|%t|%j"]
    try:
        text = _call(command, {**environment, "SLURM_BITSTR_LEN": "0"})
    except UsageError:
        return None
    states: dict[str, str] = {}
    names: dict[str, str] = {}
    for line in text.splitlines():
        expression, state, name = line.split("|", 2)
        for job in job_ids(expression):
            states[job], names[job] = state, name.strip()
    return Queue(states, names)


class RecentQueue:
    """The queue as it was a moment ago, for questions that come in thousands."""

    def __init__(self, seconds: float = 2.0) -> None:
        self._seconds, self._read, self._queue = seconds, float("-inf"), None

    def get(self) -> Queue | None:
        """Return the queue, read anew where the last look is too old."""
        if time.monotonic() - self._read > self._seconds:
            self._queue, self._read = read_queue(), time.monotonic()
        return self._queue


def read_cluster() -> Cluster:
    """Return what the cluster allows.

    Raises:
        UsageError: Slurm is not there or does not answer.
    """
    text = _call(["scontrol", "show", "config"])
    found = dict(re.findall(r"^(ClusterName|MaxArraySize|MaxJobCount)\s*=\s*(\S+)", text, re.MULTILINE))
    return Cluster(found["ClusterName"], int(found["MaxArraySize"]), int(found["MaxJobCount"]))


def default_minutes(partition: str | None) -> int:
    """Return the time limit that a partition gives to jobs that ask for none; 0 where there is no limit.

    Raises:
        UsageError: there is no such partition.
    """
    command = ["scontrol", "--oneliner", "show", "partition"]
    for line in _call(command if partition is None else [*command, partition]).splitlines():
        found = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if partition is not None or found.get("Default") == "YES":
            given = found.get("DefaultTime", "NONE")
            return minutes(found.get("MaxTime", "UNLIMITED") if given == "NONE" else given)
    return 0


def minutes(text: str) -> int:
    """Return the minutes in Slurm's way to write them; 0 for no limit.

    Example:
        >>> minutes("1-02:00:30"), minutes("00:30:00"), minutes("UNLIMITED")
        (1561, 30, 0)
    """
    if not text[:1].isdigit():
        return 0
    days, _, rest = text.rpartition("-")
    hours, mins, seconds = (int(part) for part in rest.split(":"))
    return (int(days or 0) * 24 + hours) * 60 + mins + (seconds > 0)


def cancel_waiting(jobs: Iterable[str]) -> None:
    """Take jobs out of the queue that have not started."""
    _cancel(["--state=PENDING"], jobs)


def ask_to_end(jobs: Iterable[str]) -> None:
    """Send TERM to the supervisors of jobs, and to nothing else of them."""
    _cancel(["--batch", "--signal=TERM"], jobs)


def cancel(jobs: Iterable[str]) -> None:
    """Stop jobs as Slurm does: TERM to everything, and KILL after the cluster's KillWait."""
    _cancel([], jobs)


def job_ids(expression: str) -> Iterator[str]:
    """Yield the ids in an expression of squeue.

    Example:
        >>> list(job_ids("12_[0-2,5%4]")), list(job_ids("7")), list(job_ids("12_3"))
        (['12_0', '12_1', '12_2', '12_5'], ['7'], ['12_3'])
    """
    found = _ARRAY.fullmatch(expression)
    if found is None:
        yield expression
        return
    for part in found[2].split(","):
        first, _, last = part.partition("-")
        yield from (f"{found[1]}_{index}" for index in range(int(first), int(last or first) + 1))


def expressions(jobs: Iterable[str]) -> list[str]:
    """Return the shortest expressions for ids: the inverse of `job_ids`.

    Example:
        >>> expressions(["12_5", "12_0", "7", "12_2", "12_1"])
        ['7', '12_[0-2,5]']
    """
    singles, arrays = [], {}
    for job in jobs:
        array, _, index = job.partition("_")
        if index:
            arrays.setdefault(array, []).append(int(index))
        else:
            singles.append(job)
    return singles + [f"{array}_[{_ranges(sorted(indices))}]" for array, indices in arrays.items()]


def _ranges(indices: list[int]) -> str:
    parts: list[list[int]] = []
    for index in indices:
        if parts and index == parts[-1][1] + 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def _cancel(words: list[str], jobs: Iterable[str]) -> None:
    found = expressions(jobs)
    for start in range(0, len(found), _PER_CALL):
        # Its complaints are about jobs that have ended already, which is what was wanted.
        subprocess.run(["scancel", "--quiet", *words, *found[start : start + _PER_CALL]],
                       capture_output=True, check=False, timeout=_CALL_SECONDS)  # fmt: skip


def _call(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True,
                              timeout=_CALL_SECONDS)  # fmt: skip
    except FileNotFoundError:
        raise UsageError(
            f"expected {command[0]} on the PATH: engine slurm works on a machine that can submit to Slurm. "
            "Log in there, or choose another: --engine local."
        ) from None
    except subprocess.CalledProcessError as error:
        raise UsageError(f"`{' '.join(command)}` failed: {error.stderr.strip()}") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"`{' '.join(command)}` did not answer within {_CALL_SECONDS:.0f} s.") from None
    return done.stdout
