"""Cells and rows of Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def spread(values: Mapping[str, float] | None, digits: int, unit: str = "") -> str:
    """Return median and range; empty where not measured."""
    if not values:
        return ""
    low, high = (f"{values[key]:,.{digits}f}" for key in ("lowest", "highest"))
    return f"{values['median']:,.{digits}f}{unit} ({low} to {high})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
