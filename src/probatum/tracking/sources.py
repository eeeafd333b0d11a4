"""The runs that a folder, a run or a runs' root stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from probatum._errors import UnknownNameError
from probatum.ablations.runner.folder import PlanFolder, RunFolder
from probatum.ablations.runner.lock import is_held
from probatum.ablations.runner.record import read_record
from probatum.runs.folder import find_run, list_run_folders, runs_root
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status
from probatum.tracking.ablation_content import read_ablation, study_run
from probatum.tracking.artifacts import artifacts_of
from probatum.tracking.content import RunContent
from probatum.tracking.study_content import read_study_run


@dataclass(frozen=True, slots=True)
class Source:
    """A recorded run: one of a plan where `plan` is given, else one of a study."""

    folder: Path
    plan: PlanFolder | None = None

    @property
    def name(self) -> str:
        """The run's name in its plan, or the folder's."""
        return "/".join(self._place) if self.plan else self.folder.name

    @property
    def state(self) -> Path:
        """Where it is remembered what was sent."""
        return self.plan.tracked(self._place) if self.plan else RunPaths(self.folder).tracked

    @property
    def root(self) -> Path:
        """The folder that the default store stands in."""
        return (self.plan.folder if self.plan else self.folder).parent

    def read(self, choice: str) -> RunContent | None:
        """Return what the run says, None where it has not begun."""
        if self.plan:
            return read_ablation(RunFolder(self.folder), choice)
        return read_study_run(RunPaths(self.folder), choice)

    def changed_ns(self) -> int:
        """Return when the run's record was last written: the cheapest thing to ask, 0 where there is none."""
        record = RunFolder(self.folder).metadata if self.plan else RunPaths(self.folder).status
        try:
            return record.stat().st_mtime_ns
        except OSError:
            return 0

    def signature(self) -> str:
        """Return what changes with any file of the run, without reading more than its record."""
        folders = [self.folder]
        study = study_run(read_record(RunFolder(self.folder)) or {}) if self.plan else None
        folders += [study.folder] if study else []
        files = [file for folder in folders for file in artifacts_of(folder, "all")[0]]
        text = "\n".join(f"{file.name} {file.state}" for file in files)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def _place(self) -> tuple[str, ...]:
        assert self.plan is not None  # noqa: S101 - asked by the callers
        return self.folder.relative_to(self.plan.folder).parts


@dataclass(frozen=True, slots=True)
class Sources:
    """A place whose runs are sent; its runs are looked for anew at each call."""

    place: Path
    kind: str  # run, study_run, plan, plans or runs

    def __iter__(self) -> Iterator[Source]:
        if self.kind == "run":
            yield Source(self.place, _plan_of(self.place))
        elif self.kind == "study_run":
            yield Source(self.place)
        elif self.kind == "runs":
            yield from (Source(paths.folder) for paths in list_run_folders(self.place))
        else:
            for plan in [self.place] if self.kind == "plan" else _plans(self.place):
                yield from (Source(run.folder, PlanFolder(plan)) for run in PlanFolder(plan).all_runs())

    @property
    def root(self) -> Path:
        """The folder that the default store stands in."""
        if self.kind in ("runs", "plans"):
            return self.place
        above = _plan_of(self.place).folder if self.kind == "run" else self.place
        return above.parent

    def is_busy(self) -> bool | None:
        """Return whether more is to be expected; None where nobody can tell."""
        if self.kind == "plan":
            return is_held(PlanFolder(self.place))
        if self.kind == "run":
            return is_held(_plan_of(self.place))
        if self.kind == "study_run":
            return read_status(RunPaths(self.place)).status in ("planned", "running")
        return None


def find_sources(asked: str | None, root: str | Path | None = None) -> Sources:
    """Return the runs that a path, a run's name or its 6-digit id stands for; without one the runs' root.

    Raises:
        UnknownNameError: there is no such folder or run.
    """
    if asked is None:
        place = runs_root(root)
        if not place.is_dir():
            raise UnknownNameError(
                f"no runs: {place} does not exist. Name a folder: probatum runs sync FOLDER"
            )
        return Sources(place.absolute(), "runs")
    place = Path(asked).absolute()
    if not place.is_dir():
        return Sources(find_run(asked, runs_root(root)).folder.absolute(), "study_run")
    return Sources(place, _kind(place, asked))


def _kind(place: Path, asked: str) -> str:
    if (place / "metadata.json").exists() and not any(place.glob("seed_*/metadata.json")):
        return "run"
    paths = RunPaths(place)
    if paths.config.exists() and paths.status.exists():
        return "study_run"
    if PlanFolder(place).lock.exists() or any(PlanFolder(place).all_runs()):
        return "plan" if not any(_is_plan(below) for below in _folders(place)) else "plans"
    if any(_is_plan(below) for below in _folders(place)):
        return "plans"
    if list_run_folders(place):
        return "runs"
    raise UnknownNameError(
        f"{asked}: no run stands there. Expected a plan's folder, a folder of plans, a run or a runs' root."
    )


def _plans(place: Path) -> Iterator[Path]:
    return (folder for folder in _folders(place) if _is_plan(folder))


def _is_plan(folder: Path) -> bool:
    return PlanFolder(folder).index.exists() or PlanFolder(folder).lock.exists()


def _folders(place: Path) -> list[Path]:
    return sorted(each for each in place.iterdir() if each.is_dir() and not each.name.startswith("."))


def _plan_of(run: Path) -> PlanFolder:
    return PlanFolder(run.parent.parent if run.name.startswith("seed_") else run.parent)
