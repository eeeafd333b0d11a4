"""Several seeds side by side: one process a seed, as many at once as cores or devices allow."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from probatum._errors import RunFailedError
from probatum.runs.paths import RunPaths


def slots(parameters: Any, *, cores: int, cuda_devices: int) -> list[tuple[str, ...]]:
    """Return the device names of each seed that can train at the same time.

    CUDA devices make one slot each; on a CPU there are as many slots as `threads` fit into the cores. A
    strategy that spreads one seed over all devices leaves one slot.

    Example:
        >>> from types import SimpleNamespace
        >>> cpu = SimpleNamespace(devices=("cpu",), strategy="single", threads=1)
        >>> slots(cpu, cores=2, cuda_devices=0)
        [('cpu',), ('cpu',)]
    """
    if parameters.strategy != "single":
        return [parameters.devices]
    names = parameters.devices
    if "auto" in names:
        names = tuple(str(number) for number in range(cuda_devices)) or ("cpu",)
    if names == ("cpu",):
        return [("cpu",)] * max(1, cores // parameters.threads)
    return [(name,) for name in names]


def run_side_by_side(
    paths: RunPaths, seeds: Sequence[int], places: Sequence[tuple[str, ...]], say: Callable[[str], None]
) -> None:
    """Train every seed in a process of its own, at most one per place at a time.

    A seed that fails does not stop the others; their work is kept, and `probatum resume` runs the rest.

    Raises:
        RunFailedError: names the seeds that failed, with their last lines.
    """
    waiting, lock, failed = deque(seeds), threading.Lock(), {}

    def serve(place: tuple[str, ...]) -> None:
        while True:
            with lock:
                if not waiting:
                    return
                seed = waiting.popleft()
            code, tail = _run_worker(paths, seed, place, say)
            if code != 0:
                failed[seed] = (code, tail)

    threads = [threading.Thread(target=serve, args=(place,), daemon=True) for place in places[: len(seeds)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        details = "\n".join(
            f"  seed {seed} (exit code {code}): {tail}" for seed, (code, tail) in sorted(failed.items())
        )
        raise RunFailedError(f"{len(failed)} of {len(seeds)} seeds failed; the others are kept.\n{details}")


def _run_worker(
    paths: RunPaths, seed: int, place: tuple[str, ...], say: Callable[[str], None]
) -> tuple[int, str]:
    command = [sys.executable, "-m", "probatum.training.worker", str(paths.folder), str(seed), *place]
    last: deque[str] = deque(maxlen=5)
    with subprocess.Popen(  # standard input stays open as long as this process lives: the worker watches it
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker: PIPE was asked for
        for line in process.stdout:
            last.append(line.rstrip())
            say(f"[seed {seed}] {line.rstrip()}")
    return process.returncode, " | ".join(last)
