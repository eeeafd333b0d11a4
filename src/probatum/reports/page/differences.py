"""What differs: between a parent and its child, from the defaults, or from experiment to experiment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from probatum.analysis.answers import LONGEST
from probatum.analysis.leaderboard import Analysis
from probatum.analysis.table import name_of
from probatum.reports.page.blocks import Block, Cell, Column, Section, Table, Text, missing
from probatum.reports.page.run import Run
from probatum.reports.page.subject import Subject
from probatum.reproduction.differences import (
    Difference,
    code_differences,
    config_differences,
    data_differences,
    environment_differences,
    metric_differences,
)
from probatum.runs.lenient import as_map, read_leniently

_PARTS = (
    ("parameters", config_differences), ("code", code_differences), ("data", data_differences),
    ("environment", environment_differences), ("metric definitions", metric_differences),
)  # fmt: skip
_MOST = 200  # rows: an environment may differ in hundreds of packages
_LONGEST_VALUE = 160


def build(subject: Subject) -> Section:
    """Return the differences as tables."""
    section = Section("differences", "Configuration")
    if subject.analysis is not None:
        section.blocks = _of_plan(subject.analysis)
    elif subject.kind == "pair":
        section.blocks = _of_pair(subject.parent, subject.child)
    else:
        section.blocks = _of_run(subject.runs[0])
    return section


def _of_pair(parent: Run, child: Run) -> list[Block]:
    before, after = parent.record, child.record
    if before is None or after is None:
        return [missing(f"The records cannot be compared: {'; '.join([*parent.notes, *child.notes])}")]
    blocks: list[Block] = []
    equal = []
    for name, find in _PARTS:
        found = find(before, after)
        if found:
            blocks.append(_table(name, f"Differences in {name}: {len(found)}", "parent", "child", found))
        else:
            equal.append(name)
    if equal:
        blocks.append(Text([f"Equal in both: {', '.join(equal)}."], "muted"))
    return blocks


def _of_run(run: Run) -> list[Block]:
    overrides, defaults = as_map(run.config.get("overrides")), as_map(run.config.get("defaults"))
    found = [Difference(name, defaults.get(name), value) for name, value in sorted(overrides.items())]
    blocks: list[Block] = []
    if found:
        blocks.append(
            _table("overrides", f"Changed from the defaults: {len(found)}", "default", "this run", found)
        )
    else:
        blocks.append(Text(["Every parameter has its default."]))
    categories = {name: kind for kind, names in as_map(run.config.get("types")).items() for name in names}
    columns = [Column("parameter"), Column("value"), Column("category")]
    rows = [
        [Cell(name, is_code=True), _value(value), Cell(categories.get(name, "-"))]
        for name, value in sorted(as_map(run.config.get("parameters")).items())
    ]
    if rows:
        caption = f"All {len(rows)} parameters"
        blocks.append(Table("parameters", caption, columns, rows, is_filtered=True, is_folded=True))
    return blocks


def _of_plan(analysis: Analysis) -> list[Block]:
    """Return each experiment's tags and overrides, as its first run recorded them."""
    rows = []
    for group in analysis.groups:
        record = (group.runs or group.others)[0]
        written = read_leniently(_metadata(record.run_root), []).get("overrides")
        changes = (
            written if isinstance(written, list) else [f"{k}: {_text(v)}" for k, v in group.tags.items()]
        )
        text = "; ".join(map(str, changes)) or "as the plan's base"
        rows.append(
            [
                Cell(name_of(group, analysis, LONGEST)),
                Cell(group.axis or "-"),
                Cell(text, is_code=bool(changes)),
            ]
        )
    columns = [Column("experiment"), Column("axis"), Column("what it changes")]
    return [Table("overrides", "What each experiment changes", columns, rows, is_filtered=True)]


def _metadata(folder: str) -> Any:
    from pathlib import Path

    from probatum.analysis.ablation_folders import METADATA

    return Path(folder) / METADATA


def _table(name: str, caption: str, before: str, after: str, found: Sequence[Difference]) -> Table:
    rows = [[Cell(own.field, is_code=True), _value(own.source), _value(own.target)] for own in found[:_MOST]]
    caption += f", the first {_MOST}" if len(found) > _MOST else ""
    folded = len(found) > 25
    return Table(
        name.replace(" ", "-"), caption, [Column("field"), Column(before), Column(after)], rows,
        is_filtered=len(found) > 8, is_folded=folded,
    )  # fmt: skip


def _value(value: Any) -> Cell:
    return Cell(_text(value), value if isinstance(value, int | float) else None, is_code=True)


def _text(value: Any) -> str:
    text = "none" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    half = _LONGEST_VALUE // 2
    return text if len(text) <= _LONGEST_VALUE else f"{text[:half]}...{text[-half:]}"
