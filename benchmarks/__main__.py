"""`python -m benchmarks [NAME ...]`: run the benchmarks, all of them unless named, and say what is missing.

Where peers stand is told by the environment: `PYKT_PATH` (a folder with pyKT), `PEERS_PYTHON` (an
interpreter with MLflow, Sacred and Aim), `PROBATUM_DATA` (the folder with ASSISTments2015).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

NAMES = ("throughput", "startup", "recording", "probe_overhead", "landscape", "concare_encoder", "pareto",
         "explain", "ablations", "abprop_throughput", "packs", "growth_episodes")  # fmt: skip


def obstacle(name: str) -> str | None:
    """Return why a benchmark cannot run at all here, or None."""
    if name == "abprop_throughput" and not os.environ.get("PROBATUM_DATA"):
        return "PROBATUM_DATA does not name the folder with antibody/pooled_open.csv.gz"
    if name == "throughput" and not os.environ.get("PROBATUM_DATA"):
        return "PROBATUM_DATA does not name the folder with ASSISTments2015"
    return None


def options(name: str) -> list[str]:
    """Return the options that the environment gives a benchmark."""
    if name in ("recording", "ablations") and (python := os.environ.get("PEERS_PYTHON")):
        return ["--peers-python", python]
    return []


def main() -> int:
    """Run the benchmarks one after the other; return how many failed or could not run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    names = parser.parse_args().names or NAMES
    wrong = [name for name in names if name not in NAMES]
    if wrong:
        parser.error(f"no benchmark {', '.join(wrong)}; there are {', '.join(NAMES)}")
    failures = 0
    for name in names:
        print(f"== {name}", flush=True)
        if reason := obstacle(name):
            print(f"missing: {reason}")
            failures += 1
            continue
        command = [sys.executable, "-m", f"benchmarks.{name}", *options(name)]
        root = Path(__file__).resolve().parents[1]
        failures += subprocess.run(command, cwd=root, check=False).returncode != 0
    return failures


if __name__ == "__main__":
    sys.exit(main())
