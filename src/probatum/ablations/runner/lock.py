"""One runner per plan: two would write into the same folders."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from probatum._errors import UsageError
from probatum.ablations.runner.folder import PlanFolder


@contextmanager
def plan_lock(folder: PlanFolder) -> Iterator[None]:
    """Hold the plan while its runner lives; the system gives it back when the process ends, however it ends.

    Raises:
        UsageError: another runner holds it.
    """
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            raise UsageError(
                f"{folder.folder.name}: another runner (process {holder}) works on this plan. "
                "`probatum ablate --status PLAN` tells how far it is."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def is_held(folder: PlanFolder) -> bool:
    """Return whether a runner works on the plan now."""
    try:
        descriptor = os.open(folder.lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
