"""Runs on the nodes of a Ray cluster: Ray finds the cores and devices, and each job is a process on its node."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from probatum._errors import UsageError
from probatum.ablations.engines.base import Engine, Job, Outcome, read_exit_code
from probatum.ablations.engines.options import EngineOptions, read_options
from probatum.ablations.engines.ray.actor import RayJob
from probatum.ablations.engines.ray.cluster import NAMESPACE, Connection
from probatum.ablations.engines.task import job_to_json

_ANSWER_SECONDS = 5.0  # how long an actor that has its place may take to answer
_ASK_SECONDS = 2.0  # the same where one that is still queued, and cannot answer, must not hold others up
_BLIND_SECONDS = 0.1  # between looks where nothing tells of a change
_CAPACITY_SECONDS = 10.0  # between looks for nodes that joined or left
# A worker notices within about two seconds that its node's service died, and takes its job with it. Until then
# the job may still write, and the same run must not be started elsewhere.
_SETTLE_SECONDS = 3.0


class RayOptions(EngineOptions):
    """What the Ray engine can be told."""

    address: str | None = Field(
        default=None, description="of the cluster; RAY_ADDRESS by default, else a Ray of this machine"
    )
    cpus_per_run: int = Field(default=1, ge=1, description="cores of one run, and its threads")
    gpus_per_run: float = Field(
        default=0.0, ge=0.0, description="devices of one run, hidden from it where 0; 0.5 lets two share one"
    )
    memory_gb: float | None = Field(
        default=None, gt=0.0, description="memory that is set aside for a run, in GiB"
    )
    resources: str = Field(
        default="",
        pattern=r"^([^:,]+:\d+(\.\d+)?(,[^:,]+:\d+(\.\d+)?)*)?$",
        description="resources of the cluster's own, such as a100:1,fast:0.5",
    )
    grace_seconds: float = Field(
        default=10.0, ge=0.0, description="how long a run may take to end when asked to"
    )

    def custom(self) -> dict[str, float]:
        """Return the cluster's own resources by name."""
        pairs = (word.rsplit(":", 1) for word in self.resources.split(",") if word)
        return {name: float(amount) for name, amount in pairs}

    def needs(self) -> dict[str, float]:
        """Return what one run takes of a node, by Ray's names."""
        memory = int((self.memory_gb or 0.0) * 2**30)
        return {"CPU": self.cpus_per_run, "GPU": self.gpus_per_run, "memory": memory, **self.custom()}


@dataclass
class _Running:
    job: Job
    actor: Any
    name: str
    end: Any  # a reference to the result
    where: Any  # a reference to the node; there as soon as the job has its place
    started: float = field(default_factory=time.monotonic)
    reason: str = ""
    kill_at: float | None = None
    lost_at: float | None = None


