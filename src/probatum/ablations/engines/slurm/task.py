"""A run on the node that Slurm chose: what the submission script becomes."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from dataclasses import replace

from probatum.ablations.engines.task import StopRequest, carry_out, job_from_json

_LINGER_SECONDS = 1.0


def carry_out_on_node(line: str, threads: int, grace_seconds: float) -> tuple[int, str, float]:
    """Return a run's exit code, why it was ended, and its seconds on the node.

    The exit code is kept under its name only where the run ended by itself or reached a time limit. A run that
    was stopped leaves none: whoever stopped it, it is not done, and no later runner may take it for done.
    """
    job = job_from_json(line)
    noted = job.exit_code.with_name(f".{job.exit_code.name}-{os.environ.get('SLURM_JOB_ID', os.getpid())}")
    limits: list[int] = []
    with contextlib.closing(StopRequest()) as stop:
        signal.signal(signal.SIGUSR2, lambda number, _: (limits.append(number), stop.make()))
        signal.signal(signal.SIGTERM, lambda *_: stop.make())
        started = time.monotonic()
        code, reason = carry_out(replace(job, exit_code=noted), threads, grace_seconds, stop)
        seconds = time.monotonic() - started
        if not reason and _is_asked(stop, 0.0 if code == 0 else _LINGER_SECONDS):
            reason = "cancelled"
    if limits and reason == "cancelled":
        reason = "timed out"  # Slurm's own limit is near
    if reason == "cancelled":
        noted.unlink()
    else:
        os.replace(noted, job.exit_code)
    return code, reason, seconds


def _is_asked(stop: StopRequest, seconds: float) -> bool:
    """Return whether the end is asked for, now or within a moment.

    `scancel` sends TERM to every process of a job, in no promised order. The program may die of it before its
    supervisor has heard of it, and would pass for one that failed.
    """
    poll = select.poll()
    poll.register(stop.fileno(), select.POLLIN)
    return bool(poll.poll(int(seconds * 1000)))
