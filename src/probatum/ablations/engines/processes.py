"""Processes that lead a group of their own: signals to all of it, and a way to sleep until it ends."""

from __future__ import annotations

import contextlib
import os
import signal

BLIND_SECONDS = 0.02  # between looks where the system cannot tell that a process ended


def end_descriptor(pid: int) -> int | None:
    """Return a descriptor that becomes readable when the process ends, where the system has such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and all that it started; one that is gone needs none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
