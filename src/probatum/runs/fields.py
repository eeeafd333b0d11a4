"""Checksums of single fields and cells: they name what was changed inside a file whose hash differs.

They protect nothing by themselves (CRC-32); the file that holds them is hashed in the ledger.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def json_fields(value: Any) -> dict[str, int]:
    """Return a checksum for every leaf; a list of plain values counts as one leaf.

    Example:
        >>> sorted(json_fields({"a": {"b": 1}, "c": [1, 2]}))
        ['a.b', 'c']
    """
    return {
        path: crc32(
            (_encode(leaf) if isinstance(leaf, dict | list) else repr(leaf)).encode("utf-8", "replace")
        )
        for path, leaf in _walk(value, "")
    }


def _walk(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            path = f"{prefix}.{key}" if prefix else str(key)
            if isinstance(item, dict | list):
                yield from _walk(item, path)
            else:
                yield path, item
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        for index, item in enumerate(value):
            yield f"{prefix}[{index}]", item
    else:
        yield prefix, value


def csv_fields(text: str) -> dict[str, list[int]]:
    """Return a checksum for every column and every line: together they name a cell."""
    lines = text.splitlines()
    rows = [line.split(",") for line in lines] if '"' not in text else list(csv.reader(io.StringIO(text)))
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
