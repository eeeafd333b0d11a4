"""The short lines of a pack, one per episode, read one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from probatum._errors import RecordError
from probatum.packs.paths import PackPaths


def read_listing(paths: PackPaths, count: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the short line of each of the first `count` episodes; of all where None.

    Raises:
        RecordError: a line is no listing.
    """
    if not paths.listing.exists():
        return
    with paths.listing.open("rb") as file:
        for number, line in enumerate(islice(file, count), start=1):
            yield parsed(line, paths.listing.name, number)


def parsed(line: bytes, name: str, number: int) -> dict[str, Any]:
    """Return a line's block of names and values.

    Raises:
        RecordError: it is none.
    """
    try:
        found = json.loads(line, parse_constant=_refuse)
    except ValueError as error:
        raise RecordError(
            f"{name}, line {number}: expected whole JSON, got a torn or edited line ({error})."
        ) from None
    if not isinstance(found, dict):
        raise RecordError(f"{name}, line {number}: expected a block of names and values.")
    return found


def _refuse(constant: str) -> None:
    """Refuse what JSON does not have.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is no number of strict JSON")
