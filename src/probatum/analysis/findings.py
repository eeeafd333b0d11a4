"""`findings.md`: the seed's five questions answered by axis, with numbers and uncertainty, and defaults to take.

No sentence says more than the seeds allow: an experiment is recommended only where the exact test separates it
from the baseline.
"""

from __future__ import annotations

from collections.abc import Sequence

from probatum.analysis.answers import (
    answer,
    detail_rows,
    main_rows,
    recommendation,
    regressions,
    top,
    what_seeds_allow,
    without_training,
)  # fmt: skip
from probatum.analysis.checklist import QUESTIONS, Question
from probatum.analysis.groups import Group
from probatum.analysis.leaderboard import Analysis
from probatum.analysis.telling import telling

_BASELINE_AXES = {"", "baseline", "reference"}


def findings_text(analysis: Analysis) -> str:
    """Return the findings as Markdown."""
    blocks = [
        _head(analysis),
        _section("In short", [*_bullets(top(analysis)), *_bullets(what_seeds_allow(analysis))]),
    ]
    for number, question in enumerate(QUESTIONS, start=1):
        blocks.append(
            _question(analysis, f"{number}. {question.title}", question, _asked(analysis, question))
        )
    for axis, groups in _other_axes(analysis).items():
        blocks.append(_axis(analysis, f"Axis: {escaped(axis)}", groups, []))
    blocks.append(_section("Regressions against the baseline", _bullets(regressions(analysis))))
    defaults = [f"**{question.default}**: {recommendation(analysis, question, _asked(analysis, question))}"
                for question in QUESTIONS]  # fmt: skip
    blocks.append(_section("Recommended defaults", _bullets(defaults)))
    blocks.append(_section("How to read this", _bullets(_reading(analysis))))
    return "\n\n".join(blocks) + "\n"


def _head(analysis: Analysis) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in analysis.status_counts.items())
    direction = "higher" if analysis.metric.higher_is_better else "lower"
    baselines = sorted({group.experiment for group in analysis.baselines.values()})
    against = f"the baseline `{'`, `'.join(map(escaped, baselines))}`" if baselines else "no baseline"
    return (
        f"# Findings\n\n{len(analysis.records)} runs ({counts}) of {len(analysis.groups)} experiments in "
        f"`{escaped(str(analysis.results.folder))}`. Metric: `{analysis.metric.column}`, {direction} is better; "
        f"compared with {against}. Values are means over seeds with 95% t-intervals."
    )


def _asked(analysis: Analysis, question: Question) -> list[Group]:
    return [group for group in analysis.groups if question.answers(group.axis)]


def _other_axes(analysis: Analysis) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = {}
    for group in analysis.groups:
        answered = any(question.answers(group.axis) for question in QUESTIONS)
        if not answered and group.axis.lower() not in _BASELINE_AXES:
            found.setdefault(group.axis, []).append(group)
    return found


def _question(analysis: Analysis, title: str, question: Question, groups: Sequence[Group]) -> str:
    asks = f"*{question.asks[0].upper()}{question.asks[1:]}.*"
    if not groups:
        names = ", ".join(f"`{axis}`" for axis in question.axes)
        return _section(title, [asks, "", f"Not answered: no experiment has `tags.axis` of {names}."])
    body = _axis(analysis, title, groups, question.columns(analysis.columns), asks)
    return f"{body}\n\nCaution: {question.caution}" if question.caution else body


def _axis(
    analysis: Analysis, title: str, groups: Sequence[Group], columns: Sequence[str], asks: str = ""
) -> str:
    shown = [*groups, *(base for base in _baselines(analysis, groups) if base not in groups)]
    lines = [
        *([asks, ""] if asks else []),
        *_bullets(answer(analysis, groups)),
        "",
        *_table(main_rows(analysis, shown)),
    ]
    others = [
        column
        for column in telling(columns)
        if column not in {analysis.metric.column, *analysis.epochs.values()}
    ]
    details = detail_rows(analysis, shown, others)
    beside = _bullets(without_training(analysis, shown, [analysis.metric.column, *others]))
    return _section(
        title, [*lines, *(["", *_table(details)] if details else []), *(["", *beside] if beside else [])]
    )


def _baselines(analysis: Analysis, groups: Sequence[Group]) -> list[Group]:
    found = {id(base): base for group in groups if (base := analysis.baselines.get(group.plan))}
    return list(found.values())


def _reading(analysis: Analysis) -> list[str]:
    best, last = analysis.epochs.get("best"), analysis.epochs.get("last")
    epochs = (
        f"Best epoch: `{best}`; last epoch: `{last}`."
        if best and last
        else "The runs give one epoch's value only."
    )
    return [
        "Seeds are the unit. p is the exact permutation test's, paired by seed where seeds match, and corrected "
        "by Holm over all experiments that are compared with the baseline in that metric.",
        "`effect` is the mean difference over the standard deviation of the paired differences (unpaired: pooled).",
        "A regression is confirmed by that test at 0.05, possible where only the 95% interval of the difference "
        "excludes zero.",
        f"{epochs} Training time is apart from start-up, which is everything else that the process did.",
    ]


def escaped(text: str) -> str:
    r"""Return text that Markdown and HTML show as it is, on one line.

    Example:
        >>> escaped("a|b <script>")
        'a\\|b &lt;script>'
    """
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *lines])


def _bullets(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    return [head, "|" + " --- |" * len(rows[0]), *body]
