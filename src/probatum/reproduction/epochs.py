"""Epoch by epoch: where two `metrics_epoch.csv` first differ, and by how much at most."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

from probatum._errors import RecordError


@dataclass(frozen=True)
class EpochComparison:
    """The comparison of two epoch tables, cell by cell."""

    compared_cells: int
    differing_cells: int
    largest_deviation: float  # over the cells that are numbers in both
    largest_at: str  # "seed 42, epoch 3, val_auc"; empty where nothing differs
    first_difference: str  # the first differing cell with both values; empty where nothing differs
    is_identical: bool


def compare_epochs(source: Path, target: Path) -> EpochComparison | None:
    """Return how two epoch tables differ, or None where one of them is missing.

    Raises:
        RecordError: a table is not text.
    """
    if not (source.exists() and target.exists()):
        return None
    columns, rows = _table(source)
    other_columns, other_rows = _table(target)
    keys = list(dict.fromkeys([*rows, *other_rows]))
    names = list(dict.fromkeys([*columns, *other_columns]))
    found: list[tuple[float, str, str]] = []
    for key in keys:
        for name in names:
            one, other = rows.get(key, {}).get(name), other_rows.get(key, {}).get(name)
            if not _same(one, other):
                place = f"{key}, {name}"
                found.append((_deviation(one, other), place, f"{place}: {_cell(one)} -> {_cell(other)}"))
    largest = max(found, key=lambda item: item[0], default=(0.0, "", ""))
    return EpochComparison(
        compared_cells=len(keys) * len(names),
        differing_cells=len(found),
        largest_deviation=largest[0],
        largest_at=largest[1],
        first_difference=found[0][2] if found else "",
        is_identical=not found,
    )


def _table(path: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Return the columns and the rows by seed and epoch; a torn last line has fewer cells."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: expected a CSV file, got bytes that are no text ({error}).") from None
    lines = list(csv.reader(io.StringIO(text.replace("\0", ""))))
    columns = lines[0] if lines else []
    rows = {}
    for number, line in enumerate(lines[1:], start=1):
        row = dict(zip(columns, line, strict=False))
        seed, epoch = row.get("seed"), row.get("epoch", str(number))
        rows[f"seed {seed}, epoch {epoch}" if seed else f"epoch {epoch}"] = row
    return columns, rows


def _number(cell: str | None) -> float | None:
    try:
        return float(cell) if cell else None
    except ValueError:
        return None


def _same(one: str | None, other: str | None) -> bool:
    if one == other:
        return True
    numbers = _number(one), _number(other)
    return None not in numbers and numbers[0] == numbers[1]


def _deviation(one: str | None, other: str | None) -> float:
    first, second = _number(one), _number(other)
    if first is None or second is None:
        return 0.0
    gap = abs(first - second)
    return gap if math.isfinite(gap) else 0.0


def _cell(value: str | None) -> str:
    return value or "empty"
