"""The whole analysis of a results folder: groups, comparisons with the baseline, rank groups, the Pareto front."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum._errors import RecordError, UsageError
from probatum.analysis.comparison import Comparison, adjust, compare
from probatum.analysis.directions import Objective, both_epochs, direction_of, parse_objective
from probatum.analysis.groups import Group, find_baselines, group_runs
from probatum.analysis.rank_groups import rank_groups
from probatum.analysis.reader import Results, read_results
from probatum.analysis.records import RunRecord, numeric_columns

if TYPE_CHECKING:
    from probatum.analysis.pareto_seeds import Place

SEED_METRIC = "metrics_loss"  # the seed's default


@dataclass(frozen=True)
class ParetoPoint:
    """An experiment among the objectives."""

    group: Group
    values: tuple[float, ...]  # means over the seeds, one per objective
    is_on_front: bool  # of the means
    place: Place | None  # None where some experiment has one seed: nothing is known about its noise


@dataclass
class Analysis:
    """What the runs say, computed as it is asked for."""

    results: Results
    groups: list[Group]
    metric: Objective
    objectives: list[Objective]
    baselines: dict[str, Group]  # by plan
    columns: list[str]
    _compared: dict[str, list[Comparison | None]] = field(default_factory=dict)

    @property
    def records(self) -> list[RunRecord]:
        """Every run, completed or not."""
        return self.results.records

    @cached_property
    def ranked(self) -> list[Group]:
        """The groups that have the metric, best mean first."""
        with_mean = [(group.summary(self.metric.column), group) for group in self.groups]
        known = [(self.metric.sign * summary.mean, index, group)
                 for index, (summary, group) in enumerate(with_mean) if summary]  # fmt: skip
        return [group for _, _, group in sorted(known, key=lambda item: item[:2])]

    @cached_property
    def ranks(self) -> dict[int, int | None]:
        """The rank group of each group, by its identity."""
        places = rank_groups(
            [group.values(self.metric.column) for group in self.groups], self.metric.higher_is_better
        )
        return {id(group): place for group, place in zip(self.groups, places, strict=True)}

    def baseline_of(self, group: Group) -> Group | None:
        """Return the baseline that a group is compared with; None for a baseline itself."""
        baseline = self.baselines.get(group.plan)
        return None if baseline is group else baseline

    def comparison(self, group: Group, column: str) -> Comparison | None:
        """Return a group's comparison with its baseline, Holm over all groups; None where there is none."""
        if column not in self._compared:
            self._compared[column] = self._family(column)
        return self._compared[column][self._index[id(group)]]

    @cached_property
    def _index(self) -> dict[int, int]:
        return {id(group): index for index, group in enumerate(self.groups)}

    def _family(self, column: str) -> list[Comparison | None]:
        higher = direction_of(column, self.results.definitions)
        if column == self.metric.column:
            higher = self.metric.higher_is_better
        found: dict[int, Comparison] = {}
        for index, group in enumerate(self.groups):
            baseline = self.baseline_of(group)
            values = group.values(column)
            reference = baseline.values(column) if baseline else {}
            if higher is not None and values and reference:
                found[index] = compare(reference, values, higher)
        adjusted = dict(zip(found, adjust(list(found.values())), strict=True))
        return [adjusted.get(index) for index in range(len(self.groups))]

    @property
    def epochs(self) -> dict[str, str]:
        """The metric's columns at the best and at the last epoch, by these words."""
        return both_epochs(self.metric.column, self.columns)

    @cached_property
    def pareto(self) -> list[ParetoPoint]:
        """Every experiment that has all objectives, in the order of the groups."""
        pareto_front, places = _fronts(len(self.objectives))
        complete: list[tuple[Group, list[Any]]] = []
        for group in self.groups:
            summaries = [group.summary(objective.column) for objective in self.objectives]
            if all(summaries):
                complete.append((group, summaries))
        if not complete:
            return []
        directions = [objective.higher_is_better for objective in self.objectives]
        means = [tuple(summary.mean for summary in summaries) for _, summaries in complete]
        found: Sequence[Place | None] = [None] * len(complete)
        if all(summary.ci_low is not None for _, summaries in complete for summary in summaries):
            low = [[summary.ci_low for summary in summaries] for _, summaries in complete]
            high = [[summary.ci_high for summary in summaries] for _, summaries in complete]
            found = places(low, high, directions)
        front = pareto_front(means, directions)
        return [
            ParetoPoint(group, mean, on_front, place)
            for (group, _), mean, on_front, place in zip(complete, means, front, found, strict=True)
        ]

    @cached_property
    def has_several_plans(self) -> bool:
        """Whether an experiment's name alone may not tell it from others."""
        return len({group.plan for group in self.groups}) > 1

    @cached_property
    def points(self) -> dict[int, ParetoPoint]:
        """The points of `pareto` by their group's identity."""
        return {id(point.group): point for point in self.pareto}

    @property
    def status_counts(self) -> dict[str, int]:
        """How many runs stand where."""
        return dict(sorted(Counter(record.status for record in self.records).items()))


