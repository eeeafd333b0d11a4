"""The explanation of a pair, from the record that `probatum explain` makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum._errors import ProbatumError
from probatum.reports.explanation.markdown import summary_lines
from probatum.reports.explanation.record import build_explanation
from probatum.reports.page.blocks import Block, Cell, Column, Section, Table, Text, Tone, missing
from probatum.reports.page.subject import Subject

_LISTED_BELOW = ("doubt", "next")  # in tables of their own
_SEVERITIES: dict[str, Tone] = {"high": "bad", "medium": "doubt"}


def build(subject: Subject) -> Section | None:
    """Return what the change did in short, what to doubt and what to try; None for anything but a pair."""
    if subject.kind != "pair":
        return None
    section = Section("explanation", "Explanation")
    try:
        record = build_explanation(subject.parent.paths.folder, subject.child.paths.folder, root=subject.root)
    except ProbatumError as error:
        section.blocks.append(missing(f"No explanation: {error}"))
        return section
    lines = [line for line in summary_lines(record) if line and not line.startswith(_LISTED_BELOW)]
    section.blocks = [
        Text([f"{line[0].upper()}{line[1:]}." for line in lines]),
        *_listed("What to doubt", "doubts", ("severity", "code"), record["doubts"]),
        *_listed("What to try next", "next", ("action",), record["next"]),
    ]
    return section


def _listed(title: str, name: str, keys: Sequence[str], items: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Return doubts or suggestions as a table: the key words, the sentence, and the commands to type."""
    if not items:
        return [missing(f"{title}: nothing that the records can tell.")]
    has_commands = any(own.get("commands") for own in items)
    columns = [*(Column(key) for key in reversed(keys)), Column("in words")]
    columns += [Column("command")] if has_commands else []
    rows = []
    for own in items:
        words = [str(own.get(key) or "-") for key in reversed(keys)]
        cells = [Cell(word.replace("_", " "), tone=_SEVERITIES.get(word, "")) for word in words]
        cells.append(Cell(str(own.get("sentence") or "-"), is_prose=True))
        if has_commands:
            cells.append(Cell("; ".join(own.get("commands") or []) or "-", is_code=bool(own.get("commands"))))
        rows.append(cells)
    return [Table(name, title, columns, rows, is_sortable=False)]
