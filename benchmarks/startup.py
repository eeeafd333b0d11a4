"""How long a person waits: the verbs beside `python -c pass`, a launch beside `import torch`.

Every command is a fresh process, timed from its start to its end; commands take turns in shuffled rounds and
a ratio is taken within a round. `runs` lists 20 finished runs, `verify` checks the bytes of one of them.

The start of a launch is the time from `probatum launch plain --dataset simulated` to the first optimiser
step of its training process. It is read in the launched processes themselves: a `sitecustomize` on their
path notes the time of the first call of an optimiser's `step`, on the clock that this process reads too.
Resolving parameters, the run folder, the seal, the simulated data and the first forward and backward pass are
within it. The result is `benchmarks/results/startup.json`.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measurement import save, spread

SOURCE = Path(__file__).resolve().parents[1] / "src"
PROBATUM = "from probatum.cli.main import main; main()"  # what the installed `probatum` script does
FIRST_STEP = '''\
import sys, threading, time

class Finder:
    """Wraps the fused optimisers' module once, when torch itself has loaded it."""
    def find_spec(self, name, path=None, target=None):
        if name != "torch.optim.adam":
            return None
        sys.meta_path.remove(self)
        import importlib.util
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            step = module.Adam.step
            def first(self, *arguments, **options):
                with open({mark!r}, "a") as file:
                    file.write(repr(time.monotonic()) + "\\n")
                module.Adam.step = step
                return step(self, *arguments, **options)
            module.Adam.step = first
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
'''


def timed(command: list[str], environment: dict[str, str], folder: Path) -> float:
    """Return the seconds that a command takes.

    Raises:
        RuntimeError: it failed; the message holds what it said.
    """
    started = time.monotonic()
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-500:]}")
    return seconds


def record_runs(root: Path, count: int) -> str:
    """Record some small runs and return the name of the last."""
    from probatum.runs.metric import MetricDefinition
    from probatum.runs.recorder import RunRecorder

    accuracy = MetricDefinition("accuracy", "Accuracy", True, 0.0, 1.0, 2e-4, 2e-3, "", "")
    name = ""
    for seed in range(count):
        with RunRecorder("startup", {"rate": 0.1}, [accuracy], seed=seed, root=root) as run:
            for epoch in range(1, 11):
                run.epoch({"epoch": epoch, "accuracy": epoch / 10})
        name = run.paths.name
    return name


def first_step(folder: Path, environment: dict[str, str]) -> Callable[[], float]:
    """Return a function that launches and returns the seconds until the first optimiser step."""
    hook, mark = folder / "hook", folder / "mark"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(FIRST_STEP.format(mark=str(mark)))
    path = os.pathsep.join([str(hook), str(SOURCE)])
    options = ["--title", "startup", "--dataset", "simulated", "--simulated_students", "100", "--epochs", "1"]
    options += ["--bootstrap_resamples", "100", "--runs_root", str(folder / "launched")]
    command = [sys.executable, "-c", PROBATUM, "launch", "plain", *options]

    def launch() -> float:
        mark.unlink(missing_ok=True)
        started = time.monotonic()
        timed(command, {**environment, "PYTHONPATH": path}, folder)
        return float(mark.read_text().splitlines()[0]) - started

    return launch


def measure(rounds: int, launches: int) -> dict[str, Any]:
    """Return the figures of the verbs and of the launch."""
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        folder = Path(name)
        root = folder / "runs"
        run = record_runs(root, 20)
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PROBATUM_RUNS": str(root)}

        def verb(*arguments: str) -> Callable[[], float]:
            return lambda: timed([sys.executable, "-c", PROBATUM, *arguments], environment, folder)

        def python(code: str) -> Callable[[], float]:
            return lambda: timed([sys.executable, "-c", code], environment, folder)

        verbs = {
            "python -c pass": python("pass"),
            "probatum --help": verb("--help"),
            "probatum runs": verb("runs"),
            "probatum verify RUN": verb("verify", run),
        }
        start = {"import torch": python("import torch"), "launch": first_step(folder, environment)}
        return {
            "verbs": compare(verbs, "python -c pass", rounds),
            "first_step": compare(start, "import torch", launches),
            "rounds": {"verbs": rounds, "first_step": launches},
        }


def compare(commands: dict[str, Callable[[], float]], base: str, rounds: int) -> dict[str, Any]:
    """Return each command's milliseconds and its ratio to the base; the first round only warms up."""
    taken: list[dict[str, float]] = []
    for number in range(rounds + 1):
        order = list(commands)
        random.Random(number).shuffle(order)
        taken.append({name: commands[name]() for name in order})
    del taken[0]
    return {
        name: {
            "milliseconds": spread([times[name] * 1e3 for times in taken]),
            "ratio": spread([times[name] / times[base] for times in taken]),
        }
        for name in commands
    }


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--launches", type=int, default=7)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    result = measure(arguments.rounds, arguments.launches)
    path = save("startup", result, load)
    for name, figure in {**result["verbs"], **result["first_step"]}.items():
        own, ratio = figure["milliseconds"], figure["ratio"]
        print(
            f"{name:22} {own['median']:8.0f} ms ({own['lowest']:.0f}-{own['highest']:.0f})  "
            f"ratio {ratio['median']:.1f} ({ratio['lowest']:.1f}-{ratio['highest']:.1f})"
        )
    print(path)


if __name__ == "__main__":
    main()