def _fronts(objectives: int) -> tuple[Callable[..., Sequence[bool]], Callable[..., Sequence[Place]]]:
    """Return the functions for the front and the places: for two objectives without numpy, which loads slowly."""
    if objectives == 2:
        from probatum.analysis.pareto_two import front_of_two, places_of_two

        return front_of_two, places_of_two
    from probatum.analysis.pareto import pareto_front
    from probatum.analysis.pareto_seeds import places

    return lambda points, directions: pareto_front(points, directions).tolist(), places


def analyse(
    folder: Path | str,
    *,
    metric: str | None = None,
    objectives: Sequence[str] = (),
    baseline: str | None = None,
) -> Analysis:
    """Return the analysis of every run below a folder.

    Args:
        folder: Results of `ablate` or of AbProp's runner, or Probatum run folders.
        metric: `NAME`, `NAME:min` or `NAME:max`; else what the plan sealed as primary, else `metrics_loss`, else
            the first metric that the runs define.
        objectives: As `metric`; else what the plan sealed, else the metric against the training time.
        baseline: An experiment's name; else what the plan sealed, else `baseline_reference`.

    Raises:
        RecordError: there is no run, or no completed one.
        UsageError: a metric or the baseline does not exist, or its direction is unknown.
    """
    return analyse_results(read_results(folder), metric=metric, objectives=objectives, baseline=baseline)


def analyse_results(
    results: Results,
    *,
    metric: str | None = None,
    objectives: Sequence[str] = (),
    baseline: str | None = None,
) -> Analysis:
    """Return the analysis of runs that were read already, of one folder or of several; as `analyse`."""
    completed = [record for record in results.records if record.status == "completed"]
    columns = numeric_columns(completed)
    if not columns:
        counts = Counter(record.status for record in results.records)
        text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        raise RecordError(f"{results.folder}: no completed run has a number to analyse ({text}).")
    chosen = parse_objective(metric or _default_metric(results, columns), columns, results.definitions)
    named = list(objectives) or _default_objectives(results, chosen, completed)
    parsed = [parse_objective(text, columns, results.definitions) for text in named]
    if len({objective.column for objective in parsed}) < len(parsed):
        raise UsageError(f"an objective is given twice: {', '.join(named)}.")
    groups = group_runs(results.records)
    found = find_baselines(groups, baseline, results.baselines)
    return Analysis(results, groups, chosen, parsed, found, columns)


def _default_metric(results: Results, columns: Sequence[str]) -> str:
    declared = results.declared.get("primary_metric")
    if declared:
        return _text(declared)
    if SEED_METRIC in columns:
        return SEED_METRIC
    for name in results.definitions:
        if f"metrics_{name}_best_epoch" in columns:
            return name
    raise UsageError(f"no run has {SEED_METRIC}. Choose with --metric: {', '.join(columns)}.")


def _default_objectives(results: Results, metric: Objective, completed: Sequence[RunRecord]) -> list[str]:
    declared = results.declared.get("objectives")
    if isinstance(declared, list) and declared:
        return [_text(item) for item in declared]
    timed = all(record.training_seconds is not None for record in completed)
    time = "training_seconds" if timed else "duration_seconds"
    has_time = any(record.value(time) is not None for record in completed)
    return [str(metric), time] if has_time and metric.column != time else [str(metric)]


def _text(declared: Any) -> str:
    """Return `NAME` or `NAME:direction` of what a plan declares, as text or as a map."""
    if not isinstance(declared, dict):
        return str(declared)
    name = str(declared.get("metric") or declared.get("name") or "")
    direction = str(declared.get("direction") or "")
    if declared.get("higher_is_better") is not None:
        direction = "max" if declared["higher_is_better"] else "min"
    ending = {"max": ":max", "maximize": ":max", "min": ":min", "minimize": ":min"}.get(direction, "")
    return name + ending
