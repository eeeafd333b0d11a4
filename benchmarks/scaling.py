"""What a large plan costs the runner: its bookkeeping for thousands of runs, without the runs.

An imaginary engine takes all runs at once, as a batch system does, and ends some with every look; it writes what
a run leaves (its results and its exit code), and the time for that is taken off. Each size gets a fresh process,
whose memory is the runner's. What stays is what the runner does on one machine, whatever the runs do on others:
resolving the plan, laying out folders, records, the index, `--status`, resuming, and the reading of results.

The queue of Slurm is imagined too: its answer for so many runs is made up, and read as the engine reads it.

Example::

    python -m benchmarks.scaling --sizes 1000 4000 16000

A run takes 11 inodes, 44 kB of 4 kB blocks: 16,000 runs are 0.7 GB, removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.measurement import save
from probatum.ablations import PlanOptions, SweepOptions, load_plan, plan_status, run_plan
from probatum.ablations.engines.base import Engine, Job, Outcome
from probatum.ablations.engines.slurm.queue import job_ids

SEEDS = 10
PER_LOOK = 50  # runs that end between two looks at the queue
PLAN = """
plan_name: large
defaults:
  train_script: [/bin/true, '{seed}', '{output_dir}', '{train.learning_rate}']
results: {file: results.json, format: json}
primary_metric: {name: accuracy, higher_is_better: true}
"""


class ImaginaryEngine(Engine):
    """Ends runs without running them; `seconds` is what it took itself, in the runs' place."""

    name = "local"

    def __init__(self, slots: int) -> None:
        self.slots, self.seconds = slots, 0.0
        self.looks: list[tuple[int, float]] = []  # runs that had ended, and when, at each look
        self._queue: deque[Job] = deque()
        self._ended = 0

    @property
    def running(self) -> int:
        """The number of runs that have not ended."""
        return len(self._queue)

    def submit(self, job: Job) -> dict[str, Any]:
        """Take a run."""
        self._queue.append(job)
        return {"job": f"1_{len(self._queue)}", "submitted_at": time.time()}

    def attach(self, job: Job, place: Mapping[str, Any]) -> bool:
        """Return False: nothing goes on."""
        return False

    def wait(self, timeout_seconds: float) -> list[Outcome]:
        """End the next runs."""
        started = time.perf_counter()
        self.looks.append((self._ended, started - self.seconds))
        jobs = [self._queue.popleft() for _ in range(min(PER_LOOK, len(self._queue)))]
        for job in jobs:
            (job.stdout.parent / "artifacts/results.json").write_text('{"accuracy": 0.5, "loss": 1.25}\n')
            job.stdout.write_text("trained\n")
            job.stderr.touch()
            job.exit_code.write_text("0\n")
        self._ended += len(jobs)
        self.seconds += time.perf_counter() - started
        return [Outcome(job.key, 0, "", 1.0) for job in jobs]

    def cancel(self, keys: Sequence[str] | None = None) -> None:
        """Forget everything."""
        self._queue.clear()


