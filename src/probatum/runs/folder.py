"""Run folders: made, named, and found again."""

from __future__ import annotations

import os
import re
import secrets
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum._names import unknown
from probatum.runs.paths import RunPaths

ROOT_VARIABLE = "PROBATUM_RUNS"
_SUFFIX, _ID_LENGTH = "_repro", 6
_LONGEST_TITLE = 80  # a folder's name stays below the 255 bytes that file systems allow
_NAME = re.compile(r"^\d{8}_\d{6}_.*?_?(\d{6})(?P<suffix>_repro)?$")


def runs_root(explicit: str | Path | None = None) -> Path:
    """Return the folder that holds the runs: the explicit one, else `PROBATUM_RUNS`, else `runs`."""
    return Path(explicit or os.environ.get(ROOT_VARIABLE) or "runs")


@lru_cache(maxsize=256)
def slug(text: str) -> str:
    """Return `text` as a harmless part of a file name: lower case letters, digits, `-` and `_`.

    Example:
        >>> slug("../Läuft: <script>"), slug("LR 0.001")
        ('lauft_script', 'lr_0_001')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9-]+", "_", plain).strip("_-")[:_LONGEST_TITLE].rstrip("_-")


def create_run_folder(
    root: Path | str,
    study: str,
    title: str,
    *,
    now: datetime | None = None,
    run_id: str | None = None,
    suffix: str = "",
) -> RunPaths:
    """Return the paths of a new, empty run folder `YYYYMMDD_HHMMSS_<study>_<title>_<id><suffix>` (UTC).

    Making the folder is the lock: of two launches at one instant each gets its own. A drawn id is kept only
    if no other folder of the root carries it; both sides look after making theirs, so one sees the other.

    Args:
        root: The runs' root; made where missing.
        study: The study's name, or a path to its file: the stem is taken.
        title: The short title; made harmless, may be empty.
        now: The time in the name.
        run_id: The id of the run that is reproduced; drawn where None.
        suffix: What follows the id, `_repro` for a reproduction.

    Raises:
        UsageError: the root cannot be written.
    """
    root = Path(root)
    moment = now or datetime.now(UTC)
    middle = [slug(Path(study).stem if study.endswith(".py") else study), slug(title)]
    try:
        if not root.is_dir():
            root.mkdir(parents=True, exist_ok=True)
        while True:
            number = run_id or f"{secrets.randbelow(900_000) + 100_000}"
            stamp = moment.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
            name = "_".join([stamp, *filter(None, middle), number]) + suffix
            before = _state(root)
            try:
                os.mkdir(f"{root}/{name}")
            except FileExistsError:
                moment += timedelta(seconds=1)  # the id is given, or was drawn twice: another name
                continue
            if run_id or not _is_taken(root, name, number, before):
                return RunPaths(root / name)
            os.rmdir(f"{root}/{name}")
            time.sleep(secrets.randbelow(1000) / 1e6)  # both sides saw each other and draw again
    except OSError as error:
        raise UsageError(
            f"cannot make a run folder in {root}: {error.strerror}. Choose another with --runs-root."
        ) from None


_State = tuple[int, int, int, int]  # device, inode, time of change, links
_known: dict[
    str, tuple[_State, set[str]]
] = {}  # per root: how it was left by this process, and the ids in it


def _state(root: Path) -> _State:
    found = os.stat(root)
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_nlink


def _is_taken(root: Path, own: str, number: str, before: _State) -> bool:
    """Return whether another folder of the root carries an id; `before` is the root's state before ours was made.

    A sweep of thousands of runs need not list thousands of folders for each: where the root is as this process
    left it, and has one folder more now that ours is made, its ids are known. A folder counts its subfolders
    in its links; on a file system where it does not, and after any change by others, the root is listed.
    """
    left, ids = _known.get(str(root), (None, set[str]()))
    now = _state(root)
    if before != left or now[3] != before[3] + 1:
        ids = {name.removesuffix(_SUFFIX)[-_ID_LENGTH:] for name in os.listdir(root) if name != own}
    taken = number in ids
    ids.add(number)
    _known[str(root)] = now, ids
    return taken


def use_run_folder(folder: Path | str, *, force: bool) -> RunPaths:
    """Return the paths of a folder that a person named, made where missing.

    Raises:
        UsageError: it holds something and `force` is not given.
        RecordError: it holds a completed run, which nothing may write over.
    """
    from probatum.runs.status import read_status

    paths = RunPaths(Path(folder))
    paths.folder.mkdir(parents=True, exist_ok=True)
    if any(paths.folder.iterdir()):
        if not force:
            raise UsageError(f"{folder} exists and is not empty. Give --force to use it, or another folder.")
        if paths.status.exists() and read_status(paths).status == "completed":
            raise RecordError(f"{folder} holds a completed run, which is sealed. Choose another folder.")
        paths.fields.unlink(missing_ok=True)  # the run that stood here is given up, and its seal with it
    return paths


def run_id(name: str) -> str | None:
    """Return the 6-digit id in a run folder's name.

    Example:
        >>> run_id("20260101_000000_dkt_quick_123456"), run_id("notes")
        ('123456', None)
    """
    match = _NAME.match(name)
    return match.group(1) if match else None


def list_run_folders(root: Path | str) -> list[RunPaths]:
    """Return the run folders of `root`, oldest name first: those with a `config.json` or a status."""
    root = Path(root)
    if not root.is_dir():
        return []
    found = [
        RunPaths(Path(entry.path)) for entry in os.scandir(root) if entry.is_dir() and entry.name[0] != "."
    ]
    return sorted((p for p in found if p.config.exists() or p.status.exists()), key=lambda p: p.name)


def find_run(reference: str | Path, root: Path | str) -> RunPaths:
    """Return the run that `reference` names: a path, a folder name, or a 6-digit id.

    An id means the original run; its reproductions carry the same id and are found by `find_reproductions`.

    Raises:
        UnknownNameError: there is none; the message lists the nearest names.
    """
    text, root = str(reference), Path(root)
    for folder in (Path(text), root / text):
        if text and text not in {".", ".."} and folder.is_dir():
            paths = RunPaths(folder)
            if paths.config.exists() or paths.status.exists():
                return paths
    runs = list_run_folders(root)
    exact = [paths for paths in runs if run_id(paths.name) == text]
    originals = [paths for paths in exact if not paths.name.endswith("_repro")]
    if originals or exact:
        return (originals or exact)[0]
    if not runs:
        raise UnknownNameError(
            f"no run {text!r}: {root} holds no runs. "
            "Start one with `probatum launch`, or point --runs-root at them."
        )
    names = {paths.name: paths.name for paths in runs} | {
        run_id(paths.name) or "": paths.name for paths in runs
    }
    shown = sorted(filter(None, names))
    if len(shown) > 12:
        shown = [name for name in shown if name in unknown("run", text, shown)] or shown[:12]
    raise UnknownNameError(f"{unknown('run', text, shown)} (looked in {root}; `probatum runs` lists all)")


def find_reproductions(paths: RunPaths, root: Path | str | None = None) -> list[RunPaths]:
    """Return the reproductions of a run, oldest first: folders with its id that end in `_repro`."""
    number = run_id(paths.name)
    runs = list_run_folders(root or paths.folder.parent)
    return [
        run for run in runs if number and run.name.endswith(f"_{number}_repro") and run.name != paths.name
    ]
