"""What a report is about: a run, a parent and its child, or the experiments of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum.analysis.groups import Group
from probatum.analysis.leaderboard import Analysis, analyse_results
from probatum.analysis.reader import Results, read_results
from probatum.analysis.records import RunRecord
from probatum.analysis.run_folders import distinguish, read_run
from probatum.reports.page.run import Run
from probatum.runs.folder import find_run, runs_root
from probatum.runs.paths import RunPaths

Kind = Literal["run", "pair", "plan"]


@dataclass(frozen=True)
class Request:
    """What a person asked for."""

    references: Sequence[str]
    root: Path = field(default_factory=runs_root)
    metric: str | None = None
    objectives: Sequence[str] = ()
    baseline: str | None = None


@dataclass
class Subject:
    """What a report is about.

    Args:
        kind: A run, a pair or a plan.
        title: What the page is called where nobody says it.
        runs: The runs that are shown in full; of a plan the baseline and the best experiment's first seed.
        analysis: The leaderboard of a plan; None for a run or a pair.
        root: Where runs stand.
    """

    kind: Kind
    title: str
    runs: list[Run]
    analysis: Analysis | None = None
    root: Path = field(default_factory=runs_root)

    @property
    def parent(self) -> Run:
        """The run that was changed: the first."""
        return self.runs[0]

    @property
    def child(self) -> Run:
        """The run with the change: the last."""
        return self.runs[-1]

    @cached_property
    def folders(self) -> dict[str, RunPaths]:
        """The run folder of each record of the analysis, by the record's place; absent where there is none."""
        records = self.analysis.records if self.analysis else []
        found = {record.run_root: run_folder(record, self.root) for record in records}
        return {place: paths for place, paths in found.items() if paths}


def read_subject(request: Request) -> Subject:
    """Return what the references name: one run, two runs, or everything below folders of results.

    Raises:
        UnknownNameError: a reference names neither a run nor a folder.
        RecordError: a folder holds no run.
        UsageError: a run is given twice.
    """
    if not request.references:
        raise UsageError("name a run, a parent and its child, or a folder of `probatum ablate`.")
    found = [_resolve(reference, request.root) for reference in request.references]
    if len({str(_place(item)) for item in found}) < len(found):
        raise UsageError(f"the same run or folder is given twice: {', '.join(request.references)}.")
    runs = [item for item in found if isinstance(item, RunPaths)]
    if len(runs) == len(found) and len(runs) <= 2:
        return _of_runs(runs, request.root)
    return _of_many(found, request)


def _place(item: RunPaths | Path) -> Path:
    return (item.folder if isinstance(item, RunPaths) else item).resolve()


def _resolve(reference: str, root: Path) -> RunPaths | Path:
    """Return a run, or a folder below which runs stand."""
    try:
        return find_run(reference, root)
    except UnknownNameError:
        if Path(reference).is_dir():
            return Path(reference)
        raise


def _of_runs(runs: Sequence[RunPaths], root: Path) -> Subject:
    if len(runs) == 1:
        run = Run(runs[0])
        return Subject("run", f"{run.title} ({run.number})", [run], root=root)
    parent, child = Run(runs[0], role="parent"), Run(runs[1], role="child")
    for run in (parent, child):
        run.name = f"{run.role}: {run.title}"
    return Subject("pair", f"{child.title} against {parent.title}", [parent, child], root=root)


def _of_many(found: Sequence[RunPaths | Path], request: Request) -> Subject:
    results = _joined(found)
    analysis = analyse_results(
        results, metric=request.metric, objectives=request.objectives, baseline=request.baseline
    )
    plans = list(dict.fromkeys(group.plan for group in analysis.groups))
    title = f"{', '.join(plans[:3])}{', ...' if len(plans) > 3 else ''}" or "experiments"
    subject = Subject("plan", title, [], analysis, request.root)
    subject.runs = _in_depth(subject)
    return subject


def _joined(found: Sequence[RunPaths | Path]) -> Results:
    """Return the runs of all folders as one."""
    parts = [read_results(item) for item in found if isinstance(item, Path)]
    singles = [
        record for item in found if isinstance(item, RunPaths) for record in read_run(str(item.folder))
    ]
    if len(parts) == 1 and not singles:
        return parts[0]
    joined = Results(parts[0].folder if parts else Path(singles[0].run_root).parent)
    distinguish(singles)
    for own in parts:
        joined.records += own.records
        joined.declared = own.declared | joined.declared
        joined.baselines |= own.baselines
    joined.records += singles
    directions = [own.definitions for own in parts] + [record.directions for record in singles]
    opposed: set[str] = set()
    for own in directions:
        opposed |= {name for name, up in own.items() if joined.definitions.setdefault(name, up) != up}
    joined.definitions = {name: up for name, up in joined.definitions.items() if name not in opposed}
    return joined


def _in_depth(subject: Subject) -> list[Run]:
    """Return the baseline and the best experiment, the first seed of each, where they left a run folder."""
    analysis = subject.analysis
    if analysis is None or not analysis.ranked:
        return []
    best = analysis.ranked[0]
    baseline = analysis.baseline_of(best) or (analysis.ranked[-1] if len(analysis.ranked) > 1 else None)
    is_sealed = analysis.baseline_of(best) is not None
    chosen: list[tuple[str, Group]] = [("best", best)]
    if baseline is not None and baseline is not best:
        chosen.insert(0, ("baseline" if is_sealed else "last", baseline))
    runs = []
    for role, group in chosen:
        paths = next(
            (subject.folders[run.run_root] for run in group.runs if run.run_root in subject.folders), None
        )
        if paths and all(paths.folder != run.paths.folder for run in runs):
            runs.append(Run(paths, f"{role}: {group.experiment}", role))
    return runs


def run_folder(record: RunRecord, root: Path) -> RunPaths | None:
    """Return the Probatum run folder of a record: itself, what its script left below it, or a run of a study."""
    own = RunPaths(Path(record.run_root))
    if own.config.exists():
        return own
    for pattern in ("artifacts/*/*/config.json", "artifacts/*/config.json"):
        for path in sorted(own.folder.glob(pattern)):
            if RunPaths(path.parent).status.exists():
                return RunPaths(path.parent)
    named = _named_run(own.folder)
    if named:
        try:
            return find_run(named, root)
        except (UnknownNameError, RecordError):
            return None
    return None


def _named_run(folder: Path) -> str:
    """Return the run that a plan's `metadata.json` names; empty where it names none."""
    from probatum.analysis.ablation_folders import METADATA
    from probatum.runs.lenient import read_leniently

    found = read_leniently(folder / METADATA, []).get("run")
    return found if isinstance(found, str) else ""
