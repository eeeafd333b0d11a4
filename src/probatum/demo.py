"""The whole story in one go: train, evaluate, reproduce, verify.

Every step is the command that a person would type, carried out by a process of its own.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum._errors import RunFailedError
from probatum._files import read_json
from probatum.runs.folder import find_reproductions, find_run, run_id, runs_root
from probatum.runs.paths import RunPaths

# Few learners make few steps: small batches, a short warm-up and a short memory of the averaged weights.
SMALL_DATA = (
    "--devices", "cpu", "--simulated_students", "1500", "--epochs", "5", "--batch_size", "16",
    "--learning_rate", "0.002", "--ema_decay", "0.98", "--lr_warmup_steps", "20",
)  # fmt: skip
REAL_DATA = ("--epochs", "3")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What one command left."""

    code: int
    lines: tuple[str, ...]


class DemoStepError(RunFailedError):
    """A step of the demo failed; it carries the step's own exit code."""

    def __init__(self, command: str, code: int) -> None:
        super().__init__(f"this step ended with exit code {code}: {command}")
        self.exit_code = code


def run_demo(*, dataset: str | None, root: str | None, say: Say) -> RunPaths:
    """Return the run that was trained, after it was evaluated, reproduced and verified.

    Args:
        dataset: A dataset of the study; the simulated learners where None.
        root: The runs' root as the person gave it; None leaves it to the environment.
        say: What shows a line to a person.

    Raises:
        DemoStepError: a step failed or its check did not pass.
    """
    where = () if root is None else ("--runs_root", root)
    chosen = SMALL_DATA if dataset in (None, "simulated") else ("--dataset", dataset, *REAL_DATA)
    say("1. Train. The defaults stand in one file; what differs from them is typed, and recorded.")
    launched = step("launch", "gainakt2exp", "--title", "demo", *chosen, *where, say=say)
    paths = find_run(_run_name(launched), runs_root(root))
    number = run_id(paths.name) or paths.name
    say("\n2. Evaluate the best epoch on the three splits.")
    step("evaluate", number, *where, say=say)
    say("")
    for line in judge(read_json(paths.eval_results)):
        say(line)
    say("\n3. Would it happen again? Train from the record alone and compare.")
    step("reproduce", number, *where, say=say)
    say("\n4. Is every byte still the one that was written?")
    step("verify", number, *where, say=say)
    say("")
    for line in farewell(paths, number, shlex.join(["", *where]).removeprefix("''")):
        say(line)
    return paths


def step(*words: str, say: Say) -> Outcome:
    """Return the outcome of `probatum WORDS`, shown line by line as it comes.

    Raises:
        DemoStepError: the exit code was not 0.
    """
    command = shlex.join(["probatum", *words])
    say(f"\n$ {command}")
    outcome = _execute([sys.executable, "-m", "probatum", *words], say)
    if outcome.code:
        raise DemoStepError(command, outcome.code)
    return outcome


def _execute(words: Sequence[str], say: Say) -> Outcome:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    lines = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
            say(lines[-1])
    return Outcome(process.returncode, tuple(lines))


def _run_name(outcome: Outcome) -> str:
    for line in outcome.lines:
        if line.startswith("run "):
            return line.removeprefix("run ").strip()
    raise RunFailedError("`probatum launch` ended without naming its run folder.")


def judge(evaluation: dict[str, Any]) -> list[str]:
    """Return what the test figures mean, in words; on simulated learners beside what the truth scores.

    Example:
        >>> judge({"test_auc": 0.7412})
        ['Test AUC 0.7412; a constant prediction scores 0.5.']
    """
    lines = [f"Test AUC {evaluation['test_auc']:.4f}; a constant prediction scores 0.5."]
    oracle, mastery = (evaluation.get(f"test_{name}") for name in ("oracle_auc", "true_mastery_correlation"))
    if oracle is not None:
        lines[0] = lines[0].removesuffix(".") + f", and the simulator's own probabilities {oracle:.4f}."
    if mastery is not None:
        lines.append(f"Recovered mastery correlates {mastery:.4f} with the true mastery of the learners.")
    return lines


def farewell(paths: RunPaths, number: str, where: str) -> list[str]:
    """Return where to look and what to do next; `where` ends each command, for runs that stand elsewhere."""
    files = [
        (paths.config, "what the run was told, and the command that repeats it"),
        (paths.metrics_epoch, "every epoch"),
        (paths.results, "best and last metrics, trajectory"),
        *((again.reproduction_report, "the verdict") for again in find_reproductions(paths)[-1:]),
    ]
    clone = f"--from_config {shlex.quote(_shown(paths.config))} --dropout 0.1"
    width = max(len(_shown(file)) for file, _ in files)
    return [
        "Where to look:",
        *(f"  {_shown(file):<{width}}  {meaning}" for file, meaning in files),
        "What next:",
        f"  probatum launch gainakt2exp --title mine {clone}{where}",
        f"  probatum compare {number}{where}",
        f"  probatum runs --metric val_auc --best 5{where}",
    ]


def _shown(file: Path) -> str:
    text = os.path.relpath(file)
    return str(file) if text.startswith("..") else text
