"""The first section: what this is, what came out, and how far it may be believed."""

from __future__ import annotations

from typing import Any

from probatum.analysis.answers import regressions, top, what_seeds_allow
from probatum.analysis.comparison import Comparison
from probatum.analysis.intervals import summarise
from probatum.analysis.leaderboard import Analysis
from probatum.analysis.table import figure, name_of, with_interval
from probatum.reports.page.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Section,
    Table,
    Text,
    Tone,
    missing,
    number,
)
from probatum.reports.page.run import Run
from probatum.reports.page.subject import Subject
from probatum.reports.page.verdicts import TONES, compare_metrics, verdict_table

_REPRODUCED: dict[str, Tone] = {"PASS": "good", "FAIL": "bad"}


def build(subject: Subject) -> Section:
    """Return the headline facts, the verdicts and the metrics."""
    if subject.analysis is not None:
        return Section("summary", "Summary", _of_plan(subject.analysis))
    blocks = _of_pair(subject) if subject.kind == "pair" else _of_run(subject.runs[0])
    purposes = [
        f"{run.name}: {run.experiment['purpose']}" for run in subject.runs if run.experiment.get("purpose")
    ]
    return Section("summary", "Summary", [*blocks, *([Text(purposes)] if purposes else [])])


def _of_plan(analysis: Analysis) -> list[Block]:
    best = analysis.ranked[0] if analysis.ranked else None
    counts = ", ".join(f"{count} {status}" for status, count in analysis.status_counts.items())
    baselines = sorted({group.experiment for group in analysis.baselines.values()})
    items = [
        ("experiments", Cell(str(len(analysis.groups)))),
        ("runs", Cell(f"{len(analysis.records)}: {counts}")),
        ("metric", Cell(f"{analysis.metric.column}, {_better(analysis.metric.higher_is_better)}")),
        ("baseline", Cell(", ".join(baselines) or "none")),
    ]
    if best:
        items.append(
            (
                "best mean",
                Cell(f"{name_of(best, analysis)}: {_summary(best.summary(analysis.metric.column))}"),
            )
        )
        own = analysis.comparison(best, analysis.metric.column)
        if own:
            items.append(("verdict on the best", Cell(own.verdict, tone=TONES[own.verdict])))
    return [
        Facts(items, is_headline=True),
        Text([*top(analysis), *what_seeds_allow(analysis)]),
        Text([f"Regressions. {line}" for line in regressions(analysis)]),
    ]


def _of_pair(subject: Subject) -> list[Block]:
    parent, child = subject.parent, subject.child
    found = compare_metrics(parent, child)
    blocks: list[Block] = []
    if found:
        name, own = next(iter(found.items()))
        low, high = own.ci_low, own.ci_high
        interval = "" if low is None or high is None else f" [{low:+.4g}, {high:+.4g}]"
        items = [
            ("verdict", Cell(f"{own.verdict} in {name}", tone=TONES[own.verdict])),
            ("difference", Cell(f"{own.difference:+.4g}{interval}")),
            ("seeds", Cell(f"{own.n} {'pairs' if own.is_paired else 'in the smaller group'}")),
            *_reproduced(child),
        ]
        blocks += [Facts(items, is_headline=True), verdict_table(parent, child), _sentences(found)]
    else:
        blocks.append(missing("The two runs share no metric with a value: there is no verdict."))
    return [*blocks, *_evaluations([parent, child])]


def _sentences(found: dict[str, Comparison]) -> Text:
    """Return what the seeds allow to say, the metrics of one verdict in one line."""
    names: dict[str, list[str]] = {}
    for name, own in found.items():
        names.setdefault(own.sentence(), []).append(f"`{name}`")
    return Text([f"{', '.join(own)}: {sentence}." for sentence, own in names.items()])


def _of_run(run: Run) -> list[Block]:
    items: list[tuple[str, Cell]] = [
        ("status", Cell(run.status, tone="good" if run.status == "completed" else "doubt")),
        ("study", Cell(str(run.experiment.get("study") or "-"))),
        ("seeds", Cell(", ".join(map(str, run.seeds)) or "-")),
        *_reproduced(run),
    ]
    if run.metrics and (values := run.values(run.metrics[0]["name"])):
        items.insert(0, (str(run.metrics[0]["name"]), Cell(_summary(summarise(list(values.values()))))))
    blocks: list[Block] = [Facts(items, is_headline=True)]
    if not run.results:
        return [
            *blocks,
            missing(f"No results: the run is {run.status}. `probatum resume {run.number}` continues it."),
        ]
    columns = [Column("metric"), Column("better"), Column("best epoch", True, "mean over seeds [95% t-interval]"),
               Column("last epoch", True, "mean over seeds [95% t-interval]"), Column("seeds", True)]  # fmt: skip
    rows = [
        [
            Cell(own["name"]), Cell("higher" if own.get("higher_is_better") else "lower"),
            *(_interval(run, own["name"], which) for which in ("best", "last")),
            number(len(run.values(own["name"]))),
        ]
        for own in run.metrics
        if run.values(own["name"])
    ]  # fmt: skip
    if rows:
        blocks.append(Table("metrics", "Metrics on validation", columns, rows))
    if len(run.seeds) == 1:
        blocks.append(
            Text(
                ["One seed: no interval can be given, and no difference from another run be tested."], "doubt"
            )
        )
    return [*blocks, *_evaluations([run])]


def _evaluations(runs: list[Run]) -> list[Block]:
    """Return the evaluation of the best checkpoints on all splits, one row per metric."""
    known = [run for run in runs if run.evaluation]
    if not known:
        return []
    splits = list(dict.fromkeys(split for run in known for split in run.evaluation))
    names = list(
        dict.fromkeys(name for run in known for split in splits for name in run.evaluation.get(split) or {})
    )
    columns = [Column("metric")]
    columns += [
        Column(f"{split} ({run.role})" if run.role else split, True) for split in splits for run in known
    ]
    rows = [
        [
            Cell(name),
            *(number((run.evaluation.get(split) or {}).get(name)) for split in splits for run in known),
        ]
        for name in names
    ]
    caption = "Evaluation of the best epoch on each split, mean over seeds"
    return [Table("evaluation", caption, columns, rows)]


def _reproduced(run: Run) -> list[tuple[str, Cell]]:
    verdict = run.reproduction.get("verdict")
    if verdict:
        return [("reproduction", Cell(str(verdict), tone=_REPRODUCED.get(str(verdict), "doubt")))]
    return [("reproduction", Cell("not tried", tone="muted"))]


def _interval(run: Run, metric: str, which: str) -> Cell:
    values = list(run.values(metric, which).values())
    summary = summarise(values) if values else None
    return Cell(_summary(summary), summary.mean if summary else None)


def _summary(summary: Any) -> str:
    return with_interval(summary) if summary else figure(None)


def _better(higher: bool) -> str:
    return f"{'higher' if higher else 'lower'} is better"
