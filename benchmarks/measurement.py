"""What the benchmarks share: spreads, the machine, and the file that a result goes into."""

from __future__ import annotations

import json
import os
import platform
import shlex
import statistics
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, lowest and highest of some values.

    Example:
        >>> spread([3.0, 1.0, 2.0])
        {'median': 2.0, 'lowest': 1.0, 'highest': 3.0}
    """
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def save(name: str, result: dict[str, Any], load_before: float, path: Path | None = None) -> Path:
    """Write a result with its circumstances and return the file.

    Args:
        name: The benchmark.
        result: Its figures.
        load_before: The machine's load (1 minute) before the benchmark began.
        path: The file; `results/NAME.json` where None.
    """
    path = path or RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "benchmark": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", f"benchmarks.{name}", *map(_relocatable, sys.argv[1:])]),
        "machine": machine(),
        "load": {"before": load_before, "after": os.getloadavg()[0]},
        **result,
    }
    path.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    return path


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _relocatable(argument: str) -> str:
    """Return an argument without a path of this machine: the last name of an absolute one, in angle brackets."""
    return f"<{Path(argument).name}>" if argument.startswith("/") else argument
