"""The supervisor of a job on a node of a Ray cluster: it runs there, and any runner of the cluster can ask it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from probatum.ablations.engines.task import NOT_STARTED, StopRequest, carry_out, job_from_json

# An actor whose job is over keeps its cores until it is collected. Where no runner is there it leaves after this
# long; the exit code is in its file.
LINGER_SECONDS = 30.0
_KEPT = ("RAY_ADDRESS",)  # a job may use Ray itself
_OF_THE_WORKER = ("SPT_NOENV",)
_DEVICES = "CUDA_VISIBLE_DEVICES"


def job_environment(worker: Mapping[str, str], *, has_devices: bool) -> dict[str, str]:
    """Return the environment of the node, without what Ray adds for its own worker.

    The devices are those that Ray gives. To a job that asked for none it leaves all of the node in sight, which
    belong to others: they are hidden.

    Example:
        >>> job_environment({"PATH": "/bin", "RAY_JOB_ID": "01", _DEVICES: "1"}, has_devices=True)
        {'PATH': '/bin', 'CUDA_VISIBLE_DEVICES': '1'}
        >>> job_environment({"PATH": "/bin"}, has_devices=False)
        {'PATH': '/bin', 'CUDA_VISIBLE_DEVICES': ''}
    """

    def is_of_the_worker(name: str) -> bool:
        if name == "PYTHONBREAKPOINT":
            return worker[name].startswith("ray.")
        return name in _OF_THE_WORKER or (name.startswith("RAY_") and name not in _KEPT)

    hidden = {} if has_devices else {_DEVICES: ""}
    return {name: value for name, value in worker.items() if not is_of_the_worker(name)} | hidden


class RayJob:
    """Carries one job out in a thread, and answers while it runs. Becomes an actor through `ray.remote`.

    Args:
        text: the job, as `task.job_to_json` writes it.
        threads: for the libraries that compute in threads.
        grace_seconds: between asking the job to end and killing it.
        has_devices: whether it asked for any.
        linger_seconds: how long the actor stays when the job is over and nobody collects it.
    """

    def __init__(
        self,
        text: str,
        threads: int,
        grace_seconds: float,
        has_devices: bool,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._stop = StopRequest()
        environment = job_environment(os.environ, has_devices=has_devices)
        self._end: Future[tuple[int, str, float]] = ThreadPoolExecutor(1).submit(
            self._carry_out, text, threads, grace_seconds, environment
        )
        self._end.add_done_callback(lambda _: _leave_after(linger_seconds))

    async def where(self) -> dict[str, str]:
        """Return the node's address and name; it is answered as soon as the actor has its place."""
        import ray

        return {"node_ip": ray.util.get_node_ip_address(), "node_id": ray.get_runtime_context().get_node_id()}

    async def is_over(self) -> bool:
        """Return whether the job has ended."""
        return self._end.done()

    async def result(self) -> tuple[int, str, float]:
        """Return the exit code, the reason and the seconds, when the job ends."""
        return await asyncio.wrap_future(self._end)

    async def stop(self) -> None:
        """Ask the job to end."""
        self._stop.make()

    def _carry_out(
        self, text: str, threads: int, grace_seconds: float, environment: Mapping[str, str]
    ) -> tuple[int, str, float]:
        start = time.monotonic()
        try:
            code, reason = carry_out(job_from_json(text), threads, grace_seconds, self._stop, environment)
        except OSError as error:
            code, reason = NOT_STARTED, f"its files cannot be written on node {os.uname().nodename}: {error}"
        return code, reason, time.monotonic() - start


def _leave_after(seconds: float) -> None:
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
