"""What became of a run: judged from its exit code and its results, and recorded."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from probatum._errors import ProbatumError
from probatum.ablations.engines.base import Outcome
from probatum.ablations.plan.model import Plan
from probatum.ablations.runner.folder import RunFolder
from probatum.ablations.runner.progress import duration
from probatum.ablations.runner.record import last_lines, write_ended
from probatum.runs.status import utc_now


def record_end(plan: Plan, folder: RunFolder, record: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Write and return the record of a run that ended."""
    status, error, summary = _judge(plan, folder, record, outcome)
    ended = {
        **record,
        "status": status,
        "end_time": utc_now(),
        "duration_seconds": outcome.duration_seconds or None,
        "returncode": outcome.returncode,
        "error": error,
        "summary": summary,
        "last_lines": last_lines(folder) if status == "failed" else [],
    }
    attempt = {name: ended[name] for name in ("start_time", "end_time", "status", "returncode", "error")}
    ended["attempts"] = [*record.get("attempts", ()), attempt]
    write_ended(folder, ended, summary)
    return ended


def _judge(
    plan: Plan, folder: RunFolder, record: Mapping[str, Any], outcome: Outcome
) -> tuple[str, str | None, dict[str, Any] | None]:
    """Return status, error and summary; a run that left no declared results is no success."""
    if outcome.reason in ("cancelled", "lost"):
        told = {"cancelled": "stopped by the runner", "lost": "its process vanished"}
        return "interrupted", told[outcome.reason], None
    if outcome.reason:
        return "failed", f"{outcome.reason} after {duration(outcome.duration_seconds)}", None
    if outcome.returncode != 0:
        return "failed", _told(outcome.returncode), None
    try:
        timed = {**record, "duration_seconds": outcome.duration_seconds or None}
        return "completed", None, plan.target.summarise(folder, timed)
    except (ProbatumError, KeyError, TypeError) as error:
        return "failed", f"ended with 0, but {error}", None


def age_seconds(folder: RunFolder, place: Mapping[str, Any]) -> float:
    """Return how long a run took that ended while no runner was there."""
    try:
        return max(0.0, folder.exit_code.stat().st_mtime - float(place["submitted_at"]))
    except (OSError, KeyError, TypeError, ValueError):
        return 0.0


def _told(code: int | None) -> str:
    if code is None:
        return "ended without an exit code"
    number = code - 128 if code > 128 else -code
    try:
        return f"killed by {signal.Signals(number).name}" if number > 0 else f"ended with exit code {code}"
    except ValueError:
        return f"ended with exit code {code}"
