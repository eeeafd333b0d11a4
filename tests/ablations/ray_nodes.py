"""A real Ray cluster of several nodes on this machine, and the proof that nothing of it is left."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

STORE_BYTES = 80 * 2**20
# Ray's own settings take 15 seconds to call a node dead.
HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


@contextlib.contextmanager
def nodes(head_cpus: int):
    """Give a cluster whose head has some cores, with this process connected to it."""
    pytest.importorskip("ray", reason="the engine ray needs the extra: pip install 'probatum[ray]'")
    from ray.cluster_utils import Cluster

    from probatum.ablations.engines.ray.cluster import Connection

    folder = tempfile.mkdtemp(prefix="ray-")  # not under pytest's: the path of a socket must be short
    atexit.register(shutil.rmtree, folder, True)  # after Ray's own, which makes the folder once more
    head = {"num_cpus": head_cpus, "include_dashboard": False, "temp_dir": folder, "_system_config": HEALTH}
    cluster = Cluster(initialize_head=True, head_node_args={"object_store_memory": STORE_BYTES, **head})
    connection = Connection(cluster.address)
    try:
        yield cluster
    finally:
        connection.leave()
        cluster.shutdown()
        remove(folder)


def add_node(cluster, num_cpus: int = 1, **more):
    """Return a node that joined."""
    return cluster.add_node(num_cpus=num_cpus, object_store_memory=STORE_BYTES, **more)


@contextlib.contextmanager
def nowhere_near_a_cluster():
    """Give the environment of a process that must start a Ray of its own, and see that nothing of it is left."""
    folder = tempfile.mkdtemp(prefix="ray-")
    own = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    yield {**own, "RAY_TMPDIR": folder}
    remove(folder)


def remove(folder: str) -> None:
    """See that no process uses a folder of Ray's, and remove it, also where a log is being written late."""
    until(lambda: not processes(folder))
    until(lambda: shutil.rmtree(folder, ignore_errors=True) or not Path(folder).exists())


def processes(word: str) -> list[str]:
    """Return the commands of this machine that hold a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if word in command:
                found.append(command)
    return found


def actors() -> list[str]:
    """Return the names of the jobs that the cluster holds."""
    import ray

    listed = ray.util.list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in listed if actor["namespace"] == "probatum"]


def until(condition, seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.05)
