"""The leaderboard for the terminal, in plain ASCII: experiments by rank group, and the front."""

from __future__ import annotations

from collections.abc import Sequence

from probatum.analysis.groups import Group
from probatum.analysis.intervals import Summary
from probatum.analysis.leaderboard import Analysis

_LONGEST = 36  # characters of a name


def leaderboard_text(analysis: Analysis, rows: int | None = None) -> str:
    """Return the table, what could not be said and why, and the Pareto front.

    Args:
        analysis: What to show.
        rows: How many experiments at most; all where None.
    """
    ranked = analysis.ranked
    shown = ranked if rows is None else ranked[:rows]
    blocks = [_title(analysis), _table([_head(analysis), *(_row(analysis, group) for group in shown)])]
    if len(shown) < len(ranked):
        blocks.append(f"... and {len(ranked) - len(shown)} more; --summary-csv has all.")
    return "\n\n".join([*blocks, _front(analysis), *_notes(analysis)]) + "\n"


def with_interval(summary: Summary | None) -> str:
    """Return a mean with its t-interval, or with what is missing.

    Example:
        >>> from probatum.analysis.intervals import summarise
        >>> with_interval(summarise([0.5, 0.6, 0.7])), with_interval(summarise([0.5])), with_interval(None)
        ('0.6 [0.3516, 0.8484]', '0.5', '-')
    """
    if summary is None:
        return "-"
    if summary.ci_low is None or summary.ci_high is None:
        return figure(summary.mean)
    return f"{figure(summary.mean)} [{figure(summary.ci_low)}, {figure(summary.ci_high)}]"


def figure(value: float | None) -> str:
    """Return a number with four digits that count, `-` for None."""
    return "-" if value is None else f"{value:.4g}"


def _title(analysis: Analysis) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in analysis.status_counts.items())
    direction = "higher" if analysis.metric.higher_is_better else "lower"
    baselines = sorted({group.experiment for group in analysis.baselines.values()})
    against = f"baseline {', '.join(baselines)}" if baselines else "no baseline: name one with --baseline"
    return (
        f"{len(analysis.records)} runs ({counts}) of {len(analysis.groups)} experiments\n"
        f"{analysis.metric.column}, {direction} is better; mean over seeds [95% t-interval]; {against}"
    )


def _head(analysis: Analysis) -> list[str]:
    epochs = [f"{word} epoch" for word in _other_epochs(analysis)]
    return [
        "rank",
        "experiment",
        "n",
        "mean",
        *epochs,
        "vs baseline",
        "effect",
        "train s",
        "start-up s",
        "front",
    ]


def _other_epochs(analysis: Analysis) -> dict[str, str]:
    return {word: column for word, column in analysis.epochs.items() if column != analysis.metric.column}


def _row(analysis: Analysis, group: Group) -> list[str]:
    comparison = analysis.comparison(group, analysis.metric.column)
    point = analysis.points.get(id(group))
    is_baseline = any(group is baseline for baseline in analysis.baselines.values())
    against, effect = "baseline" if is_baseline else "-", "-"
    if comparison:
        worse = {"confirmed": " REGRESSION", "possible": " regression?", None: ""}[comparison.regression]
        against, effect = f"{comparison.difference:+.4g}{worse}", figure(comparison.effect_size)
    place = "-" if point is None else point.place or ("front (1 seed)" if point.is_on_front else "-")
    return [
        str(analysis.ranks[id(group)]), name_of(group, analysis), str(group.n),
        with_interval(group.summary(analysis.metric.column)),
        *(with_interval(group.summary(column)) for column in _other_epochs(analysis).values()),
        against, effect, *(_mean(group, f"{part}_seconds") for part in ("training", "startup")), place,
    ]  # fmt: skip


def name_of(group: Group, analysis: Analysis, longest: int = _LONGEST) -> str:
    """Return the experiment's name, with its plan where there are several; long ones lose their middle."""
    name = f"{group.plan}/{group.experiment}" if analysis.has_several_plans else group.experiment
    if len(name) > longest:
        name = f"{name[: longest // 2 - 2]}...{name[1 - longest // 2 :]}"
    return "".join(c if c.isprintable() else "?" for c in name).encode("ascii", "replace").decode()


def _mean(group: Group, column: str) -> str:
    summary = group.summary(column)
    return f"{summary.mean:.1f}" if summary else "-"


def _table(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _front(analysis: Analysis) -> str:
    names = " and ".join(
        f"{objective.column} ({'max' if objective.higher_is_better else 'min'})"
        for objective in analysis.objectives
    )
    front = [point for point in analysis.pareto if point.is_on_front]
    lines = [f"Pareto front of the means over {names}:"]
    for point in front:
        values = "  ".join(figure(value) for value in point.values)
        place = point.place or "one seed: its place may be noise"
        lines.append(f"  {name_of(point.group, analysis)}  {values}  {place}")
    return "\n".join(lines if front else [f"No experiment has a value in all of {names}."])


def _notes(analysis: Analysis) -> list[str]:
    """Return the sentences on what the seeds cannot tell, each once, and on failed and repeated runs."""
    found: dict[str, int] = {}
    for group in analysis.ranked:
        comparison = analysis.comparison(group, analysis.metric.column)
        if comparison:
            found[comparison.sentence()] = found.get(comparison.sentence(), 0) + 1
    lines = [f"{count} against the baseline: {sentence}." for sentence, count in found.items()]
    failed = [(group, len(group.failures())) for group in analysis.groups if group.failures()]
    lines += [f"{name_of(group, analysis)}: {count} run(s) did not complete." for group, count in failed[:10]]
    lines += [f"... and {len(failed) - 10} more experiments with runs that did not complete."] * (
        len(failed) > 10
    )
    repeated = sum(len(group.repeated) for group in analysis.groups)
    if repeated:
        lines.append(f"{repeated} earlier run(s) of a seed that ran again are listed and not counted.")
    return ["\n".join(lines)] if lines else []
