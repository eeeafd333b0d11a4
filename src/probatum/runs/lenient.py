"""Records read by whoever lists many runs: what is damaged becomes a note, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json


def read_leniently(path: Path, notes: list[str]) -> Mapping[str, Any]:
    """Return the map in a JSON file, an empty one where it is missing or damaged; `notes` then gets the reason."""
    try:
        return as_map(read_json(path))
    except (RecordError, RecursionError) as error:
        notes.append(str(error))
        return {}


def as_map(value: Any) -> Mapping[str, Any]:
    """Return a map, an empty one for anything else.

    Example:
        >>> as_map({"a": 1}), as_map([1])
        ({'a': 1}, {})
    """
    return value if isinstance(value, dict) else {}
