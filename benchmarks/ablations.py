"""The speed of ablations: what the runner adds to a run, a large plan, and the analysis of many finished runs.

`overhead`: the runner beside a loop of `subprocess.run` over the same commands (`runner_overhead`).
`plans`: a whole process that resolves and validates 10,000 experiments.
`analyze`: a whole process of `probatum analyze` over 10,000 finished runs, beside a whole process of
`mlflow.search_runs` and pandas over the same runs in MLflow's SQLite store, in turns. "First" reads every file;
the others find what the last one, or `probatum ablate` at its end, has read and compare times of change.

MLflow runs in an interpreter of its own: `--peers-python`, or `PEERS_PYTHON`.
The result is `benchmarks/results/ablations.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import many_runs, runner_overhead
from benchmarks.measurement import save, spread

ROOT = Path(__file__).resolve().parents[1]
LOAD = """\
import sys
from probatum._errors import ParameterError
from probatum.ablations import load_plan
try:
    print(len(load_plan(sys.argv[1]).runs))
except ParameterError as error:
    print(str(error).count("unknown key"))
"""
ANALYZE = "from probatum.cli.main import main; main()"  # what the installed `probatum` script does


def process(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Return the seconds of a command by the clock and by the processor, and what it printed.

    Raises:
        RuntimeError: it failed; the message holds what it said.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-500:]}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def plans(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Return the seconds of a process that loads each plan; the first round warms up."""
    files = many_runs.write_plans(folder, count)
    taken: dict[str, list[tuple[float, float, str]]] = {name: [] for name in files}
    for _ in range(rounds + 1):
        for name, file in files.items():
            taken[name].append(process([sys.executable, "-c", LOAD, str(file)], folder))
    return {
        name: {
            "seconds": spread([seconds for seconds, _, _ in found[1:]]),
            "processor_seconds": spread([seconds for _, seconds, _ in found[1:]]),
            "found": int(found[0][2]),
        }
        for name, found in taken.items()
    }


def analyze(folder: Path, count: int, rounds: int, python: str | None) -> dict[str, Any]:
    """Return the seconds of each way to a leaderboard, and their ratio within a round."""
    results, peer_file = many_runs.make_runs(folder, count)
    time.sleep(2.5)  # what changed just now is not remembered
    memory = next(results.glob("*/.probatum")) / "analysis.json"
    command = [sys.executable, "-c", ANALYZE, "analyze", str(results)]

    def first() -> tuple[float, float, str]:
        memory.unlink(missing_ok=True)
        return process(command, folder)

    ways: dict[str, Callable[[], tuple[float, float, str]]] = {
        "first": first,
        "again": lambda: process(command, folder),
    }
    found: dict[str, Any] = {"missing": []}
    if python is None:
        found["missing"].append("mlflow: --peers-python names no interpreter that has it")
    else:
        script, store = str(ROOT / "benchmarks" / "mlflow_search.py"), folder / "mlflow.db"
        filled = json.loads(
            process([python, script, "fill", str(store), str(peer_file)], folder)[2].splitlines()[-1]
        )
        found["mlflow"] = filled["mlflow"]
        ways["mlflow"] = lambda: process([python, script, "search", str(store), many_runs.METRIC], folder)
    taken: dict[str, list[tuple[float, float, str]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(way())
    return {**found, **_compared(taken)}


def _compared(taken: dict[str, list[tuple[float, float, str]]]) -> dict[str, Any]:
    seconds = {name: [each[0] for each in found] for name, found in taken.items()}
    processor = {name: [each[1] for each in found] for name, found in taken.items()}
    result: dict[str, Any] = {
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "processor_seconds": {name: spread(values) for name, values in processor.items()},
    }
    if "mlflow" in taken:
        told = json.loads(taken["mlflow"][-1][2].splitlines()[-1])
        result["search_seconds"] = spread(
            [json.loads(each[2].splitlines()[-1])["search_seconds"] for each in taken["mlflow"]]
        )
        result["is_same_best"] = f" {told['best']} " in taken["again"][-1][2].split("\n\n")[1].splitlines()[1]
        for name in ("first", "again"):
            result[f"times_as_fast_{name}"] = spread(_ratios(seconds["mlflow"], seconds[name]))
            result[f"times_as_fast_{name}_processor"] = spread(_ratios(processor["mlflow"], processor[name]))
    return result


def _ratios(theirs: list[float], ours: list[float]) -> list[float]:
    return [a / b for a, b in zip(theirs, ours, strict=True)]


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peers-python", default=os.environ.get("PEERS_PYTHON"), help="with MLflow and pandas"
    )
    parser.add_argument("--count", type=int, default=10_000, help="experiments, and finished runs")
    parser.add_argument("--rounds", type=int, default=6, help="of the runner and the plans")
    parser.add_argument("--analyze-rounds", type=int, default=3)
    parser.add_argument(
        "--only", choices=["overhead", "plans", "analyze"], help="print one part, write nothing"
    )
    arguments = parser.parse_args()
    load, result = os.getloadavg()[0], {}
    with tempfile.TemporaryDirectory(prefix="ablations-") as name:
        folder = Path(name)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "overhead": lambda: runner_overhead.measure(arguments.rounds),
            "plans": lambda: plans(folder / "plans", arguments.count, arguments.rounds),
            "analyze": lambda: analyze(
                folder / "runs", arguments.count, arguments.analyze_rounds, arguments.peers_python
            ),
        }
        for part in [arguments.only] if arguments.only else parts:
            result[part] = parts[part]()
            print(json.dumps({part: result[part]}, indent=1), flush=True)
    if not arguments.only:
        print(save("ablations", {"count": arguments.count, "rounds": arguments.rounds, **result}, load))


if __name__ == "__main__":
    main()
