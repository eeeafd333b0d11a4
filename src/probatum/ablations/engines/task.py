"""The process of a job on the machine where a cluster or a batch system placed it.

The job's files are written here and read by the runner, so both must see the same file system.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from probatum._files import strict_json, write_whole
from probatum.ablations.engines.base import Job
from probatum.ablations.engines.processes import BLIND_SECONDS, end_descriptor, signal_group
from probatum.ablations.engines.slots import Slot

NOT_STARTED = 126  # the exit code of a job that could not be started, as a shell tells it
# The shell's input is a pipe that this process holds open. Where this process dies, killed with its node's
# service, the pipe ends and the watcher takes the whole group with it: a job without a supervisor would go on
# writing into the folder of its own successor. The shell catches TERM only to outlive the program.
_SHELL = (
    "exec 3<&0 </dev/null; (trap '' TERM INT; read -r gone <&3; kill -KILL 0) & "
    'trap : TERM INT; "$@" 3<&-'
)  # fmt: skip


def job_to_json(job: Job) -> str:
    """Return a job as one line of JSON.

    Example:
        >>> job = Job("a", ("true",), Path("/x"), {}, Path("/x/out"), Path("/x/err"), Path("/x/code"))
        >>> job_from_json(job_to_json(job)) == job
        True
    """
    paths = {name: str(getattr(job, name)) for name in ("cwd", "stdout", "stderr", "exit_code")}
    own = {"key": job.key, "command": list(job.command), "env": dict(job.env)}
    return strict_json({**own, **paths, "timeout_seconds": job.timeout_seconds}, indent=None)


def job_from_json(text: str) -> Job:
    """Return the job in a line of `job_to_json`."""
    fields: dict[str, Any] = json.loads(text)
    paths = {name: Path(fields[name]) for name in ("cwd", "stdout", "stderr", "exit_code")}
    return Job(**{**fields, **paths, "command": tuple(fields["command"])})


class StopRequest:
    """A request to end a job, made from another thread or from a signal handler."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        os.set_blocking(self._read, False)

    def make(self) -> None:
        """Ask the job to end; asking again changes nothing."""
        with contextlib.suppress(OSError):  # full: asked often enough; closed: the job is over
            os.write(self._write, b".")

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the request is made."""
        return self._read

    def close(self) -> None:
        """Release the descriptors."""
        for descriptor in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def carry_out(
    job: Job,
    threads: int | None,
    grace_seconds: float,
    stop: StopRequest | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Return the exit code of a job and why it was ended: empty, `timed out` or `cancelled`.

    The job runs in a session of its own; what it leaves running when it ends is stopped, because the devices
    go to the next job. TERM to this process is passed on and counts as `cancelled`; so does `stop`. A job that
    does not end within `grace_seconds` is killed with all that it started, and so is one whose supervisor,
    this process, is killed. A program killed by signal n has the exit code 128 + n; one that could not be
    started has 126, and its standard error says why.

    Args:
        job: what to run; its exit code is written whole to `job.exit_code`.
        threads: for the libraries that compute in threads; None leaves them what the environment says.
        grace_seconds: between asking the job to end and killing it.
        stop: a request from another thread.
        environment: instead of `os.environ`, under the variables of the threads and of the job.

    Raises:
        OSError: the folder of the job's files cannot be written from this machine.
    """
    own = {} if threads is None else Slot(0, threads, None).environment()
    variables = {**(os.environ if environment is None else environment), **own, **job.env}
    with contextlib.ExitStack() as stack:
        request = stop or stack.enter_context(contextlib.closing(StopRequest()))
        stack.enter_context(_terminated_as(request))
        code, reason = _run(job, variables, grace_seconds, request)
    write_whole(job.exit_code, f"{code}\n")
    return code, reason


def _run(job: Job, environment: Mapping[str, str], grace: float, stop: StopRequest) -> tuple[int, str]:
    with job.stdout.open("ab") as out, job.stderr.open("ab") as err, _all_signals():
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _SHELL, "sh", *job.command],
                cwd=job.cwd, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=err,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            err.write(f"{job.key}: cannot be started on {os.uname().nodename}: {error}\n".encode())
            return NOT_STARTED, ""
    with process:
        try:
            reason = _supervise(process, job.timeout_seconds, grace, stop)
        finally:
            signal_group(process.pid, signal.SIGKILL)  # what is left of the group, and its watcher
    code = process.returncode
    return (code if code >= 0 else 128 - code), reason


def _supervise(process: subprocess.Popen[bytes], limit: float | None, grace: float, stop: StopRequest) -> str:
    """Wait for the end of the process, which it is asked for at its time limit or on request."""
    reason, deadline = "", None if limit is None else time.monotonic() + limit
    with _Watch(process, stop) as watch:
        while not watch.is_over():
            is_late = deadline is not None and time.monotonic() >= deadline
            if reason and is_late:
                signal_group(process.pid, signal.SIGKILL)
                deadline = None
            elif not reason and (is_late or watch.is_asked):
                reason = "timed out" if is_late else "cancelled"
                signal_group(process.pid, signal.SIGTERM)
                deadline = time.monotonic() + grace
            watch.sleep(deadline)
    return reason


class _Watch:
    """Sleeps until a process ends, its end is requested, or a time is reached."""

    def __init__(self, process: subprocess.Popen[bytes], stop: StopRequest) -> None:
        self._process, self._stop, self.is_asked = process, stop, False
        self._poll = select.poll()
        self._poll.register(stop.fileno(), select.POLLIN)
        self._descriptor = end_descriptor(process.pid)
        if self._descriptor is not None:
            self._poll.register(self._descriptor, select.POLLIN)

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def sleep(self, deadline: float | None) -> None:
        seconds = 3600.0 if deadline is None else max(0.0, deadline - time.monotonic())
        if self._descriptor is None:
            seconds = min(seconds, BLIND_SECONDS)
        ready = self._poll.poll(int(seconds * 1000) + 1)
        if any(descriptor == self._stop.fileno() for descriptor, _ in ready):
            self.is_asked = True
            self._poll.unregister(self._stop.fileno())

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


@contextlib.contextmanager
def _all_signals() -> Iterator[None]:
    """Let a process that is started here get every signal; a cluster's worker blocks some, which is inherited."""
    previous = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


@contextlib.contextmanager
def _terminated_as(stop: StopRequest) -> Iterator[None]:
    """Turn TERM into a request to end, where signals can be caught at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: stop.make())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
