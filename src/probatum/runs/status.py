"""Where a run stands: a closed set of words, and the truth about runs whose process is gone."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from probatum._errors import RecordError, UsageError
from probatum._files import read_json
from probatum._names import unknown
from probatum.runs.files import json_text, put
from probatum.runs.paths import RunPaths

Status = Literal["planned", "running", "completed", "failed", "interrupted"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class StatusRecord:
    """What `status.json` says, corrected by what is still alive."""

    status: Status
    time: str | None = None  # UTC, when the status was written
    note: str = ""  # why the status differs from what is written
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether nothing about the run may change any more."""
        return self.status == "completed"


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC with offset, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def status_text(status: Status, **details: Any) -> str:
    """Return the content of `status.json`; a running one names its process.

    Raises:
        UsageError: the status is none of the five.
    """
    if status not in STATUSES:
        raise UsageError(unknown("status", status, STATUSES))
    process = {"process": this_process()} if status == "running" else {}
    return json_text({"schema_version": 3, "status": status, "time": utc_now(), **process, **details})


def write_status(paths: RunPaths, status: Status, **details: Any) -> None:
    """Write where the run stands; details are for people (`error="..."`, `last_epoch=3`).

    Raises:
        RecordError: the run is completed, which never changes back.
        UsageError: the status is none of the five.
    """
    text = status_text(status, **details)
    if status != "completed" and paths.status.exists() and read_status(paths).status == "completed":
        raise RecordError(f"{paths.name} is completed and cannot become {status}. Launch a new run instead.")
    put(paths.status, text)


def read_status(paths: RunPaths) -> StatusRecord:
    """Return where the run stands; `running` without its process reads as `interrupted`, with a note.

    A folder without a status was left before its preparation ended: it reads as `planned`.

    Raises:
        RecordError: `status.json` is torn, edited, or names no status of the five.
    """
    if not paths.folder.is_dir():
        raise RecordError(f"{paths.folder}: expected a run folder, found none.")
    if not paths.status.exists():
        return StatusRecord("planned", note="no status.json: the run was never started")
    record = read_json(paths.status)
    if not isinstance(record, dict) or record.get("status") not in STATUSES:
        found = record.get("status") if isinstance(record, dict) else type(record).__name__
        raise RecordError(f"{paths.status}: expected one of {', '.join(STATUSES)}, got {found!r}.")
    details = {key: value for key, value in record.items() if key not in {"schema_version", "status", "time"}}
    status, note = record["status"], ""
    if status == "running":
        status, note = _judge(record.get("process"))
    return StatusRecord(status, record.get("time"), note, details)


def _judge(process: Any) -> tuple[Status, str]:
    """Return the status of a run that says it is running, and the reason where it is not."""
    if not isinstance(process, dict) or not isinstance(process.get("pid"), int):
        return "interrupted", "status.json names no process; `probatum resume` continues the run"
    pid, own = process["pid"], _machine()
    if process.get("host") != own["host"]:
        return "running", f"on {process.get('host')}, which cannot be asked from here"
    if process.get("boot_id") != own["boot_id"]:
        return "interrupted", "the machine was restarted; `probatum resume` continues the run"
    if not _is_alive(pid) or process_start(pid) != process.get("start_time"):
        return "interrupted", f"process {pid} is gone; `probatum resume` continues the run"
    return "running", ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return pid > 0


def process_start(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot: a pid alone is used again after a while."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *fields = text.rpartition(")")[2].split()
        return None if state in "ZX" else int(fields[18])
    except (OSError, ValueError, IndexError):
        return None


def this_process() -> dict[str, Any]:
    """Return what identifies this process on this machine and in this boot."""
    return _process(os.getpid())


@cache
def _process(pid: int) -> dict[str, Any]:
    return {"pid": pid, "start_time": process_start(pid), **_machine()}


@cache
def _machine() -> dict[str, Any]:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = None
    return {"host": socket.gethostname(), "boot_id": boot}
