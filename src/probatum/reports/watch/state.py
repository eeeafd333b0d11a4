"""Where runs and plans stand now, from their files: no daemon, nothing written, nothing asked of the training."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from probatum._errors import RecordError, UsageError
from probatum.ablations.runner.folder import PlanFolder
from probatum.ablations.runner.lock import is_held
from probatum.ablations.runner.progress import Progress
from probatum.analysis.ablation_folders import INDEX, METADATA
from probatum.analysis.records import number
from probatum.runs.folder import list_run_folders, run_id
from probatum.runs.journal import read_epochs
from probatum.runs.lenient import as_map, read_leniently
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status, utc_now

ALIVE = ("running", "planned")
_PLANS_DEEP = 2  # folders between a root and a plan's folder


@dataclass(frozen=True)
class RunView:
    """One run as a listing shows it; None where nothing says."""

    name: str
    id: str | None
    study: str
    title: str
    status: str
    note: str
    updated_at: str | None  # UTC, of the newest file that was read
    seeds: int
    seeds_done: int
    epochs_done: int  # over all seeds
    epochs_total: int | None
    metric: str | None
    higher_is_better: bool | None
    curve: tuple[float | None, ...] = ()  # of the metric, the newest seed
    best: float | None = None
    last: float | None = None
    rate: float | None = None  # units per second in the last epoch
    seconds_left: float | None = None

    @property
    def fraction(self) -> float | None:
        """How much of the epochs is done, in [0, 1]."""
        if self.status == "completed":
            return 1.0
        return min(1.0, self.epochs_done / self.epochs_total) if self.epochs_total else None


@dataclass(frozen=True)
class PlanView:
    """One plan as a listing shows it."""

    name: str
    folder: str
    is_running: bool  # a runner works on it now
    total: int
    counts: Mapping[str, int]  # by status
    seconds_left: float | None
    updated_at: str | None


@dataclass(frozen=True)
class View:
    """Everything below a place at one moment, what runs first and then the newest."""

    place: str
    time: str
    runs: tuple[RunView, ...]
    plans: tuple[PlanView, ...]
    hidden: int = 0  # older runs that are not listed

    @property
    def is_alive(self) -> bool:
        """Whether something is still going on."""
        return any(run.status == "running" for run in self.runs) or any(
            plan.is_running for plan in self.plans
        )

    def as_record(self) -> dict[str, Any]:
        """Return the view as strict JSON takes it."""
        runs = [{**asdict(run), "fraction": run.fraction} for run in self.runs]
        plans = [{**asdict(plan), "counts": dict(plan.counts)} for plan in self.plans]
        return {
            "schema_version": 1, "place": self.place, "time": self.time, "hidden": self.hidden, "runs": runs,
            "plans": plans,
        }  # fmt: skip


@dataclass
class Watcher:
    """Looks at a place again and again; files that did not change are not read again.

    Args:
        place: A runs' root, a run, a plan's folder, or a folder with plans.
        last: How many runs are listed that are not going on; all where None.
    """

    place: Path
    last: int | None = 30
    _known: dict[str, tuple[tuple[Any, ...], RunView]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a place that is not there.

        Raises:
            UsageError: the place is no folder.
        """
        if not self.place.is_dir():
            raise UsageError(
                f"{self.place}: expected a folder with runs or plans, found none. Start a run with "
                "`probatum launch`, or name the folder."
            )

    def folders(self) -> dict[str, RunPaths]:
        """Return the run folders by name: those of the place, and those that its plans started."""
        own = RunPaths(self.place)
        direct = [own] if own.config.exists() and own.status.exists() else list_run_folders(self.place)
        found = {paths.name: paths for paths in direct}
        for plan in self._plans():
            for folder in plan.all_runs():
                for paths in _started(folder.folder):
                    found.setdefault(paths.name, paths)
        return found

    def look(self) -> View:
        """Return the view of this moment."""
        views = [self._run(paths) for paths in self.folders().values()]
        views.sort(key=lambda run: (run.status == "running", run.updated_at or "", run.name), reverse=True)
        kept = [run for index, run in enumerate(views)
                if self.last is None or index < self.last or run.status in ALIVE]  # fmt: skip
        plans = tuple(_plan(plan) for plan in self._plans())
        return View(str(self.place), utc_now(), tuple(kept), plans, len(views) - len(kept))

    def _plans(self) -> list[PlanFolder]:
        """Return the plans: the place itself, else those a little below it."""
        if (self.place / INDEX).is_file():
            return [PlanFolder(self.place)]
        patterns = ["/".join(["*"] * depth + [INDEX]) for depth in range(1, _PLANS_DEEP + 1)]
        return [PlanFolder(file.parent) for pattern in patterns for file in sorted(self.place.glob(pattern))]

    def _run(self, paths: RunPaths) -> RunView:
        stamp = _stamp(paths)
        known = self._known.get(paths.name)
        if known and known[0] == stamp and known[1].status not in ALIVE:
            return known[1]
        view = read_view(paths)
        self._known[paths.name] = stamp, view
        return view


def _started(place: Path) -> list[RunPaths]:
    """Return the Probatum runs that stand inside a plan's run; those in a runs' root are found there."""
    return [
        RunPaths(file.parent)
        for depth in range(3)
        for file in sorted(place.glob("/".join(["artifacts", *["*"] * depth, "status.json"])))
    ]


