"""The connection of this process to a Ray cluster, shared by its engines, and what the cluster can hold."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from probatum._errors import MissingExtraError, UsageError
from probatum.ablations.engines.slots import available_cores

NAMESPACE = "probatum"  # where the names of the jobs live, apart from other people's
_STORE_BYTES = 80 * 2**20  # the smallest that Ray likes: jobs write files and put nothing into the store
_KNOCK_SECONDS = 10.0  # Ray itself knocks for minutes at an address where nobody is
_users = 0  # engines of this process that use a connection made here
_lock = threading.Lock()


def import_ray() -> Any:
    """Return the package `ray`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "The engine ray needs Ray, which is not installed. Install it: pip install 'probatum[ray]'"
        ) from error
    return ray


class Connection:
    """One engine's share of the connection to a cluster; the last one to leave disconnects.

    A connection that the program made itself is used as it is, and left as it is.

    Args:
        address: of the cluster; by default that of the variable RAY_ADDRESS, else a Ray of this machine is
            started, which ends with this process.

    Raises:
        UsageError: no cluster answers there.
    """

    def __init__(self, address: str | None) -> None:
        global _users
        self.ray = import_ray()
        with _lock:
            self._is_shared = _users > 0 or not self.ray.is_initialized()
            if not self.ray.is_initialized():
                _connect(self.ray, address or os.environ.get("RAY_ADDRESS") or "local")
            _users += self._is_shared

    def leave(self) -> None:
        """Disconnect where nobody else of this process needs the connection; leaving twice changes nothing."""
        global _users
        with _lock:
            if not self._is_shared:
                return
            self._is_shared = False
            _users -= 1
            if _users == 0:
                self.ray.shutdown()

    def capacity(self, needs: Mapping[str, float]) -> int:
        """Return how many jobs with these needs the living nodes can hold, were they empty."""
        return sum(fits(node["Resources"], needs) for node in self.ray.nodes() if node["Alive"])


def fits(resources: Mapping[str, float], needs: Mapping[str, float]) -> int:
    """Return how many jobs with these needs one node can hold.

    Example:
        >>> fits({"CPU": 9.0, "GPU": 2.0}, {"CPU": 2, "GPU": 0.5})
        4
        >>> fits({"CPU": 9.0}, {"CPU": 1, "GPU": 1})
        0
    """
    return min(int(resources.get(name, 0.0) / need) for name, need in needs.items() if need > 0)


def _connect(ray: Any, address: str) -> None:
    own: dict[str, Any] = {}
    if address == "local":
        own = {"num_cpus": available_cores(), "object_store_memory": _STORE_BYTES, "include_dashboard": False}
    try:
        _knock(address)
        with _quiet():
            ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="error", **own)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"Expected a Ray cluster at {address!r}, got: {error}. Give its address with "
            "--engine-option address=HOST:PORT or in RAY_ADDRESS, or neither for a Ray of this machine."
        ) from error


def _knock(address: str) -> None:
    """See that somebody answers at an address of a machine and a port."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Connect without advice, without usage reports, and without losing the program's own answer to TERM."""
    usage = os.environ.get("RAY_USAGE_STATS_ENABLED")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM) if is_main else None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, module="ray")
            yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)
        if usage is None:
            del os.environ["RAY_USAGE_STATS_ENABLED"]
        else:
            os.environ["RAY_USAGE_STATS_ENABLED"] = usage
