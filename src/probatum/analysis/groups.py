"""Seeds grouped: one experiment of one plan, with one value per seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.analysis.intervals import Summary, summarise
from probatum.analysis.records import RunRecord

BASELINES = ("baseline_reference", "baseline")  # taken where none is named
Seed = int | str  # a run without a seed is known by its folder: it pairs with nothing


@dataclass
class Group:
    """The runs of one experiment."""

    plan: str
    experiment: str
    runs: list[RunRecord] = field(default_factory=list)  # completed, one per seed
    others: list[RunRecord] = field(default_factory=list)  # failed, skipped, interrupted
    repeated: list[RunRecord] = field(default_factory=list)  # an earlier run of a seed: no new information
    _summaries: dict[str, Summary | None] = field(default_factory=dict, repr=False)

    @property
    def tags(self) -> Mapping[str, Any]:
        """The experiment's tags."""
        return (self.runs or self.others)[0].tags

    @property
    def axis(self) -> str:
        """What the experiment varies; empty where its tags do not say."""
        return str(self.tags.get("axis") or "")

    @property
    def n(self) -> int:
        """How many seeds completed."""
        return len(self.runs)

    def values(self, column: str) -> dict[Seed, float]:
        """Return the column's value by seed, without the runs that lack it."""
        found: dict[Seed, float] = {}
        for run in self.runs:
            value = run.value(column)
            if value is not None:
                found[run.run_root if run.seed is None else run.seed] = value
        return found

    def summary(self, column: str) -> Summary | None:
        """Return mean, standard deviation and t-interval over the seeds, None where no run has the column."""
        if column not in self._summaries:
            values = list(self.values(column).values())
            self._summaries[column] = summarise(values) if values else None
        return self._summaries[column]

    def failures(self) -> list[RunRecord]:
        """Return the runs that were started and did not complete."""
        return [run for run in self.others if run.status in {"failed", "interrupted"}]


def group_runs(records: Iterable[RunRecord]) -> list[Group]:
    """Return the groups by plan and experiment; of several runs of one seed the latest counts.

    Example:
        >>> runs = [RunRecord("p", "a", "completed", f"r{seed}", seed) for seed in (1, 2, 2)]
        >>> [(group.experiment, group.n, len(group.repeated)) for group in group_runs(runs)]
        [('a', 2, 1)]
    """
    groups: dict[tuple[str, str], Group] = {}
    for record in sorted(records, key=lambda record: record.start_time):
        group = groups.setdefault((record.plan, record.experiment), Group(record.plan, record.experiment))
        (group.runs if record.status == "completed" else group.others).append(record)
    for group in groups.values():
        latest = {run.run_root if run.seed is None else run.seed: run for run in group.runs}
        kept = {id(run) for run in latest.values()}
        group.repeated = [run for run in group.runs if id(run) not in kept]
        group.runs = sorted(latest.values(), key=lambda run: (run.seed is None, run.seed or 0, run.run_root))
    return [groups[key] for key in sorted(groups)]


def find_baselines(
    groups: Sequence[Group], name: str | None = None, declared: Mapping[str, str] | None = None
) -> dict[str, Group]:
    """Return the baseline of every plan: its own experiment of that name, else the only one of the name.

    Args:
        groups: All experiments.
        name: What the person named, as `EXPERIMENT` or `PLAN/EXPERIMENT`.
        declared: What each plan sealed before its first run; used where the person named none.

    Raises:
        UsageError: the person named an experiment that does not exist, or none of it completed.
    """
    found: dict[str, Group] = {}
    for plan in dict.fromkeys(group.plan for group in groups):
        sealed = (declared or {}).get(plan)
        for wanted in [name] if name else [sealed] if sealed else BASELINES:
            named = [group for group in groups if wanted in (group.experiment, _full(group)) and group.n]
            own = [group for group in named if group.plan == plan]
            if own or len(named) == 1:
                found[plan] = (own or named)[0]
                break
    if name and not found:
        raise UsageError(_no_baseline(groups, name))
    return found


def _full(group: Group) -> str:
    return f"{group.plan}/{group.experiment}"


def _no_baseline(groups: Sequence[Group], name: str) -> str:
    known = sorted({group.experiment for group in groups if group.n})
    if any(name in {group.experiment, _full(group)} for group in groups):
        return f"--baseline {name}: none of its runs completed. Completed: {', '.join(known) or 'none'}."
    return unknown("baseline", name, known)