def _epoch_files(paths: RunPaths) -> list[Path]:
    own = sorted(paths.artifacts.glob("metrics_epoch_seed*.csv"))
    return own or ([paths.metrics_epoch] if paths.metrics_epoch.exists() else [])


def _stamp(paths: RunPaths) -> tuple[Any, ...]:
    return tuple(
        (found.st_mtime_ns, found.st_size)
        for file in (paths.status, *_epoch_files(paths))
        if (found := _stat(file))
    )


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None


def read_view(paths: RunPaths) -> RunView:
    """Return where a run stands; what is damaged leaves a note, never an error."""
    notes: list[str] = []
    config = read_leniently(paths.config, notes)
    status = "interrupted"
    try:
        record = read_status(paths)
        status = record.status
        notes += filter(None, [record.note])
    except RecordError as error:
        notes.append(str(error))
    seeds = as_map(config.get("seeds")).get("all") or []
    rows = [rows for file in _epoch_files(paths) if (rows := _rows(file, notes))]
    epochs = number(as_map(config.get("parameters")).get("epochs"))
    total = round(epochs) * max(1, len(seeds)) if epochs else None
    done = sum(map(len, rows))
    metric, higher = _metric(config, rows)
    curve = [number(row.get(metric)) for row in rows[-1]] if rows and metric else []
    values = [value for value in curve if value is not None]
    rate, seconds = _pace(paths)
    left = None if status != "running" or seconds is None or total is None else seconds * max(0, total - done)
    experiment = as_map(config.get("experiment"))
    return RunView(
        name=paths.name, id=run_id(paths.name), study=str(experiment.get("study") or ""),
        title=str(experiment.get("short_title") or ""), status=status, note="; ".join(notes),
        updated_at=_newest(paths), seeds=max(1, len(seeds)), seeds_done=_seeds_done(paths, status, seeds),
        epochs_done=done, epochs_total=total, metric=metric, higher_is_better=higher, curve=tuple(curve),
        best=None if not values or higher is None else max(values) if higher else min(values),
        last=values[-1] if values else None, rate=rate, seconds_left=left,
    )  # fmt: skip


def _rows(file: Path, notes: list[str]) -> list[dict[str, Any]]:
    try:
        return read_epochs(file)
    except RecordError as error:
        notes.append(str(error))
        return []


def _metric(
    config: Mapping[str, Any], rows: Sequence[Sequence[Mapping[str, Any]]]
) -> tuple[str | None, bool | None]:
    """Return the first sealed metric, which chooses the best epoch; else the first loss that the epochs have."""
    metrics = config.get("metrics")
    for metric in metrics if isinstance(metrics, list) else []:
        if isinstance(metric, dict) and isinstance(metric.get("name"), str):
            return metric["name"], bool(metric.get("higher_is_better"))
    names = rows[0][0] if rows and rows[0] else {}
    return next(((name, False) for name in ("val_loss", "train_loss") if name in names), (None, None))


def _pace(paths: RunPaths) -> tuple[float | None, float | None]:
    """Return the last epoch's rate, and the mean seconds of an epoch."""
    seconds: list[float] = []
    rate = None
    for file in sorted(paths.artifacts.glob("timing_seed*.csv"), key=lambda file: file.stat().st_mtime_ns):
        with (
            suppress(OSError, ValueError, KeyError, TypeError),
            file.open(encoding="utf-8", newline="") as stream,
        ):
            for row in csv.DictReader(stream):
                seconds.append(float(row["duration_seconds"]))
                rate = number(float(row["units_per_second"]))
    return rate, sum(seconds) / len(seconds) if seconds else None


def _seeds_done(paths: RunPaths, status: str, seeds: Sequence[Any]) -> int:
    if status == "completed":
        return max(1, len(seeds))
    return sum(paths.seed_result(seed).exists() for seed in seeds if isinstance(seed, int))


def _newest(paths: RunPaths) -> str | None:
    times = [found.st_mtime for file in (paths.status, *_epoch_files(paths)) if (found := _stat(file))]
    return _utc(max(times)) if times else None


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _plan(plan: PlanFolder) -> PlanView:
    """Return a plan's counts: what its runs' own files say, and what its last seal still has to start."""
    records = {
        folder.folder.relative_to(plan.folder).as_posix(): read_leniently(folder.metadata, [])
        for folder in plan.all_runs()
    }
    seals = sorted(plan.seal("any").parent.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    planned = as_map(read_leniently(seals[-1], []).get("runs")) if seals else {}
    counts = Counter(str(record.get("status") or "interrupted") for record in records.values())
    held = is_held(plan)
    if not held and counts.get("running"):
        counts["interrupted"] += counts.pop("running")
    if waiting := len(planned.keys() - records.keys()):
        counts["planned"] += waiting
    total = sum(counts.values())
    progress = Progress(total, max(1, counts.get("running", 0)), counts.get("completed", 0))
    for record in records.values():
        if record.get("status") == "completed" and (seconds := number(record.get("duration_seconds"))):
            progress.time(seconds)
    files = [found.st_mtime for name in records if (found := _stat(plan.folder / name / METADATA))]
    return PlanView(
        plan.folder.name, str(plan.folder), held, total, dict(counts), progress.seconds_left() if held else None,
        _utc(max(files)) if files else None,
    )  # fmt: skip
