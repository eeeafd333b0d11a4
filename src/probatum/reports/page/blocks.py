"""What a page is made of: sections of tables, figures, facts and sentences, without a word of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Tone = Literal["", "good", "bad", "doubt", "muted"]


@dataclass(frozen=True)
class Cell:
    """A table's cell: what is read, what is sorted by, and how it is coloured (never by colour alone)."""

    text: str
    sort: float | str | None = None
    tone: Tone = ""
    is_code: bool = False
    is_prose: bool = False  # a sentence: `code` between back quotes


@dataclass(frozen=True)
class Column:
    """A table's column."""

    title: str
    is_number: bool = False
    about: str = ""  # shown where the title is pointed at, read by screen readers


@dataclass(frozen=True)
class Table:
    """Rows under named columns; the first column names the row."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    is_sortable: bool = True
    is_filtered: bool = False
    is_folded: bool = False

    @property
    def kind(self) -> str:
        """The name of the template's part."""
        return "table"


@dataclass(frozen=True)
class Figure:
    """A chart: its name is its file's name, `alt` says in words what it shows."""

    name: str
    chart: Any
    alt: str
    is_wide: bool = False

    @property
    def kind(self) -> str:
        """The name of the template's part."""
        return "figure"


@dataclass(frozen=True)
class Facts:
    """Names with their values."""

    items: Sequence[tuple[str, Cell]]
    is_headline: bool = False

    @property
    def kind(self) -> str:
        """The name of the template's part."""
        return "facts"


@dataclass(frozen=True)
class Text:
    """Sentences; `code` between back quotes. A list where there are several."""

    lines: Sequence[str]
    tone: Tone = ""

    @property
    def kind(self) -> str:
        """The name of the template's part."""
        return "text"


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    title: str

    @property
    def kind(self) -> str:
        """The name of the template's part."""
        return "heading"


@dataclass(frozen=True)
class Moment:
    """Epochs of which one thing is told."""

    when: str
    story: str
    red_flags: Sequence[str] = ()
    opportunities: Sequence[str] = ()


@dataclass(frozen=True)
class Timeline:
    """What happened, in order."""

    moments: Sequence[Moment]

    @property
    def kind(self) -> str:
        """The name of the template's part."""
        return "timeline"


Block = Table | Figure | Facts | Text | Heading | Timeline


@dataclass
class Section:
    """A part of the page under a heading; `id` is its address."""

    id: str
    title: str
    blocks: list[Block] = field(default_factory=list)
    intro: str = ""

    @property
    def figures(self) -> list[Figure]:
        """The section's charts."""
        return [block for block in self.blocks if isinstance(block, Figure)]


def missing(line: str) -> Text:
    """Return the one line that says what is not there and how to get it."""
    return Text([line], "muted")


def number(value: Any, digits: int = 4) -> Cell:
    """Return a number's cell, sorted by its full precision; `-` for what was not measured.

    Example:
        >>> number(0.123456).text, number(None).text, number(3).text
        ('0.1235', '-', '3')
    """
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return Cell("-", None)
    return Cell(str(value) if isinstance(value, int) else f"{value:.{digits}g}", float(value))
