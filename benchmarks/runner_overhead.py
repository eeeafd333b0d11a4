"""What the runner adds to each run of a plan: beside a loop of `subprocess.run` over the same commands, in turns.

The script is a person's own: it notes the clock at its first and at its last instruction, and writes a CSV.
Three of them: the standard library alone, one that imports numpy, one that imports torch.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measurement import spread
from probatum.ablations import PlanOptions, SweepOptions, load_plan, run_plan
from probatum.ablations.engines.base import Job
from probatum.ablations.engines.local import LocalEngine
from probatum.ablations.engines.slots import Slot

SCRIPTS = {"standard library": "", "numpy": "import numpy", "torch": "import torch"}
RUNS = {"standard library": 20, "numpy": 8, "torch": 2}  # of a round
SCRIPT = """\
import time
begun = time.monotonic_ns()
import csv, sys
{imports}
configuration, folder = sys.argv[1:]
open(configuration).read()
with open(folder + "/log.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["step", "tag", "metric", "value"])
    for step in range(10):
        writer.writerow([step, "train", "loss", 1 / (step + 1)])
with open(folder + "/marks", "w") as file:
    file.write(f"{{begun}} {{time.monotonic_ns()}}")
"""
PLAN = """\
plan_name: plan
defaults: {{train_script: ['{python}', script.py, '{{train_config}}', '{{output_dir}}'], train_config: train.yaml}}
results: {{file: log.csv, format: long}}
matrix: {{train.steps: {values}}}
"""


@dataclass
class Round:
    """Seconds of one round, and what each run's own clock says."""

    seconds: float = 0.0
    processor_seconds: float = 0.0  # of the runner itself
    decided: list[int] = field(default_factory=list)  # when a start was asked for, in ns
    collected: list[int] = field(default_factory=list)  # when its result was at hand
    marks: list[tuple[int, int]] = field(default_factory=list)  # first and last instruction of the script

    def milliseconds(self) -> dict[str, float]:
        """Return the parts per run."""
        count = len(self.marks)
        launch = [begun - decided for decided, (begun, _) in zip(self.decided, self.marks, strict=True)]
        collection = [done - ended for done, (_, ended) in zip(self.collected, self.marks, strict=True)]
        between = [after[0] - before[1] for before, after in zip(self.marks, self.marks[1:], strict=False)]
        return {
            "run": self.seconds / count * 1e3,
            "processor": self.processor_seconds / count * 1e3,
            "launch": sum(launch) / count / 1e6,
            "collection": sum(collection) / count / 1e6,
            "between": sum(between) / len(between) / 1e6,
        }


class TimedEngine(LocalEngine):
    """One slot; notes when each start was asked for."""

    def __init__(self, found: Round) -> None:
        super().__init__(slots=[Slot(0, 1, None)])
        self.found = found

    def submit(self, job: Job) -> dict[str, Any]:
        """Start the job."""
        self.found.decided.append(time.monotonic_ns())
        return super().submit(job)


def sweep(folder: Path, count: int) -> Round:
    """Carry a plan of `count` runs out."""
    plan = load_plan(folder / "plan.yaml", PlanOptions(output=folder / f"out{time.monotonic_ns()}"))
    found = Round()

    def say(line: str) -> None:
        if " completed in " in line:
            found.collected.append(time.monotonic_ns())

    with TimedEngine(found) as engine:
        _timed(found, lambda: run_plan(plan, engine, SweepOptions(), say))
    found.marks = [_marks(plan.folder / run.key / "artifacts") for run in plan.runs]
    return found


def loop(folder: Path, count: int) -> Round:
    """Run the same commands one after the other."""
    out, found = folder / f"out{time.monotonic_ns()}", Round()
    environment = {**os.environ, **Slot(0, 1, None).environment()}

    def run() -> None:
        for number in range(count):
            own = out / str(number)
            found.decided.append(time.monotonic_ns())
            own.mkdir(parents=True)
            command = [sys.executable, "script.py", "train.yaml", str(own)]
            subprocess.run(command, cwd=folder, env=environment, check=True)
            found.collected.append(time.monotonic_ns())

    _timed(found, run)
    found.marks = [_marks(out / str(number)) for number in range(count)]
    return found


def measure(rounds: int) -> dict[str, Any]:
    """Return both sides' milliseconds and their ratio within a round, by script; the first round warms up."""
    return {name: _of_script(name, rounds) for name in SCRIPTS}


def _of_script(name: str, rounds: int) -> dict[str, Any]:
    count = RUNS[name]
    taken: dict[str, list[dict[str, float]]] = {"probatum": [], "subprocess.run": []}
    sides: dict[str, Callable[[Path, int], Round]] = {"probatum": sweep, "subprocess.run": loop}
    with tempfile.TemporaryDirectory(prefix="overhead-") as place:
        folder = Path(place)
        (folder / "script.py").write_text(SCRIPT.format(imports=SCRIPTS[name]))
        (folder / "train.yaml").write_text("steps: 0\nlearning_rate: 0.001\n")
        (folder / "plan.yaml").write_text(PLAN.format(python=sys.executable, values=list(range(count))))
        for number in range(rounds + 1):
            for side in list(sides)[:: 1 if number % 2 else -1]:
                taken[side].append(sides[side](folder, count).milliseconds())
    ours, bare = taken["probatum"][1:], taken["subprocess.run"][1:]
    return {
        "runs": count,
        "milliseconds": {side: _spreads(found[1:]) for side, found in taken.items()},
        "ratio": spread([a["run"] / b["run"] for a, b in zip(ours, bare, strict=True)]),
        "between_ratio": spread([a["between"] / b["between"] for a, b in zip(ours, bare, strict=True)]),
        "extra_milliseconds": spread([a["run"] - b["run"] for a, b in zip(ours, bare, strict=True)]),
    }


def _spreads(found: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {part: spread([each[part] for each in found]) for part in found[0]}


def _timed(found: Round, work: Callable[[], object]) -> None:
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    found.seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    found.processor_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _marks(folder: Path) -> tuple[int, int]:
    begun, ended = (folder / "marks").read_text().split()
    return int(begun), int(ended)
