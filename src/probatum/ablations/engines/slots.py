"""The parts of a machine that jobs take: threads and devices, never more than there are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from probatum._errors import UsageError

_THREAD_VARIABLES: tuple[str, ...] = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Slot:
    """What one job may use."""

    number: int
    threads: int
    device: str | None

    def environment(self) -> dict[str, str]:
        """Return the variables that keep a process inside the slot."""
        variables: dict[str, str] = dict.fromkeys(_THREAD_VARIABLES, str(self.threads))
        return variables if self.device is None else {**variables, _DEVICES: self.device}


def plan_slots(
    jobs: int | None, cores: int | None = None, devices: Sequence[str] | None = None
) -> list[Slot]:
    """Return the slots of this machine: one per job, the cores divided among them.

    Without `jobs`: one per device, or a single one on a machine without. More jobs than cores or devices would
    only slow each other down, so they wait for a slot instead.

    Example:
        >>> [(slot.threads, slot.device) for slot in plan_slots(2, cores=5, devices=["0", "1"])]
        [(2, '0'), (2, '1')]
        >>> len(plan_slots(8, cores=2, devices=[]))
        2

    Raises:
        UsageError: `jobs` is not at least 1.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs must be at least 1, got {jobs}.")
    cores = cores or available_cores()
    devices = visible_devices() if devices is None else devices
    count = min(jobs or max(1, len(devices)), cores, len(devices) or cores)
    threads = max(1, cores // count)
    return [Slot(number, threads, devices[number] if devices else None) for number in range(count)]


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def visible_devices() -> list[str]:
    """Return the CUDA devices that are visible: by the environment, else by the driver's files."""
    given = os.environ.get(_DEVICES)
    if given is not None:
        return [part.strip() for part in given.split(",") if part.strip() not in ("", "-1")]
    files = Path("/dev").glob("nvidia[0-9]*")
    return sorted((file.name.removeprefix("nvidia") for file in files), key=int)
