"""`data.json`: which bytes a run was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum._files import sha256_file
from probatum.runs.files import json_text, put
from probatum.runs.paths import RunPaths


def file_record(path: Path | str, *, source: str, rows: int | None = None) -> dict[str, Any]:
    """Return name, source, checksum, size and rows of an input file; the folder it lies in is not recorded.

    Raises:
        RecordError: the file cannot be read.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        return {"name": path.name, "source": source, "sha256": sha256_file(path), "bytes": size, "rows": rows}
    except OSError as error:
        raise RecordError(
            f"{path}: expected an input file, but it cannot be read ({error.strerror})."
        ) from None


def data_record(
    name: str,
    *,
    source: str,
    files: Iterable[Mapping[str, Any]] = (),
    splits: Mapping[str, Mapping[str, Any]] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """Return the content of `data.json`.

    Args:
        name: The data set's name.
        source: Where it comes from: an official address, or `embedded` with its seed.
        files: One `file_record` per input file.
        splits: Per split its count and a digest of its samples in order.
        facts: What else is worth knowing, such as the licence.
    """
    return {
        "schema_version": 3,
        "name": name,
        "source": source,
        "files": [dict(file) for file in files],
        "splits": {split: dict(record) for split, record in (splits or {}).items()},
        **facts,
    }


def write_data_record(paths: RunPaths, record: Mapping[str, Any]) -> str:
    """Write `data.json` whole, before the seal, and return its SHA-256."""
    return put(paths.data, json_text(dict(record)))
