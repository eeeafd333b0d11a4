"""The sentences and rows of the findings: what changed, by how much, and whether the seeds can tell."""

from __future__ import annotations

from collections.abc import Sequence

from probatum.analysis.checklist import Question
from probatum.analysis.comparison import ALPHA, Comparison
from probatum.analysis.groups import Group
from probatum.analysis.leaderboard import Analysis
from probatum.analysis.separation import seeds_needed
from probatum.analysis.table import figure, name_of, with_interval
from probatum.analysis.telling import untrained

_MANY = 6  # names in one sentence
LONGEST = 80  # characters of a name


def top(analysis: Analysis) -> list[str]:
    """Return the best configuration, and who shares its rank group."""
    ranked = analysis.ranked
    if not ranked:
        return [f"No experiment has `{analysis.metric.column}`."]
    best = ranked[0]
    comparison = analysis.comparison(best, analysis.metric.column)
    value = with_interval(best.summary(analysis.metric.column))
    first = f"Best mean: {code(best, analysis)}, {value} over {seeds(best.n)}"
    time = best.summary("training_seconds")
    first += f", {time.mean:.1f} s of training" if time else ""
    lines = [f"{first}. {_against(comparison)}" if comparison else f"{first}."]
    sharing = [group for group in ranked if analysis.ranks[id(group)] == 1]
    if len(sharing) > 1:
        lines.append(f"Rank group 1 holds {len(sharing)} of {len(ranked)} experiments that the seeds cannot tell "
                     f"apart: {_names(analysis, sharing)}.")  # fmt: skip
    places = [point for point in analysis.pareto if point.place == "frontier"]
    if places:
        lines.append(f"Surely on the Pareto front: {_names(analysis, [point.group for point in places])}.")
    return lines


def what_seeds_allow(analysis: Analysis) -> list[str]:
    """Return what the number of seeds can and cannot show here."""
    compared = [c for group in analysis.groups if (c := analysis.comparison(group, analysis.metric.column))]
    if not compared:
        return ["Nothing is compared: name a baseline with `--baseline`."] if not analysis.baselines else []
    blind = [c for c in compared if c.verdict in {"one seed", "cannot separate"}]
    if not blind:
        return []
    family = max(c.comparisons for c in compared)
    alone, together = seeds_needed(ALPHA), seeds_needed(ALPHA, family)
    counts = sorted({c.n for c in blind})
    text = (
        f"At {' and '.join(f'n={n}' for n in counts)} the exact test cannot separate {len(blind)} of "
        f"{len(compared)} experiments from the baseline, whatever the difference: one comparison needs "
        f"{alone} seeds"
    )
    return [text + (f", {family} comparisons together need {together}." if family > 1 else ".")]


def answer(analysis: Analysis, groups: Sequence[Group]) -> list[str]:
    """Return what an axis did to the metric, the training time and the stability, experiment by experiment."""
    lines = []
    for group in groups:
        if not group.n:
            lines.append(f"{code(group, analysis)}: no run completed ({_statuses(group)}).")
            continue
        baseline = analysis.baseline_of(group)
        comparison = analysis.comparison(group, analysis.metric.column)
        parts = [_against(comparison)] if comparison else [_alone(analysis, group, baseline)]
        parts += _time(group, baseline) + _stability(analysis, group, baseline)
        lines.append(f"{code(group, analysis)}: {' '.join(parts)}")
    return lines


def main_rows(analysis: Analysis, groups: Sequence[Group]) -> list[list[str]]:
    """Return the table of an axis: head and one row per experiment."""
    epochs = {word: column for word, column in analysis.epochs.items() if column != analysis.metric.column}
    head = ["experiment", "n", analysis.metric.column, *epochs.values(), "vs baseline", "Holm p", "effect",
            "training s", "start-up s"]  # fmt: skip
    rows = [head]
    for group in groups:
        comparison = analysis.comparison(group, analysis.metric.column)
        rows.append([
            name_of(group, analysis, LONGEST), str(group.n), with_interval(group.summary(analysis.metric.column)),
            *(with_interval(group.summary(column)) for column in epochs.values()),
            difference(comparison) if comparison else "-",
            figure(comparison.p_holm) if comparison and comparison.n > 1 else "-",
            figure(comparison.effect_size) if comparison else "-",
            with_interval(group.summary("training_seconds")), with_interval(group.summary("startup_seconds")),
        ])  # fmt: skip
    return rows


def detail_rows(analysis: Analysis, groups: Sequence[Group], columns: Sequence[str]) -> list[list[str]]:
    """Return the axis' own metrics: one row per metric, one column per experiment; empty where there is none."""
    rows = []
    for column in columns:
        cells = []
        for group in groups:
            comparison = analysis.comparison(group, column)
            told = f"; {difference(comparison)}, {_short(comparison)}" if comparison else ""
            cells.append(f"{with_interval(group.summary(column))}{told}")
        if any(cell != "-" for cell in cells):
            rows.append([column, *cells])
    return [["metric", *(name_of(group, analysis, LONGEST) for group in groups)], *rows] if rows else []