class RayEngine(Engine):
    """Processes on the nodes of a cluster, where Ray has room for them.

    The runner and the nodes must see the run folders under the same path: a shared file system. Standard
    output, standard error and the exit code are written there by the node. Probatum must be installed on the
    nodes; the environment of a job is that of its node, with the plan's variables laid over it.

    A job is supervised by an actor that outlives its runner, so a later runner of the same cluster takes it
    over. A Ray that was started here, because there was no cluster, ends with this process and its jobs with
    it. A job whose node dies is `lost` as soon as the cluster says so: with Ray's own settings about 15 seconds
    after the death (`health_check_period_ms`, `health_check_failure_threshold`), and then 3 more in which what
    is left of it ends. Ray runs its workers, and with them the jobs, at nice 15 (`RAY_worker_niceness`).

    Args:
        jobs: how many at a time; those that do not fit wait in Ray's queue. By default as many as the cluster
            can hold, looked up again while it runs.
        options: see `RayOptions`.

    Raises:
        UsageError: no cluster answers, or none of its nodes can hold a run.
        MissingExtraError: Ray is not installed.
    """

    name = "ray"

    def __init__(self, jobs: int | None = None, options: Mapping[str, str] | None = None) -> None:
        if jobs is not None and jobs < 1:
            raise UsageError(f"--jobs must be at least 1, got {jobs}.")
        self._options = read_options(RayOptions, self.name, options or {})
        self._connection = Connection(self._options.address)
        self._ray = self._connection.ray
        self._jobs = jobs
        self._running: dict[str, _Running] = {}
        self._left: list[str] = []  # names of actors that were told to go
        capacity = self._connection.capacity(self._options.needs())
        if capacity < 1:
            self._connection.leave()
            raise UsageError(f"No node of the Ray cluster can hold a run that needs {self._wishes()}.")
        self.slots = jobs or capacity
        self._look_at = time.monotonic() + _CAPACITY_SECONDS

    @property
    def running(self) -> int:
        """The number of jobs that are queued or run and are not yet reported."""
        return len(self._running)

    def submit(self, job: Job) -> dict[str, Any]:
        """Queue the job in Ray, which starts it where there is room."""
        if self.running >= self.slots:
            raise UsageError(f"{job.key}: all {self.slots} slots are taken. Wait for one.")
        name = f"{job.key}-{secrets.token_hex(4)}"
        own = self._options
        kind = self._ray.remote(RayJob).options(**self._actor_options(name))
        actor = kind.remote(job_to_json(job), own.cpus_per_run, own.grace_seconds, own.gpus_per_run > 0)
        self._running[job.key] = self._watched(job, actor, name)
        return {"actor": name, "submitted_at": time.time()}

    def attach(self, job: Job, place: Mapping[str, Any]) -> bool:
        """Take over a job of an earlier runner of the same cluster, whether it runs or is still queued."""
        actor = _find(self._ray, place)
        if actor is None:
            return False
        if _answers_over(self._ray, actor):
            self._dismiss(actor, place["actor"])
            return False
        running = self._watched(job, actor, place["actor"])
        running.started -= max(0.0, time.time() - float(place.get("submitted_at", time.time())))
        self._running[job.key] = running
        return True

    def wait(self, timeout_seconds: float) -> list[Outcome]:
        """Return the jobs that ended; it sleeps until one does."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            self._look_at_capacity()
            self._enforce_limits()
            left = deadline - time.monotonic()
            outcomes = self._collect(max(0.0, min([left, *self._limits()])))
            if outcomes or not self._running or left <= 0:
                return outcomes

    def cancel(self, keys: Sequence[str] | None = None) -> None:
        """Ask jobs to end; those that do not within the grace time are killed, and so is what is still queued."""
        keys = list(self._running) if keys is None else list(dict.fromkeys(keys))
        chosen = [
            self._running[key] for key in keys if key in self._running and not self._running[key].reason
        ]
        placed = self._placed(chosen)
        for running in chosen:
            running.reason = "cancelled"
            if running.where in placed:
                running.actor.stop.remote()
                running.kill_at = time.monotonic() + self._options.grace_seconds + _ANSWER_SECONDS
            else:
                self._ray.kill(running.actor)

    @classmethod
    def is_alive(cls, place: Mapping[str, Any]) -> bool | None:
        """Return whether the job is queued or runs; None where this process is not connected to a cluster."""
        ray = sys.modules.get("ray")
        if ray is None or not ray.is_initialized():
            return None
        actor = _find(ray, place)
        return actor is not None and not _answers_over(ray, actor)

    def describe(self, place: Mapping[str, Any]) -> str:
        """Return the node of a job, or that it waits for one."""
        actor = _find(self._ray, place)
        if actor is None:
            return "ray"
        try:
            node = self._ray.get(actor.where.remote(), timeout=_ASK_SECONDS)
        except self._ray.exceptions.RayError:
            return "ray, no node yet"
        return f"ray node {node['node_ip']}/{node['node_id'][:8]}"

    def close(self) -> None:
        """Cancel what still runs, wait for its end, see the actors gone, and leave the cluster."""
        try:
            super().close()
            end = time.monotonic() + _ANSWER_SECONDS
            while any(_find(self._ray, {"actor": name}) for name in self._left) and time.monotonic() < end:
                time.sleep(_BLIND_SECONDS)
        finally:
            self._left.clear()
            self._connection.leave()

    # ---------------------------------------------------------------- actors

    def _actor_options(self, name: str) -> dict[str, Any]:
        needs = self._options.needs()
        return {
            "name": name,
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "max_restarts": 0,  # the runner starts a lost run again, and keeps a record of it
            "num_cpus": needs["CPU"],
            "num_gpus": needs["GPU"],
            "memory": needs["memory"] or None,
            "resources": self._options.custom() or None,
        }

    @staticmethod
    def _watched(job: Job, actor: Any, name: str) -> _Running:
        return _Running(job, actor, name, actor.result.remote(), actor.where.remote())

    def _dismiss(self, actor: Any, name: str) -> None:
        self._ray.kill(actor)
        self._left.append(name)

    def _ready(self, references: list[Any], seconds: float) -> list[Any]:
        return self._ray.wait(references, num_returns=1, timeout=seconds)[0] if references else []

    def _placed(self, jobs: Sequence[_Running]) -> list[Any]:
        """Return the answered `where` of jobs that have their place; one may have started this very moment."""
        asked = [running.where for running in jobs]
        return self._ray.wait(asked, num_returns=len(asked), timeout=_ASK_SECONDS)[0] if asked else []

    # ---------------------------------------------------------------- waiting

    def _collect(self, seconds: float) -> list[Outcome]:
        """Sleep until a job ends, at most `seconds`, and return the outcomes of all that did."""
        watched = {running.end: running for running in self._running.values() if running.lost_at is None}
        if self._ready(list(watched), seconds):
            done, _ = self._ray.wait(list(watched), num_returns=len(watched), timeout=0)
            found = [self._read(watched[reference]) for reference in done]
        else:
            found = []
            if not watched and self._running:
                time.sleep(min(seconds, _BLIND_SECONDS))
        return [outcome for outcome in found if outcome] + self._settled()

    def _read(self, running: _Running) -> Outcome | None:
        """Return the outcome that an actor tells; None where it cannot be told yet."""
        errors = self._ray.exceptions
        try:
            code, reason, seconds = self._ray.get(running.end)
        except errors.ActorUnavailableError:  # cut off; whether it died is for the cluster to say
            time.sleep(_BLIND_SECONDS)
            running.end = running.actor.result.remote()
            return None
        except errors.RayActorError as error:
            if getattr(error, "actor_init_failed", False):
                return self._report(running, None, f"could not be started ({_last_line(error)})")
            running.lost_at = time.monotonic()
            return None
        except errors.RayError as error:
            return self._report(running, None, f"could not be started ({_last_line(error)})")
        return self._report(running, code, reason, seconds)

    def _settled(self) -> list[Outcome]:
        """Return the outcomes of jobs whose actor is gone: cancelled, ended in that instant, or lost."""
        outcomes = []
        for running in list(self._running.values()):
            if running.lost_at is None:
                continue
            code = read_exit_code(running.job.exit_code)
            if running.reason or code is not None:
                outcomes.append(self._report(running, code, running.reason))
            elif time.monotonic() >= running.lost_at + _SETTLE_SECONDS:
                outcomes.append(self._report(running, None, "lost"))
        return outcomes

    def _report(
        self, running: _Running, code: int | None, reason: str, seconds: float | None = None
    ) -> Outcome:
        del self._running[running.job.key]
        self._dismiss(running.actor, running.name)
        age = time.monotonic() - running.started
        return Outcome(running.job.key, code, reason, age if seconds is None else seconds)

    def _enforce_limits(self) -> None:
        """Kill what was asked to end and did not even answer."""
        for running in self._running.values():
            if running.kill_at is not None and time.monotonic() >= running.kill_at:
                running.kill_at = None
                self._ray.kill(running.actor)

    def _limits(self) -> list[float]:
        now = time.monotonic()
        times = [running.kill_at for running in self._running.values() if running.kill_at is not None]
        settling = [r.lost_at + _SETTLE_SECONDS for r in self._running.values() if r.lost_at is not None]
        return [limit - now for limit in times + settling]

    def _look_at_capacity(self) -> None:
        """Use nodes that joined, and do not wait for slots on those that left."""
        if self._jobs is None and time.monotonic() >= self._look_at:
            self.slots = max(1, self._connection.capacity(self._options.needs()))
            self._look_at = time.monotonic() + _CAPACITY_SECONDS

    def _wishes(self) -> str:
        return ", ".join(f"{amount:g} {name}" for name, amount in self._options.needs().items() if amount)


def _find(ray: Any, place: Mapping[str, Any]) -> Any:
    """Return the actor of a place, or None where the cluster knows none of that name."""
    name = place.get("actor")
    if not isinstance(name, str) or not name:
        return None
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        return None


def _answers_over(ray: Any, actor: Any) -> bool:
    """Return whether an actor's job is over; one that does not answer is queued or cut off, and not over."""
    try:
        return ray.get(actor.is_over.remote(), timeout=_ASK_SECONDS)
    except (ray.exceptions.GetTimeoutError, ray.exceptions.ActorUnavailableError):
        return False
    except ray.exceptions.RayError:
        return True


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
