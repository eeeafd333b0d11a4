"""Checksums of single fields and cells: they name what was changed inside a file whose hash differs.

They protect nothing by themselves (CRC-32); the file that holds them is hashed in the ledger.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from probatum.runs.files import compact_encoder

_CONTAINERS = (dict, list)
_encode = compact_encoder(allow_nan=True)  # a damaged file may hold NaN: it is to be named, not to be refused


def json_fields(value: Any) -> dict[str, int]:
    """Return a checksum for every leaf; a list of plain values counts as one leaf.

    Example:
        >>> sorted(json_fields({"a": {"b": 1}, "c": [1, 2]}))
        ['a.b', 'c']
    """
    found: dict[str, int] = {}
    _collect(value, "", found)
    return found


def _collect(value: Any, path: str, found: dict[str, int]) -> None:
    if isinstance(value, dict) and value:
        start = f"{path}." if path else ""
        for key, item in value.items():
            if isinstance(item, _CONTAINERS):
                _collect(item, f"{start}{key}", found)
            else:
                found[f"{start}{key}"] = crc32(repr(item).encode())  # `repr` escapes what UTF-8 cannot hold
    elif isinstance(value, list) and value and isinstance(value[0], _CONTAINERS):
        for index, item in enumerate(value):
            found[f"{path}[{index}]"] = _checksum(item)
    else:
        found[path] = _checksum(value)


def _checksum(leaf: Any) -> int:
    text = _encode(leaf) if isinstance(leaf, _CONTAINERS) else repr(leaf)
    return crc32(text.encode("utf-8", "replace"))


def csv_fields(text: str, cells: Sequence[Sequence[str]] | None = None) -> dict[str, list[int]]:
    """Return a checksum for every column and every line: together they name a cell.

    Args:
        text: The content of the file.
        cells: Its lines as lists of cells, where the caller has just made the text of them.
    """
    lines = text.splitlines()
    if '"' in text:
        rows = list(csv.reader(io.StringIO(text)))
    else:
        rows = cells if cells and len(cells) == len(lines) else [line.split(",") for line in lines]
    columns = zip(*rows, strict=False)
    return {
        "columns": [crc32(",".join(column).encode()) for column in columns],
        "lines": [crc32(line.encode()) for line in lines],
    }


def fields_of(path: Path) -> Any:
    """Return the checksums of a JSON or CSV file as it is now.

    Raises:
        ValueError: the file is no whole JSON or no text.
        OSError: it cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    return csv_fields(text) if path.suffix == ".csv" else json_fields(json.loads(text))


def changed_fields(path: Path, recorded: Any) -> list[str]:
    """Return the names of the fields whose checksums differ; empty where none can be named.

    Example:
        In JSON `parameters.learning_rate`; in CSV `line 3, column val_auc`.
    """
    try:
        now = fields_of(path)
    except (ValueError, OSError, RecursionError):
        return []
    if not isinstance(recorded, dict):
        return []
    if path.suffix == ".csv":
        return _changed_cells(path, now, recorded)
    names = [name for name in recorded if now.get(name) != recorded[name]]
    return names + [name for name in now if name not in recorded]


def _changed_cells(path: Path, now: dict[str, list[int]], recorded: dict[str, Any]) -> list[str]:
    header = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
    lines = _changed_positions(now["lines"], recorded.get("lines"))
    columns = _changed_positions(now["columns"], recorded.get("columns"))
    if len(lines) == 1 and len(columns) == 1 and lines[0] > 0 and columns[0] < len(header):
        return [f"line {lines[0] + 1}, column {header[columns[0]]}"]
    return [f"line {number + 1}" for number in lines]


def _changed_positions(now: list[int], recorded: Any) -> list[int]:
    if not isinstance(recorded, list):
        return []
    longest = max(len(now), len(recorded))
    return [i for i in range(longest) if i >= len(now) or i >= len(recorded) or now[i] != recorded[i]]