def without_training(analysis: Analysis, groups: Sequence[Group], columns: Sequence[str]) -> list[str]:
    """Return what needs no training reaches in each of the metrics, where the runs measured that."""
    lines = []
    for column in columns:
        found = untrained(column, analysis.columns)
        values = {
            name: [s.mean for group in groups if (s := group.summary(null))] for name, null in found.items()
        }
        told = [f"{name} {figure(means[0])}" for name, means in values.items() if means]
        if told:
            lines.append(f"Without training, `{column}`: {', '.join(told)}.")
    return lines


def recommendation(analysis: Analysis, question: Question, groups: Sequence[Group]) -> str:
    """Return the default to take: the baseline, unless the exact test shows something better."""
    measured = [group for group in groups if group.summary(analysis.metric.column)]
    if not measured:
        return "no evidence in these runs; keep what you have."
    if not analysis.baselines:
        return "no baseline to compare with; name one with `--baseline`."
    if question.default == "Task weights" and analysis.metric.column.endswith(
        ("loss", "loss_min", "loss_mean")
    ):
        return "keep the baseline: the total loss is another quantity under other weights and cannot choose them."
    order = {id(group): index for index, group in enumerate(analysis.ranked)}
    best = min(measured, key=lambda group: order[id(group)])
    comparison = analysis.comparison(best, analysis.metric.column)
    name = code(best, analysis)
    if comparison is None:
        return f"keep the baseline {name}: its mean is the best of this axis."
    if comparison.verdict == "better":
        return f"{name}: {difference(comparison)} against the baseline, {comparison.sentence()}."
    if comparison.is_better:
        told = f"{difference(comparison)}), but {comparison.sentence()}"
        return f"keep the baseline; {name} has a better mean ({told}."
    return f"keep the baseline: no mean of this axis is better (nearest: {name}, {difference(comparison)})."


def regressions(analysis: Analysis) -> list[str]:
    """Return every experiment that is worse than its baseline, confirmed ones first."""
    found = []
    for group in analysis.groups:
        comparison = analysis.comparison(group, analysis.metric.column)
        if comparison and comparison.regression:
            told = f"{code(group, analysis)}, {difference(comparison)}; {comparison.sentence()}."
            found.append((comparison.regression != "confirmed", f"{comparison.regression}: {told}"))
        if group.failures():
            found.append((False, f"{code(group, analysis)}: {_statuses(group)}."))
    if not found:
        return ["None that these runs can show." if analysis.baselines else "No baseline was named."]
    return [text for _, text in sorted(found, key=lambda item: item[0])]


def difference(comparison: Comparison) -> str:
    """Return the difference with its interval.

    Example:
        >>> from probatum.analysis.comparison import compare
        >>> difference(compare({1: 0.5}, {1: 0.75}, True))
        '+0.25'
    """
    if comparison.ci_low is None or comparison.ci_high is None:
        return f"{comparison.difference:+.4g}"
    return f"{comparison.difference:+.4g} [{comparison.ci_low:+.4g}, {comparison.ci_high:+.4g}]"


def code(group: Group, analysis: Analysis) -> str:
    """Return an experiment's name as Markdown code."""
    return f"`{name_of(group, analysis, LONGEST).replace('`', '?')}`"


def seeds(n: int) -> str:
    """Return a count of seeds in words."""
    return "1 seed" if n == 1 else f"{n} seeds"


def _against(comparison: Comparison) -> str:
    side = (
        "equal to" if comparison.difference == 0 else "better than" if comparison.is_better else "worse than"
    )
    effect = "" if comparison.effect_size is None else f", effect size {figure(comparison.effect_size)}"
    return f"The mean is {side} the baseline's: {difference(comparison)}{effect}; {comparison.sentence()}."


def _alone(analysis: Analysis, group: Group, baseline: Group | None) -> str:
    value = with_interval(group.summary(analysis.metric.column))
    is_baseline = any(group is base for base in analysis.baselines.values())
    return f"{value}, the baseline itself." if is_baseline else f"{value}, not compared with a baseline."


def _time(group: Group, baseline: Group | None) -> list[str]:
    own, reference = (
        group.summary("training_seconds"),
        baseline.summary("training_seconds") if baseline else None,
    )
    if not own or not reference or reference.mean <= 0:
        return []
    times = f"{own.mean:.1f} s, baseline {reference.mean:.1f} s"
    return [f"It trained {own.mean / reference.mean:.2f} times as long ({times})."]


def _stability(analysis: Analysis, group: Group, baseline: Group | None) -> list[str]:
    lines = [f"{_statuses(group)[0].upper()}{_statuses(group)[1:]}."] if group.failures() else []
    own = group.summary(analysis.metric.column)
    reference = baseline.summary(analysis.metric.column) if baseline else None
    if own and reference and own.std is not None and reference.std:
        lines.append(f"Spread over seeds: {own.std / reference.std:.2f} times the baseline's.")
    return lines


def _statuses(group: Group) -> str:
    counts = {status: sum(run.status == status for run in group.others) for status in
              dict.fromkeys(run.status for run in group.others)}  # fmt: skip
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "no run"


def _short(comparison: Comparison) -> str:
    return f"p {figure(comparison.p_holm)}" if comparison.n > 1 else "one seed"


def _names(analysis: Analysis, groups: Sequence[Group]) -> str:
    names = [code(group, analysis) for group in groups[:_MANY]]
    return ", ".join(names) + (f" and {len(groups) - _MANY} more" if len(groups) > _MANY else "")
