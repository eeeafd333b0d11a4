"""The tables of the benchmark on ablations: the runner, large plans, the analysis of many runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import spread, table

_WAYS = {
    "first": "`probatum analyze`, every file read",
    "again": "`probatum analyze`, as it is after `ablate` or a first time",
    "mlflow": "`mlflow.search_runs` and pandas",
}
_PLANS = {
    "explicit": "each experiment written out",
    "matrix": "a grid",
    "mistaken": "written out, one in a hundred with a mistake, each told",
}


def ablations(result: Mapping[str, Any]) -> str:
    """Return the three tables."""
    return "\n".join(
        [
            _overhead(result["overhead"]),
            _plans(result["plans"], result["count"]),
            _analyze(result["analyze"], result),
        ]
    )


def _overhead(found: Mapping[str, Any]) -> str:
    rows = []
    for script, own in found.items():
        ours, bare = (own["milliseconds"][side] for side in ("probatum", "subprocess.run"))
        rows.append(
            [
                script, spread(bare["run"], 1), spread(ours["run"], 1), spread(own["ratio"], 2, "x"),
                spread(own["between_ratio"], 2, "x"), spread(ours["launch"], 1), spread(bare["launch"], 1),
                spread(ours["collection"], 1), spread(bare["collection"], 1), spread(ours["processor"], 1),
            ]
        )  # fmt: skip
    head = [
        "script imports", "bare, ms per run", "`ablate`, ms per run", "ratio", "ratio of the time between runs",
        "launch, ms", "bare launch", "collection, ms", "bare collection", "runner's processor time, ms",
    ]  # fmt: skip
    said = (
        "Runs one after the other by `ablate`, and the same commands in a loop of `subprocess.run`, in turns. The "
        "time between runs is from a script's last instruction to the first of the next; launch is from the "
        "decision to start to the script's first instruction; collection from its last to the written record, "
        "while the next run goes on already.\n"
    )
    return f"{said}\n{table(head, rows)}"


def _plans(found: Mapping[str, Any], count: int) -> str:
    rows = [
        [_PLANS.get(name, name), spread(own["seconds"], 2), spread(own["processor_seconds"], 2)]
        for name, own in found.items()
    ]
    said = f"A process that reads, resolves and validates a plan of {count:,} experiments.\n"
    return f"{said}\n{table(['plan', 'seconds', 'processor seconds'], rows)}"


def _analyze(found: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    rows = [
        [
            _WAYS.get(name, name), spread(seconds, 2), spread(found["processor_seconds"][name], 2),
            spread(found.get(f"times_as_fast_{name}"), 1, "x"),
            spread(found.get(f"times_as_fast_{name}_processor"), 1, "x"),
        ]
        for name, seconds in found["seconds"].items()
    ]  # fmt: skip
    version = f" MLflow {found['mlflow']}, SQLite." if "mlflow" in found else ""
    said = f"A process that ranks the experiments of {result['count']:,} finished runs.{version}\n"
    if "is_same_best" in found:
        said += (
            "Both name the same best experiment.\n"
            if found["is_same_best"]
            else "They differ in the best one.\n"
        )
    missing = f"\nNot there when measured: {'; '.join(found['missing'])}.\n" if found.get("missing") else ""
    head = ["way", "seconds", "processor seconds", "MLflow's time over it", "in processor time"]
    return f"{said}\n{table(head, rows)}{missing}"
