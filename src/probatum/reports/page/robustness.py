"""Robustness curves: how a run's metrics fall as its inputs are damaged, the parent's beside the child's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from probatum._errors import RecordError
from probatum.perturbations.names import STRENGTH_NAMES
from probatum.reports import charts
from probatum.reports.figures import file_name, in_all
from probatum.reports.page.blocks import Block, Cell, Column, Figure, Section, Table, Text, Tone, missing
from probatum.reports.page.measured import Measured
from probatum.reports.page.signals import Compared
from probatum.reports.page.subject import Subject
from probatum.signals.compare_text import robustness_lines

MOST = 24  # charts
TONES: dict[str, Tone] = {"degrades more slowly": "good", "degrades faster": "bad", "curves overlap": "doubt"}
NONE = (
    "No robustness curves. Train with `--instrument_signals`, or add them to a finished run: "
    "`probatum perturb RUN`."
)


def build(subject: Subject, seen: Measured, compared: Compared) -> Section:
    """Return one chart per perturbation and metric, and the paired tests of a pair."""
    section = Section("robustness", "Robustness")
    choices = {name: charts.robustness_choices(curves) for name, curves in seen.curves.items()}
    choices = {name: own for name, own in choices.items() if own}
    if not choices:
        section.blocks.append(missing(NONE))
        return section
    section.blocks += _tests(compared)
    records = {name: seen.curves[name] for name in choices}
    lacking = [run.name for run in subject.runs if run.name not in records]
    if lacking:
        section.blocks.append(missing(f"No robustness curves in {', '.join(lacking)}."))
    primary = _order(subject)
    figures = []
    for kind, name in in_all(list(choices.values())):
        points = [own[kind, name] for own in choices.values()]
        for metric in sorted(in_all([list(own[0]["metrics"]) for own in points]), key=primary):
            try:
                chart = charts.robustness_curves(records, kind, name, metric)
            except RecordError as error:
                section.blocks.append(missing(str(error)))
                continue
            ends = "; ".join(
                f"{run}: {_value(own[0], metric)} to {_value(own[-1], metric)}"
                for run, own in zip(choices, points, strict=True)
            )
            strength = STRENGTH_NAMES[kind].replace("_", " ")
            alt = f"{metric} as {kind} {name.replace('_', ' ')} grows, by {strength}. {ends}."
            figures.append((primary(metric), Figure(file_name(f"{kind}_{name}_{metric}"), chart, alt)))
    figures.sort(key=lambda item: item[0])
    section.blocks += [figure for _, figure in figures[:MOST]]
    if len(figures) > MOST:
        section.blocks.append(
            missing(f"{len(figures) - MOST} more curves: `probatum signals figures` draws all.")
        )
    return section


def _tests(compared: Compared) -> list[Block]:
    """Return the paired tests of the drops as a table, and what else the comparison says of the curves."""
    robustness = compared.found.robustness if compared.found else {"tests": [], "notes": [], "pairs": []}
    notes = [*robustness["notes"], *([compared.note] if compared.note else [])]
    blocks: list[Block] = [Text(notes, "muted")] if notes else []
    if not robustness["tests"]:
        said = robustness_lines({**robustness, "notes": []})
        return [*blocks, *([Text(said)] if said else [])]
    columns = [Column("perturbation"), Column("metric"), Column("verdict"), Column("in words")]
    rows = [
        [
            Cell(f"{own['kind']}: {own['name'].replace('_', ' ')}"), Cell(own["metric"]),
            Cell(own["verdict"], tone=TONES.get(own["verdict"], "")),
            Cell(own["sentence"].partition(": ")[2] or own["sentence"]),
        ]
        for own in robustness["tests"]
    ]  # fmt: skip
    caption = "Does the child degrade more slowly than its parent? Paired test on the same samples and masks"
    return [*blocks, Table("drops", caption, columns, rows, is_filtered=len(rows) > 8)]


def _order(subject: Subject) -> Callable[[str], int]:
    """Return the key that puts the metric that chooses first: its curves call it without its split."""
    names = [str(own["name"]).removeprefix("val_") for own in subject.runs[0].metrics] if subject.runs else []
    return lambda metric: names.index(metric) if metric in names else len(names)


def _value(point: Mapping[str, Any], metric: str) -> str:
    value = point["metrics"].get(metric)
    return "-" if value is None else f"{value:.4g}"
