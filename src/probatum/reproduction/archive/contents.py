"""What goes into an archive: the run's files, the ledger's lines about it, and what reproductions of it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, get_args

from probatum._errors import RecordError, UsageError
from probatum._files import read_json
from probatum._names import unknown
from probatum.runs.folder import find_reproductions
from probatum.runs.integrity import verify_run
from probatum.runs.ledger import parse_line
from probatum.runs.paths import RunPaths
from probatum.runs.status import StatusRecord, read_status

Weights = Literal["none", "best", "all"]
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
EXCERPT = "ledger_excerpt.jsonl"
_BEST, _LAST = "model_best*.pth", "model_last*.pth"
LEFT_OUT: dict[Weights, tuple[str, ...]] = {"none": (_BEST, _LAST), "best": (_LAST,), "all": ()}


@dataclass(frozen=True)
class Reproduction:
    """What one reproduction of the run found."""

    name: str  # its run folder
    report: Mapping[str, Any]  # reproduction_report.json
    file: Path
    ended: str | None  # UTC


@dataclass(frozen=True)
class RunContents:
    """A run as it is archived; files by their name inside the run folder."""

    paths: RunPaths
    status: StatusRecord
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    environment: Mapping[str, Any]
    results: Mapping[str, Any]
    files: Mapping[str, Path]
    left_out: tuple[str, ...]  # weights that the archive does not carry
    ledger: bytes  # the ledger's own lines about the run; empty where it is not anchored
    reproductions: tuple[Reproduction, ...]

    def archived_name(self, name: str) -> str:
        """Return where a run's file stands in the archive."""
        return f"{self.paths.name}/{name}"


def collect(paths: RunPaths, *, weights: Weights = "best", anchored: bool = True) -> RunContents:
    """Return what an archive of the run holds, after proving that no byte of the run was changed.

    Args:
        paths: The run folder.
        weights: Which checkpoints come along.
        anchored: Whether the ledger must know the run; False for a copied folder.

    Raises:
        UsageError: `weights` is none of the three.
        RecordError: the run is not over, or a byte of it was changed.
    """
    if weights not in WEIGHTS:
        raise UsageError(unknown("choice of --weights", weights, WEIGHTS))
    status = read_status(paths)
    if status.status in {"planned", "running"}:
        raise RecordError(
            f"{paths.name} is {status.status}: an archive holds what is over. Wait for its end."
        )
    failures = [f for f in verify_run(paths, anchored=anchored) if f.level == "failure"]
    if failures:
        found = "\n  ".join(str(finding) for finding in failures[:10])
        raise RecordError(f"{paths.name} is not the run that was recorded:\n  {found}")
    names = _names(paths)
    left = tuple(n for n in names if any(fnmatchcase(n, pattern) for pattern in LEFT_OUT[weights]))
    return RunContents(
        paths=paths,
        status=status,
        config=read_json(paths.config),
        data=_optional(paths.data),
        environment=_optional(paths.environment_json),
        results=_optional(paths.results),
        files={name: paths.folder / name for name in names if name not in left},
        left_out=left,
        ledger=_excerpt(paths) if anchored else b"",
        reproductions=_reproductions(paths),
    )


def _names(paths: RunPaths) -> list[str]:
    found = []
    for file in sorted(paths.folder.rglob("*")):
        name = file.relative_to(paths.folder).as_posix()
        if file.is_symlink():
            raise RecordError(
                f"{paths.name}/{name}: is a link; an archive holds files. Replace it by its file."
            )
        if file.is_file() and not (file.name.startswith(".") and file.name.endswith(".part")):
            found.append(name)
    return found


def _optional(path: Path) -> Mapping[str, Any]:
    content = read_json(path) if path.exists() else {}
    return content if isinstance(content, dict) else {}


def _excerpt(paths: RunPaths) -> bytes:
    """Return the ledger's lines about the run, byte for byte: each carries its own checksum."""
    if not paths.ledger.exists():
        return b""
    lines = paths.ledger.read_bytes().split(b"\n")
    own = [line for line in lines if (record := parse_line(line)) and record["run"] == paths.name]
    return b"".join(line + b"\n" for line in own)


def _reproductions(paths: RunPaths) -> tuple[Reproduction, ...]:
    """Return what the reproductions beside the run found, and what the run itself found if it is one."""
    found = []
    for run in [paths, *find_reproductions(paths)]:
        report = _optional(run.reproduction_report)
        if report.get("verdict"):
            found.append(Reproduction(run.name, report, run.reproduction_report, _ended(run)))
    return tuple(found)


def _ended(paths: RunPaths) -> str | None:
    try:
        return read_status(paths).time
    except RecordError:
        return None
