"""The two sides of an explanation: one run or several, or an experiment of a plan, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum._files import read_json
from probatum._names import unknown
from probatum.analysis.ablation_folders import INDEX, METADATA, SUMMARY, read_ablation_run
from probatum.analysis.groups import Group, group_runs
from probatum.analysis.run_folders import read_run
from probatum.reproduction.record import RunRecord as FullRecord
from probatum.reproduction.record import read_record
from probatum.runs.folder import find_run, list_run_folders
from probatum.runs.journal import read_epochs
from probatum.runs.lenient import as_map, read_leniently
from probatum.runs.paths import RunPaths
from probatum.signals.reading import Artifact, read_artifact

_DEEPEST = 3  # folders between a plan's run and the Probatum run that it started


@dataclass
class Side:
    """The runs of one side.

    Attributes:
        name: What people call it: the title of its runs, or the experiment.
        kind: `run`, `runs` or `experiment`.
        group: One record per seed, as the analysis reads them.
        folders: The Probatum run folders; a plan over a foreign command has none.
        metadata: What the plan's runner noted, one per seed.
        tag: Which artifact counts where a run has several.
        notes: What could not be read, and why.
    """

    name: str
    kind: str
    group: Group
    folders: tuple[RunPaths, ...]
    metadata: tuple[dict[str, Any], ...] = ()
    tag: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def seeds(self) -> list[int]:
        """The seeds that completed, in order."""
        return [run.seed for run in self.group.runs if run.seed is not None]

    @cached_property
    def records(self) -> list[FullRecord]:
        """The whole records of the run folders, by seed; torn ones are left out with a note."""
        found = []
        for paths in self.folders:
            try:
                found.append(read_record(paths))
            except RecordError as error:
                self.notes.append(str(error))
        return sorted(found, key=lambda own: [seed if isinstance(seed, int) else 0 for seed in own.seeds])

    @property
    def by_seed(self) -> dict[int, FullRecord]:
        """The whole record of each seed."""
        return {seed: record for record in self.records for seed in record.seeds}

    @cached_property
    def artifacts(self) -> dict[int, Artifact]:
        """The signals of each seed; empty where nobody watched.

        Raises:
            UsageError: a seed has several artifacts and no tag chooses.
        """
        found: dict[int, Artifact] = {}
        for record in self.records:
            for file in sorted(record.paths.instrumentation_folder.glob("*.json")):
                if self.tag is None or file.stem == self.tag or file.stem.startswith(f"{self.tag}_seed"):
                    self._take(found, file, record)
        return found

    def _take(self, found: dict[int, Artifact], file: Path, record: FullRecord) -> None:
        try:
            artifact = read_artifact(file)
        except RecordError as error:
            self.notes.append(str(error))
            return
        seed = (artifact.document.get("provenance") or {}).get("seed")
        if not isinstance(seed, int):
            seed = record.seeds[0] if len(record.seeds) == 1 else None
        if seed is None:
            self.notes.append(f"{file.name} of {record.paths.name} states no seed")
        elif seed in found:
            raise UsageError(
                f"{record.paths.name} has several artifacts of seed {seed}: {found[seed].path.stem} and "
                f"{file.stem}. Choose one with --tag."
            )
        else:
            found[seed] = artifact

    @cached_property
    def epochs(self) -> dict[int, list[dict[str, Any]]]:
        """The rows of the epoch files by seed."""
        found: dict[int, list[dict[str, Any]]] = {}
        for record in self.records:
            try:
                rows = read_epochs(record.paths.metrics_epoch)
            except RecordError as error:
                self.notes.append(str(error))
                continue
            only = record.seeds[0] if len(record.seeds) == 1 else None
            for row in rows:
                seed = row.get("seed", only)
                if isinstance(seed, int) and isinstance(row.get("epoch"), int):
                    found.setdefault(seed, []).append(row)
        return found

    @cached_property
    def trajectories(self) -> dict[int, list[dict[str, Any]]]:
        """The semantic trajectories by seed; empty where the study has none."""
        found: dict[int, list[dict[str, Any]]] = {}
        for seed, record in self.by_seed.items():
            path = record.paths.seed_trajectory(seed)
            rows = _read_rows(path) if path.exists() else []
            if rows:
                found[seed] = rows
        return found

    def as_record(self) -> dict[str, Any]:
        """Return who is compared, as plain values."""
        runs = [
            {"seed": run.seed, "status": run.status, "name": Path(run.run_root).name if self.kind != "experiment"
             else f"{run.plan}/{run.experiment}/{Path(run.run_root).name}"}
            for run in [*self.group.runs, *self.group.others]
        ]  # fmt: skip
        studies = {str(as_map(record.config.get("experiment")).get("study")) for record in self.records}
        return {
            "name": self.name, "kind": self.kind, "n": self.group.n, "seeds": self.seeds, "runs": runs,
            "study": studies.pop() if len(studies) == 1 else None,
        }  # fmt: skip


def find_side(
    reference: str | Path, root: Path | str, *, plan: Path | str | None = None, tag: str | None = None
) -> Side:
    """Return the side that a reference names.

    A run by path, folder name or 6-digit id; several of them joined by commas; a pattern of folder names with `*`
    (`'*_baseline_*'`); a folder with an experiment's runs (`outputs/ablations/PLAN/exp_a`), or the experiment's
    name where `plan` is the plan's folder.

    Raises:
        UnknownNameError: nothing is called so; the nearest names are listed.
        UsageError: several runs are of one seed.
        RecordError: none of the runs completed.
    """
    text = str(reference)
    if plan is not None:
        return _checked(_experiment(_named(text, Path(plan)), tag), text)
    if (folder := Path(text)).is_dir() and not _is_run(RunPaths(folder)) and _plan_runs(folder):
        return _checked(_experiment(folder, tag), text)
    found = [paths for part in text.split(",") if part.strip() for paths in _runs(part.strip(), Path(root))]
    if not found:
        raise UnknownNameError(f"expected a run, got {text!r}. `probatum runs` lists them.")
    return _checked(_several(list(dict.fromkeys(found)), tag), text)


def _runs(reference: str, root: Path) -> list[RunPaths]:
    if "*" not in reference:
        return [find_run(reference, root)]
    folder, pattern = (
        (root, reference) if "/" not in reference else (Path(reference).parent, Path(reference).name)
    )
    names = {paths.name: paths for paths in list_run_folders(folder)}
    found = [paths for name, paths in names.items() if fnmatchcase(name, pattern)]
    if not found:
        raise UnknownNameError(f"no run in {folder} is called {pattern!r}. `probatum runs` lists them.")
    return found


def _several(folders: Sequence[RunPaths], tag: str | None) -> Side:
    records = [record for paths in folders for record in read_run(str(paths.folder))]
    for record in records:  # one side is one group, whatever its runs are called
        record.plan, record.experiment = "", "side"
    group = group_runs(records)[0]
    if group.repeated:
        twice = sorted({str(run.seed) for run in group.repeated})
        raise UsageError(
            f"several runs of seed {', '.join(twice)} are named for one side. Name one per seed."
        )
    kind = "run" if len(folders) == 1 else "runs"
    return Side(_name(folders), kind, group, tuple(folders), tag=tag)


def _name(folders: Sequence[RunPaths]) -> str:
    """Return the title of one run, or what the titles of several have in common."""
    titles = []
    for paths in folders:
        config = read_leniently(paths.config, [])
        titles.append(str(as_map(config.get("experiment")).get("short_title") or paths.name))
    if len(titles) == 1:
        return titles[0]
    shared = titles[0]
    while not all(title.startswith(shared) for title in titles):
        shared = shared[:-1]
    shared = shared.rstrip("_- ")
    return shared if len(shared) > 1 else f"{titles[0]} and {len(titles) - 1} more"


def _named(name: str, plan: Path) -> Path:
    """Return the folder of a plan's experiment; the plan's own record knows names that no folder may have."""
    if not plan.is_dir():
        raise UsageError(f"--plan {plan}: expected the folder of a plan, found none. `ablate` prints it.")
    if name and name not in {".", ".."} and "/" not in name and (plan / name).is_dir():
        return plan / name
    experiments = {}
    index = read_leniently(plan / INDEX, [])
    for run in index.get("experiments") or []:
        experiments[str(run.get("experiment"))] = Path(str(run.get("run_root") or ""))
    for experiment, run_root in experiments.items():
        folder = plan / (run_root.parent.name if run_root.name.startswith("seed") else run_root.name)
        if name == experiment and folder.is_dir():
            return folder
    known = sorted({*experiments, *(path.name for path in plan.iterdir() if _plan_runs(path))})
    raise UnknownNameError(unknown("experiment", name, known))


def _plan_runs(folder: Path) -> list[Path]:
    """Return the run folders of an experiment: itself, or one folder per seed."""
    if not folder.is_dir() or folder.name.startswith("."):
        return []
    if (folder / METADATA).is_file():
        return [folder]
    return sorted(below for below in folder.glob("seed*") if (below / METADATA).is_file())


def _experiment(folder: Path, tag: str | None) -> Side:
    places = _plan_runs(folder)
    if not places:
        raise RecordError(f"{folder}: expected runs of an experiment with {METADATA}, found none.")
    records, metadata, runs = [], [], []
    for place in places:
        record = read_ablation_run(str(place), has_summary=(place / SUMMARY).is_file())
        records.append(record)
        metadata.append({**as_map(read_leniently(place / METADATA, [])), "folder": str(place)})
        if record.status == "completed" and (paths := _started(place, metadata[-1])):
            runs.append(paths)
    group = next((group for group in group_runs(records) if group.n), group_runs(records)[0])
    for paths in runs:
        _add_values(group, paths)
    return Side(group.experiment, "experiment", group, tuple(runs), tuple(metadata), tag)


def _add_values(group: Group, paths: RunPaths) -> None:
    """Give a plan's runs what their own folders know beside the summary: every metric at best and last epoch."""
    own = {record.seed: record for record in read_run(str(paths.folder))}
    for run in group.runs:
        if run.seed in own:
            run.values = {**run.values, **own[run.seed].values}
            run.directions = {**run.directions, **own[run.seed].directions}


