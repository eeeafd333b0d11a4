"""What a store has been sent of a run: a small file per run, of which a lost one costs time and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json, strict_json, write_json
from probatum.tracking.content import Point, mapping

SCHEMA_VERSION = 1


@dataclass
class Sent:
    """What one store has of one run."""

    key: str = ""
    run_id: str = ""
    parameters: str = ""  # digests
    tags: str = ""
    ending: list[Any] = field(default_factory=list)  # status and end time
    series: dict[str, list[Any]] = field(default_factory=dict)  # name: number of points, their digest
    artifacts: dict[str, list[int]] = field(default_factory=dict)  # name: size, time of change
    signature: str = ""  # of the files, once everything of an ended run is there


def read_sent(path: Path, store: str) -> Sent:
    """Return what the store with that label has; an unreadable file reads as nothing sent."""
    found = mapping(_stores(path).get(store))
    known = {each.name: found[each.name] for each in fields(Sent) if each.name in found}
    blank = Sent()
    if any(type(value) is not type(getattr(blank, name)) for name, value in known.items()):
        return blank
    return Sent(**known)


def write_sent(path: Path, store: str, sent: Sent) -> None:
    """Remember what a store has, beside what others have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"schema_version": SCHEMA_VERSION, "stores": {**_stores(path), store: asdict(sent)}})


def digest(value: Any) -> str:
    """Return a short digest of plain values.

    Example:
        >>> digest({"a": "1"}) == digest({"a": "1"}) != digest({"a": "2"})
        True
    """
    return hashlib.sha256(strict_json(value, indent=None).encode()).hexdigest()[:16]


def points_digest(points: Sequence[Point]) -> str:
    """Return a short digest of points; NaN is as good as any number."""
    return hashlib.sha256(repr([tuple(point) for point in points]).encode()).hexdigest()[:16]


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a run's folder, so that two processes never send one run at the same time; waits for the other.

    The folder itself is locked: no file is left behind, and the system lets go when the process ends.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without such locks: a search still finds the run
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _stores(path: Path) -> Mapping[str, Any]:
    try:
        return mapping(mapping(read_json(path)).get("stores"))
    except RecordError:
        return {}
