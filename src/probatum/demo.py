"""The whole story in one go: an ablation, what it shows, why, one run reproduced, one page that tells all of it.

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

from probatum._errors import RecordError, RunFailedError, UsageError
from probatum._files import read_json, write_whole

PLAN = Path(__file__).with_name("demo_plan.yaml")
PLAN_NAME, BASELINE, VARIANT = "demo", "concare", "missing_aware"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What one command left."""

    code: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class DemoFolder:
    """Every file of the demo."""

    folder: Path

    @property
    def plan(self) -> Path:
        """The plan, to be edited and run again."""
        return self.folder / "plan.yaml"

    @property
    def ablations(self) -> Path:
        """Where the plan's own folder stands."""
        return self.folder / "ablations"

    @property
    def results(self) -> Path:
        """The plan's own folder."""
        return self.ablations / PLAN_NAME

    @property
    def runs(self) -> Path:
        """The run folders with their records."""
        return self.folder / "runs"

    @property
    def findings(self) -> Path:
        """What the experiments show."""
        return self.folder / "findings.md"

    @property
    def front(self) -> Path:
        """The Pareto plot."""
        return self.folder / "front.png"

    @property
    def explanation(self) -> Path:
        """The change, explained."""
        return self.folder / "explanation.md"

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"


class DemoStepError(RunFailedError):
    """A step of the demo failed; it carries the step's own exit code."""

    def __init__(self, command: str, code: int) -> None:
        super().__init__(f"this step ended with exit code {code}: {command}")
        self.exit_code = code


def run_demo(folder: Path, *, dataset: str | None, jobs: int, opens: bool, say: Say) -> DemoFolder:
    """Return the demo's files after every step was carried out; a demo that was stopped goes on.

    Args:
        folder: Where everything is written.
        dataset: A dataset of the study; the simulated cohort where None.
        jobs: Runs at a time.
        opens: Whether to open the page in a browser.
        say: What shows a line to a person.

    Raises:
        UsageError: the folder holds something else.
        DemoStepError: a step failed or its check did not pass.
    """
    files = _made(folder)
    where = ("--runs_root", _shown(files.runs))
    chosen = () if dataset in (None, "simulated") else ("--set", f"dataset={dataset}")
    say("1. Did it help? Two variants of a model of ICU mortality, three seeds each, watched from inside.")
    step(
        "ablate", _shown(files.plan), "--output", _shown(files.ablations), "--jobs", str(jobs),
        "--skip-existing", "--instrument_signals", *chosen, *where, say=say,
    )  # fmt: skip
    results = _shown(files.results)
    say("\n2. The leaderboard: means with intervals over seeds, exact tests, what cannot be told.")
    step(
        "analyze", results, "--findings", _shown(files.findings), "--plot", _shown(files.front), say=say
    )  # fmt: skip
    say(
        "\n3. Why? What changed, what moved with it inside the model, how it bears damaged inputs, what to doubt."
    )
    step(
        "explain", BASELINE, VARIANT, "--plan", results, *where, "--output", _shown(files.explanation), say=say
    )  # fmt: skip
    say(_verdict(files.explanation))
    number = _first_run(files)
    say("\n4. Would it happen again? Train one run from its record alone and compare.")
    step("reproduce", number, *where, say=say)
    say("\n5. Is every byte still the one that was written?")
    step("verify", number, *where, say=say)
    say("\n6. One page for everybody else.")
    step("report", results, "--output", _shown(files.report), *where, *(["--open"] if opens else []), say=say)
    say("")
    for line in farewell(files, number):
        say(line)
    return files


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


def _made(folder: Path) -> DemoFolder:
    files = DemoFolder(folder)
    if folder.exists() and any(folder.iterdir()) and not files.plan.exists():
        raise UsageError(
            f"{_shown(folder)} holds other files. Name another place: probatum demo --folder FOLDER."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if not files.plan.exists():
        write_whole(files.plan, PLAN.read_bytes())
    return files


def _verdict(explanation: Path) -> str:
    """Return the explanation's own summary: its first paragraph, without marks of emphasis."""
    paragraphs = explanation.read_text(encoding="utf-8").split("\n\n")
    return next(text for text in paragraphs if not text.startswith("#")).replace("*", "").replace("`", "")


def _first_run(files: DemoFolder) -> str:
    """Return the folder name of the baseline's first seed."""
    entries = read_json(files.results / "plan_index.json")["experiments"]
    for entry in entries:
        if entry["experiment"] == BASELINE and entry.get("run"):
            return str(entry["run"])
    raise RecordError(f"{_shown(files.results)}: the index names no run of {BASELINE}.")


def farewell(files: DemoFolder, run: str) -> list[str]:
    """Return where to look and what to do next."""
    shown = [
        (files.report, "everything on one page: open it in a browser"),
        (files.explanation, "the change, explained"),
        (files.findings, "what the experiments show"),
        (files.runs / run / "config.json", "what a run was told, and the command that repeats it"),
    ]
    width = max(len(_shown(file)) for file, _ in shown)
    where = f"--runs_root {shlex.quote(_shown(files.runs))}"
    return [
        "Where to look:",
        *(f"  {_shown(file):<{width}}  {meaning}" for file, meaning in shown),
        "What next:",
        f"  probatum ablate {shlex.quote(_shown(files.plan))} --dry-run   (edit it first)",
        f"  probatum advise {run} {where}",
        f"  probatum archive {run} {where}",
        "  probatum new study my_study",
    ]


def _shown(file: Path) -> str:
    text = os.path.relpath(file)
    return str(file) if text.startswith("..") else text