def _started(place: Path, metadata: dict[str, Any]) -> RunPaths | None:
    """Return the Probatum run that a plan's run started, wherever the working folder was."""
    name = str(metadata.get("run") or "")
    if name:
        roots = [Path(str(metadata.get("runs_root") or "runs"))]
        roots += [parent / roots[0] for parent in place.resolve().parents if not roots[0].is_absolute()]
        found = [RunPaths(root / name) for root in roots]
        return next((paths for paths in found if paths.config.exists()), None)
    below = (RunPaths(file.parent) for depth in range(_DEEPEST) for file in _configs(place, depth))
    return next(filter(_is_run, below), None)


def _configs(place: Path, depth: int) -> Iterator[Path]:
    yield from sorted(place.glob("/".join(["artifacts", *["*"] * depth, "config.json"])))


def _is_run(paths: RunPaths) -> bool:
    return paths.config.exists() and paths.status.exists()


def _checked(side: Side, reference: str) -> Side:
    if not side.group.n:
        others = ", ".join(sorted({run.status for run in side.group.others})) or "none"
        raise RecordError(f"{reference}: none of its runs completed ({others}). `probatum watch` shows them.")
    return side


def _read_rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = read_json(path)
    except RecordError:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def definitions(side: Side) -> dict[str, dict[str, Any]]:
    """Return the sealed metric definitions of a side by name; the first run that has one counts."""
    found: dict[str, dict[str, Any]] = {}
    for record in side.records:
        for metric in record.metrics:
            found.setdefault(metric.name, metric.as_record())
    return found
