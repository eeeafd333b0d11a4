"""Epoch rows, appended line by line: a killed run keeps every whole line."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum.runs.files import put

_QUOTED = frozenset(',"\r\n')
_NUMBERS = frozenset({int, float})  # whose `repr` is their cell


class EpochJournal:
    """A CSV file with fixed columns; each row is one write, so that no reader ever sees half of one mixed in.

    A value that was not measured is None and leaves an empty cell; numbers are written so that they read
    back as the very same numbers.
    """

    def __init__(self, path: Path | str, columns: Sequence[str]) -> None:
        self.path = Path(path)
        self.columns = tuple(columns)
        self._known = frozenset(self.columns)
        self._pick = itemgetter(*self.columns) if len(self.columns) > 1 else None
        self._descriptor: int | None = None

    def append(self, row: Mapping[str, Any]) -> list[str]:
        """Append one row and return its cells.

        Raises:
            RecordError: the row has a key that is no column.
        """
        cells = self._cells(row)
        os.write(self._open(), f"{','.join(cells)}\n".encode())
        return cells

    def rewrite(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the file whole with `rows`; what stood there is replaced."""
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        put(self.path, self._header() + "".join([f"{','.join(self._cells(row))}\n" for row in rows]))

    def content(self) -> str:
        """Return what the file holds now."""
        descriptor = self._open()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()

    def close(self) -> None:
        """Flush to the disk and close; the next append opens again."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> EpochJournal:
        """Return the journal."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal."""
        self.close()

    def _header(self) -> str:
        return ",".join(map(cell, self.columns)) + "\n"

    def _cells(self, row: Mapping[str, Any]) -> list[str]:
        if self._pick is not None and len(row) == len(self.columns):  # usually every column has its value
            try:
                return _as_cells(self._pick(row))
            except KeyError:
                pass
        if not self._known.issuperset(row):
            extra = sorted(set(row) - self._known)
            raise RecordError(
                f"{self.path.name}: the row has {', '.join(extra)}, which is no column of this file."
            )
        return _as_cells([*map(row.get, self.columns)])

    def _open(self) -> int:
        if self._descriptor is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._mend(self._descriptor)
        return self._descriptor

    def _mend(self, descriptor: int) -> None:
        """Write the header of a new file; cut the torn last line of an old one."""
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            content = os.pread(descriptor, size, 0)
            os.ftruncate(descriptor, size := content.rfind(b"\n") + 1)
        if not size:
            os.write(descriptor, self._header().encode())


def _as_cells(values: Sequence[Any]) -> list[str]:
    if _NUMBERS.issuperset(map(type, values)):
        return [*map(repr, values)]
    return [repr(value) if value.__class__ is float else cell(value) for value in values]


def cell(value: Any) -> str:
    """Return a value as a CSV cell: None is empty, a float reads back exactly.

    Example:
        >>> cell(None), cell(0.1), cell(True), cell('a,b')
        ('', '0.1', 'true', '"a,b"')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(float(value)) if isinstance(value, float) else str(value)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.intersection(text) else text


def read_epochs(path: Path | str) -> list[dict[str, Any]]:
    """Return the rows of an epoch file: numbers as numbers, empty cells as None.

    A torn last line (without its line end, or short of cells) is left out.

    Raises:
        RecordError: the file is missing, is no text, or a line before the last has other columns.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(
            f"{path}: expected one row per epoch, found no file. Was the run started?"
        ) from None
    except (UnicodeDecodeError, OSError) as error:
        raise RecordError(f"{path}: cannot be read as CSV ({error}).") from None
    whole = text[: text.rfind("\n") + 1]
    try:
        lines = list(csv.reader(io.StringIO(whole, newline=""), strict=True))
    except csv.Error as error:
        raise RecordError(f"{path}: expected CSV, got a damaged file ({error}).") from None
    if not lines:
        return []
    columns, rows = lines[0], []
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(columns):
            raise RecordError(f"{path}: line {number} has {len(cells)} cells, expected {len(columns)}.")
        rows.append({column: _value(text) for column, text in zip(columns, cells, strict=True)})
    return rows


def _value(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


_WORDS = {"": None, "true": True, "false": False}
