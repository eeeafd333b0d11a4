"""The leaderboard and the Pareto front of a plan."""

from __future__ import annotations

from probatum._errors import UsageError
from probatum.analysis.answers import LONGEST, difference
from probatum.analysis.groups import Group
from probatum.analysis.leaderboard import Analysis
from probatum.analysis.table import name_of, with_interval
from probatum.reports.page.blocks import Cell, Column, Figure, Section, Table, Tone, missing, number
from probatum.reports.page.subject import Subject
from probatum.reports.page.verdicts import verdict_cell

_PLACES: dict[str, Tone] = {"frontier": "good", "ambiguous": "doubt", "dominated": "muted"}


def build(subject: Subject) -> Section | None:
    """Return every experiment in a table that sorts and filters; None for a run or a pair."""
    analysis = subject.analysis
    if analysis is None:
        return None
    head, rows = _columns(analysis), [_row(analysis, group) for group in _by_rank(analysis)]
    caption = f"Experiments by {analysis.metric.column}, best mean first"
    intro = (
        "Mean over seeds with its 95% t-interval. Experiments of one rank group are those that the seeds cannot "
        "tell apart. p is the exact permutation test's, paired by seed, corrected by Holm over the experiments."
    )
    return Section(
        "leaderboard", "Leaderboard", [Table("leaderboard", caption, head, rows, is_filtered=True)], intro
    )


def build_pareto(subject: Subject) -> Section | None:
    """Return the Pareto chart of a plan; None for a run or a pair."""
    analysis = subject.analysis
    if analysis is None:
        return None
    from probatum.analysis.chart import pareto_chart

    section = Section("pareto", "Pareto front")
    try:
        chart = pareto_chart(analysis)
    except UsageError as error:
        section.blocks.append(missing(str(error)))
        return section
    front = [name_of(point.group, analysis) for point in analysis.pareto if point.is_on_front]
    names = " and ".join(own.column for own in analysis.objectives)
    alt = f"{len(analysis.pareto)} experiments by {names}. On the front of the means: {', '.join(front)}."
    section.blocks.append(Figure("pareto", chart, alt, is_wide=True))
    return section


def _columns(analysis: Analysis) -> list[Column]:
    others = [f"{word} epoch" for word, column in analysis.epochs.items() if column != analysis.metric.column]
    return [
        Column("experiment"), Column("verdict", False, "against the baseline, at 0.05 after Holm's correction"),
        Column(analysis.metric.column, True, "mean over seeds [95% t-interval]"),
        Column("against baseline", True, "difference of the means [95% t-interval]"),
        Column("Holm p", True, "exact permutation test"), Column("seeds", True),
        Column("rank group", True, "experiments of one group cannot be told apart"),
        Column("front", False, "place on the Pareto front"),
        Column("effect size", True, "mean difference over its standard deviation"),
        *(Column(title, True, "mean over seeds [95% t-interval]") for title in others),
        Column("training s", True, "mean over seeds, without start-up"), Column("axis"),
    ]  # fmt: skip


def _row(analysis: Analysis, group: Group) -> list[Cell]:
    column = analysis.metric.column
    own, point = analysis.comparison(group, column), analysis.points.get(id(group))
    summary, time = group.summary(column), group.summary("training_seconds")
    is_baseline = any(group is base for base in analysis.baselines.values())
    others = [group.summary(name) for name in analysis.epochs.values() if name != column]
    place = (
        "" if point is None else point.place or ("front, one seed" if point.is_on_front else "off the front")
    )
    return [
        Cell(name_of(group, analysis, LONGEST)),
        verdict_cell(own) if own else Cell("baseline" if is_baseline else "-", tone="muted"),
        Cell(with_interval(summary), summary.mean if summary else None),
        Cell(difference(own), own.difference) if own else Cell("-"),
        number(own.p_holm if own and own.n > 1 else None, 3), Cell(_seeds(group), float(group.n)),
        number(analysis.ranks[id(group)]), Cell(place or "-", place, _PLACES.get(place, "")),
        number(own.effect_size if own else None, 3),
        *(Cell(with_interval(other), other.mean if other else None) for other in others),
        number(time.mean if time else None), Cell(group.axis or "-", group.axis),
    ]  # fmt: skip


def _seeds(group: Group) -> str:
    failed = len(group.failures())
    return f"{group.n} ({failed} failed)" if failed else str(group.n)


def _by_rank(analysis: Analysis) -> list[Group]:
    """Return the ranked experiments, then those that have no value."""
    ranked = analysis.ranked
    return [*ranked, *(group for group in analysis.groups if all(group is not own for own in ranked))]