def write_plan(path: Path, runs: int) -> None:
    """Write a plan of `runs` runs: experiments with 10 seeds each."""
    lines = [f"  - {{name: e{n:05d}, train_overrides: {{learning_rate: {1e-6 * (n + 1):.6f}}}}}"
             for n in range(runs // SEEDS)]  # fmt: skip
    path.write_text(PLAN + f"seeds: {list(range(SEEDS))}\nexperiments:\n" + "\n".join(lines) + "\n")


def measure(runs: int, folder: Path) -> dict[str, Any]:
    """Return what a plan of `runs` runs costs; the plan is carried out below `folder`."""
    path, seconds = folder / "plan.yaml", {}
    write_plan(path, runs)
    with timed(seconds, "load_plan"):
        plan = load_plan(path, PlanOptions())
    engine = ImaginaryEngine(runs)
    with timed(seconds, "carry_out"):
        processor = time.process_time()
        result = run_plan(plan, engine, SweepOptions(), lambda line: None)
        engine.looks.append((runs, time.perf_counter() - engine.seconds))
        processor = time.process_time() - processor
    assert len(result.completed) == runs, result.line()
    seconds["carry_out"] -= engine.seconds
    seconds["processor_of_carry_out_and_runs"] = processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with timed(seconds, "status"):
        status = plan_status(plan)
    assert all(run.status == "completed" for run in status.runs)
    with timed(seconds, "resume_with_nothing_to_do"):
        run_plan(plan, engine, SweepOptions(skip_existing=True), lambda line: None)
    from probatum.analysis.reader import read_results

    for name in ("analyze_first", "analyze_again"):
        with timed(seconds, name):
            read_results(plan.folder.parent)
    files, size = disk(plan.folder)
    return {
        "seconds": seconds, "milliseconds_per_run_by_quarter": by_quarter(engine.looks, runs),
        "memory_mb": memory, "index_mb": (plan.folder / "plan_index.json").stat().st_size / 1e6,
        "inodes_per_run": files / runs, "disk_kb_per_run": size / runs / 1e3,
    }  # fmt: skip


def resolve(runs: int, folder: Path) -> dict[str, Any]:
    """Return what it costs to resolve a plan of `runs` runs, and to hold it."""
    seconds: dict[str, float] = {}
    write_plan(folder / "plan.yaml", runs)
    with timed(seconds, "load_plan"):
        plan = load_plan(folder / "plan.yaml", PlanOptions())
    assert len(plan.runs) == runs
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "memory_mb": memory, "queue": queue_costs(runs)}


def by_quarter(looks: Sequence[tuple[int, float]], runs: int) -> list[float]:
    """Return milliseconds per finished run in each quarter of the sweep: equal numbers are linear growth."""
    marks = [next(look for look in looks if look[0] >= runs * n // 4) for n in range(5)]
    return [1e3 * (after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(marks)]


def queue_costs(runs: int) -> dict[str, float]:
    """Return seconds to read squeue's answer for so many runs: all waiting, and all running."""
    arrays = [f"{1 + start}_[0-{min(1000, runs - start) - 1}%50]" for start in range(0, runs, 1000)]
    single = [job for array in arrays for job in job_ids(array)]
    costs: dict[str, float] = {}
    for name, lines in (("waiting", arrays), ("running", single)):
        with timed(costs, f"seconds_{name}"):
            assert sum(1 for line in lines for _ in job_ids(line)) == runs
        costs[f"kb_{name}"] = sum(len(f"{line}|PD|probatum-0123456789ab\n") for line in lines) / 1e3
    return costs


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Put the seconds of a block under a name."""
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


def disk(folder: Path) -> tuple[int, int]:
    """Return the inodes and the bytes of blocks below a folder."""
    inodes = size = 0
    for root, _, files in os.walk(folder):
        for path in (root, *(os.path.join(root, name) for name in files)):
            inodes, size = inodes + 1, size + os.lstat(path).st_blocks * 512
    return inodes, size


def system_calls(runs: int) -> dict[str, int] | None:
    """Return the file operations of the runner by kind, counted by strace; None where that is not installed."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "calls"
        command = ["strace", "-c", "-e", "trace=%file,fsync", "-o", str(summary)]
        subprocess.run([*command, *child("--measure", runs, folder)], check=True, capture_output=True)
        rows = [line.split() for line in summary.read_text().splitlines()]
    return {row[-1]: int(row[3]) for row in rows if len(row) >= 5 and row[3].isdigit()}


def child(flag: str, runs: int, folder: str) -> list[str]:
    """Return the command of the process that measures one size."""
    return [sys.executable, "-m", "benchmarks.scaling", flag, str(runs), "--folder", folder]


def in_own_process(flag: str, runs: int, folder: str | None) -> dict[str, Any]:
    """Return what `measure` or `resolve` returns in a fresh process, its folder removed afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        done = subprocess.run(child(flag, runs, own), check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure every size, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 4_000, 16_000])
    parser.add_argument("--folder", help="Where the runs are laid out; the shared file system to be judged.")
    parser.add_argument("--plans", type=int, nargs="+", default=[10_000, 100_000], help="Resolved only.")
    parser.add_argument("--resolve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure or arguments.resolve:
        os.chdir(arguments.folder)
        work, runs = (measure, arguments.measure) if arguments.measure else (resolve, arguments.resolve)
        print(json.dumps(work(runs, Path(arguments.folder))))
        return
    load, found = os.getloadavg()[0], {"carried_out": {}, "resolved": {}}
    for kind, flag, sizes in (
        ("resolved", "--resolve", arguments.plans),
        ("carried_out", "--measure", arguments.sizes),
    ):
        for runs in sizes:
            found[kind][str(runs)] = one = in_own_process(flag, runs, arguments.folder)
            print(runs, json.dumps(one, indent=1), flush=True)
    result = {**found, "operations_per_run": differences(), "seeds": SEEDS, "per_look": PER_LOOK}
    print(save("scaling", result, load))


def differences() -> dict[str, float] | None:
    """Return the file operations per run: those of 400 runs less those of 200, which leaves the start-up out."""
    few, many = system_calls(200), system_calls(400)
    if few is None or many is None:
        return None
    per_run = {name: (count - few.get(name, 0)) / 200 for name, count in many.items()}
    return {name: count for name, count in per_run.items() if count >= 0.5}


if __name__ == "__main__":
    main()
