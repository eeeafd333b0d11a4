"""How far a plan is, read from its files: works while a runner is there, and after it was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probatum.ablations.engines import is_alive
from probatum.ablations.engines.base import read_exit_code
from probatum.ablations.plan.model import Plan, PlannedRun
from probatum.ablations.runner.folder import PlanFolder, RunFolder
from probatum.ablations.runner.lock import is_held
from probatum.ablations.runner.progress import Progress, duration
from probatum.ablations.runner.record import read_record


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Where one run stands."""

    key: str
    status: str
    duration_seconds: float | None
    note: str


@dataclass(frozen=True, slots=True)
class PlanStatus:
    """Where a plan stands."""

    plan: str
    is_running: bool  # a runner works on it now
    runs: tuple[RunStatus, ...]

    def as_record(self) -> dict[str, Any]:
        """Return the status as plain JSON."""
        runs = [{name: getattr(run, name) for name in RunStatus.__slots__} for run in self.runs]
        return {"plan": self.plan, "runner": self.is_running, "runs": runs}

    def lines(self) -> list[str]:
        """Return the status for people: what is not completed by name, and the counts."""
        width = max((len(run.key) for run in self.runs), default=0)
        shown = [run for run in self.runs if run.status not in ("completed", "planned")]
        lines = [f"{run.key:<{width}}  {run.status:<11}  {run.note}".rstrip() for run in shown]
        counts = Counter(run.status for run in self.runs)
        told = ", ".join(f"{count} {status}" for status, count in counts.most_common())
        runner = "a runner works on it" if self.is_running else "no runner works on it"
        return [*lines, f"{self.plan}: {told}; {runner}{self._left(counts)}"]

    def _left(self, counts: Mapping[str, int]) -> str:
        progress = Progress(len(self.runs), max(1, counts.get("running", 0)), counts["completed"])
        for run in self.runs:
            if run.status == "completed" and run.duration_seconds:
                progress.time(run.duration_seconds)
        left = progress.seconds_left()
        return f", about {duration(left)} left" if left and self.is_running else ""


def plan_status(plan: Plan) -> PlanStatus:
    """Return where a plan stands."""
    folder = PlanFolder(plan.folder)
    runs = tuple(_run_status(run, folder.run(run.place)) for run in plan.runs)
    return PlanStatus(plan.name, is_held(folder), runs)


def _run_status(run: PlannedRun, folder: RunFolder) -> RunStatus:
    record = read_record(folder)
    if record is None:
        return RunStatus(run.key, "planned", None, "")
    status, note = str(record.get("status")), str(record.get("error") or "")
    if record.get("config_hash") != run.config_hash:
        return RunStatus(run.key, "planned", None, "the plan has changed since its last run")
    if status == "running" and _is_over(record, folder):
        code = read_exit_code(folder.exit_code)
        ended = "its process vanished" if code is None else f"ended with {code}, to be collected"
        return RunStatus(run.key, "interrupted", None, f"{ended}; run the plan again")
    return RunStatus(run.key, status, record.get("duration_seconds"), note)


def _is_over(record: Mapping[str, Any], folder: RunFolder) -> bool:
    alive = is_alive(str(record.get("engine")), record.get("place") or {})
    return folder.exit_code.exists() if alive is None else not alive
