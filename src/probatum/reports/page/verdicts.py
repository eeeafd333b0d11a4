"""A parent's metrics against its child's: the same test as on a leaderboard, one row per metric."""

from __future__ import annotations

from collections.abc import Mapping

from probatum.analysis.answers import difference
from probatum.analysis.comparison import Comparison, adjust, compare
from probatum.analysis.intervals import summarise
from probatum.analysis.table import with_interval
from probatum.reports.page.blocks import Cell, Column, Table, Tone, number
from probatum.reports.page.run import Run

TONES: dict[str, Tone] = {
    "better": "good", "worse": "bad", "not separated": "doubt", "cannot separate": "doubt", "one seed": "doubt",
}  # fmt: skip


def compare_metrics(parent: Run, child: Run) -> dict[str, Comparison]:
    """Return the comparison of every metric that both runs have.

    The metric that chooses stands alone; the others are corrected by Holm among themselves.
    """
    found: dict[str, Comparison] = {}
    for metric in child.metrics:
        before, after = parent.values(metric["name"]), child.values(metric["name"])
        if before and after:
            found[metric["name"]] = compare(before, after, bool(metric["higher_is_better"]))
    values = list(found.values())
    return dict(zip(found, [*adjust(values[:1]), *adjust(values[1:])], strict=True))


def verdict_cell(comparison: Comparison | None) -> Cell:
    """Return the verdict as a word with a colour; the sentence stands beside it."""
    if comparison is None:
        return Cell("-")
    return Cell(comparison.verdict, comparison.verdict, TONES[comparison.verdict])


def verdict_table(parent: Run, child: Run) -> Table:
    """Return one row per metric: both means with intervals, the difference, and what the seeds allow to say."""
    found = compare_metrics(parent, child)
    columns = [
        Column("metric"), Column("verdict"),
        Column("parent", True, "mean over seeds [95% t-interval], best epoch"),
        Column("child", True, "mean over seeds [95% t-interval], best epoch"),
        Column("difference", True, "child minus parent [95% t-interval]"),
        Column("effect size", True, "mean difference over its standard deviation"),
        Column("Holm p", True, "exact permutation test; the first metric alone, the others corrected by Holm"),
        Column("better"),
    ]  # fmt: skip
    rows = [
        [
            Cell(metric["name"]), verdict_cell(own),
            _mean(parent.values(metric["name"])), _mean(child.values(metric["name"])),
            Cell(difference(own), own.difference), number(own.effect_size, 3),
            number(own.p_holm if own.n > 1 else None, 3),
            Cell("higher" if metric["higher_is_better"] else "lower"),
        ]
        for metric in child.metrics
        if (own := found.get(metric["name"]))
    ]  # fmt: skip
    return Table("verdicts", "Every metric, the child against its parent", columns, rows)


def _mean(values: Mapping[int | str, float]) -> Cell:
    summary = summarise(list(values.values()))
    return Cell(with_interval(summary), summary.mean)
