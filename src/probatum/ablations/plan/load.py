"""A plan file becomes a `Plan`: everything checked, every run resolved, all mistakes at once.

Source: seed 001; AbProp fact sheet, sections 9, 11 and 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from probatum._errors import ProbatumError
from probatum._files import strict_json
from probatum._names import unknown
from probatum.ablations.plan.digest import config_hash
from probatum.ablations.plan.drafts import BASELINE
from probatum.ablations.plan.experiments import Experiments
from probatum.ablations.plan.including import Including
from probatum.ablations.plan.metrics import read_metric
from probatum.ablations.plan.model import Experiment, Metric, Plan, PlannedRun, Resolved
from probatum.ablations.plan.names import name_fault
from probatum.ablations.plan.reading import PlanOptions, Reading
from probatum.ablations.plan.schema import faults
from probatum.ablations.plan.source import Steps
from probatum.ablations.targets.base import Target
from probatum.ablations.targets.results import Results
from probatum.ablations.targets.script import open_script, spelled_env
from probatum.ablations.targets.study import StudyTarget, study_reference

BASE_OUTPUT = "outputs/ablations"  # the seed's
_FILES = ("train_config", "model_config", "data_config", "train_script", "python_executable", "extra_args")


def load_plan(path: Path | str, options: PlanOptions | None = None) -> Plan:
    """Return the plan in a file.

    Raises:
        ParameterError: names every mistake with file, line and path.
    """
    return _Loader(Reading(Path(path), options or PlanOptions())).load()


class _Loader:
    """Puts the parts together."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def load(self) -> Plan:
        """Return the plan, or raise all mistakes."""
        if fault := name_fault(self.reading.name):
            self.reading.add(("plan_name",), fault)
        target = self._target()
        drafts = list(Including(self.reading).drafts(target))
        experiments = tuple(Experiments(self.reading).made_of(drafts))
        baseline = self._baseline(experiments)
        primary, objectives = self._metrics(target)
        chosen = self._chosen(experiments)
        for problem in target.check(chosen) if target else ():
            self.reading.mistakes.add(problem)
        runs = tuple(self._runs(chosen, target)) if target else ()
        self.reading.mistakes.raise_if_any()
        if target is None:
            raise AssertionError("a plan without a mistake has a target")
        return Plan(
            name=self.reading.name, path=self.reading.path, root=self.reading.lookup.root,
            output=self._output(), target=target,
            experiments=experiments, runs=runs, baseline=baseline, primary_metric=primary,
            objectives=objectives, sets=(*self.reading.options.sets, *self.reading.options.rules),
            accommodations=tuple(dict.fromkeys([*self.reading.lookup.accommodations, *target.accommodations])),
            notes=(*dict.fromkeys(note for run in runs for note in run.resolved.notes), *_twins(runs)),
        )  # fmt: skip

    def _output(self) -> Path:
        given = self.reading.options.output
        return (
            given.resolve()
            if given
            else self.reading.lookup.root / self.reading.defaults.get("base_output_dir", BASE_OUTPUT)
        )

    def _target(self) -> Target | None:
        try:
            return self._study() if self.reading.has_study else self._script()
        except ProbatumError as error:
            steps = ("study",) if self.reading.has_study else ("defaults",)
            for line in str(error).splitlines():
                self.reading.add(steps, line)
            return None

    def _study(self) -> Target:
        from probatum.runs.folder import runs_root

        for name in [name for name in _FILES if name in self.reading.defaults]:
            self.reading.add(("defaults", name), "means nothing beside `study`. Remove one of them.")
        reference = self.reading.raw["study"]
        found = self.reading.lookup.find(reference) if reference.endswith(".py") else None
        env = {name: spelled_env(value) for name, value in (self.reading.defaults.get("env") or {}).items()}
        root = runs_root(self.reading.options.runs_root).absolute()
        target = StudyTarget(study_reference(reference, found), root, self.reading.name, env)
        _ = target.base  # an unknown study is the plan's mistake, and is told with the others
        return target

    def _script(self) -> Target:
        results = self.reading.raw.get("results")
        if results and (Path(results["file"]).is_absolute() or ".." in Path(results["file"]).parts):
            self.reading.add(("results", "file"), f"must stand below artifacts/, got {results['file']!r}.")
        rules = {
            **self.reading.raw.get("rules", {}),
            **dict(self.reading.pairs(self.reading.options.rules, "--rule")),
        }
        wrong = faults({"rules": rules})
        for fault in wrong:
            self.reading.mistakes.add(f"--rule: {fault.sentence}")
        return open_script(
            self.reading.defaults, self.reading.lookup, Results(**results) if results else None, rules
        )

    def _baseline(self, experiments: Sequence[Experiment]) -> str | None:
        names = [experiment.name for experiment in experiments]
        is_given = "baseline" in self.reading.raw
        name = self.reading.raw.get("baseline", BASELINE)
        if is_given and name not in names:
            self.reading.add(("baseline",), unknown("experiment", name, names))
        return name if name in names else None

    def _metrics(self, target: Target | None) -> tuple[Metric | None, tuple[Metric, ...]]:
        directions = target.directions if target else {}
        given = self.reading.raw.get("primary_metric") or (target.primary_metric if target else None)
        primary = self._metric(given, directions, ("primary_metric",)) if given else None
        objectives = [
            self._metric(item, directions, ("objectives", position))
            for position, item in enumerate(self.reading.raw.get("objectives") or ())
        ]
        return primary, tuple(objectives)

    def _metric(self, given: Any, directions: Mapping[str, bool], steps: Steps) -> Metric:
        metric = read_metric(given, directions)
        if metric.higher_is_better is None:
            self.reading.add(
                steps,
                f"which way is {metric.name!r} better? Write {{name: {metric.name}, higher_is_better: ...}}.",
            )
        return metric

    def _chosen(self, experiments: tuple[Experiment, ...]) -> tuple[Experiment, ...]:
        wanted = self.reading.options.filters
        names = [experiment.name for experiment in experiments]
        for pattern in wanted:
            if not any(_matches(experiment, pattern) for experiment in experiments):
                self.reading.mistakes.add(f"--filter: {unknown('experiment', pattern, names)}")
        return tuple(e for e in experiments if not wanted or any(_matches(e, pattern) for pattern in wanted))

    def _runs(self, experiments: tuple[Experiment, ...], target: Target) -> Iterator[PlannedRun]:
        for experiment in experiments:
            try:
                resolved = target.resolve(experiment)
            except ProbatumError as error:
                self.reading.mistakes.add(f"{experiment.where} ({experiment.name}): {error}")
                continue
            frame = _finite_json(resolved.identity)
            if frame is None:
                self.reading.mistakes.add(f"{experiment.where}: .inf and .nan cannot be recorded.")
                continue
            yield from _planned(experiment, resolved, frame)


def _planned(experiment: Experiment, resolved: Resolved, frame: str) -> Iterator[PlannedRun]:
    for seed in experiment.seeds:
        place = (experiment.folder, f"seed_{seed}") if experiment.has_seed_folders else (experiment.folder,)
        yield PlannedRun(experiment, seed, resolved, config_hash(frame, seed), place)


def _twins(runs: Sequence[PlannedRun]) -> Iterator[str]:
    """Yield a note for each run that another run of the plan already is."""
    first: dict[str, PlannedRun] = {}
    for run in runs:
        twin = first.setdefault(run.config_hash, run)
        if twin is not run:
            yield f"{run.key} is the same run as {twin.key}: equal configurations and seed"


def _finite_json(value: Any) -> str | None:
    """Return plain JSON of `value`, or None where it holds a number that is not finite."""
    try:
        return strict_json(value, indent=None)
    except ValueError:
        return None


def _matches(experiment: Experiment, pattern: str) -> bool:
    return pattern in (experiment.name, experiment.folder) or fnmatchcase(experiment.name, pattern)
