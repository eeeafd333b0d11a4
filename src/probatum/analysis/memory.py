"""What an analysis read of a plan's folder, kept for the next one: a cache, never believed against the files.

Ten thousand runs are twenty thousand files; opening and parsing them takes longer than all that is computed of
them. A folder's or a file's time of change (which no editor can set back) and its size tell whether it is still
what was read. Only folders that Probatum's own runner made are remembered, since only there it may write.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from probatum._collector import collector_paused
from probatum.analysis.records import RunRecord
from probatum.runs.files import Group, compact_encoder

STATE, NAME = ".probatum", "analysis.json"
WORTHWHILE = 100  # runs; fewer are read in a moment
_VERSION = 1  # raised when what is read of a run changes
_SETTLED_NS = 2_000_000_000  # what changed so shortly before may change again within one tick of the clock
_MAPS = ("tags", "directions")  # equal ones are many: written once
_WORDS = tuple(each.name for each in fields(RunRecord) if each.name not in ("run_root", "values", *_MAPS))
_encode = compact_encoder(",", ":")


@dataclass
class _Table:
    """Values that many rows share, by number."""

    values: list[Any]
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, value: Any) -> int:
        if not self._numbers:
            self._numbers = {_encode(known): number for number, known in enumerate(self.values)}
        number = self._numbers.setdefault(_encode(value), len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class Memory:
    """What stands below one plan's folder, as it was when it was read.

    Args:
        folder: The plan's folder.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._path = f"{folder}/{STATE}/{NAME}"
        self._began = time.time_ns()
        self._known = _content(self._path)
        self._shared = _Table(self._known["shared"])
        self._found: dict[str, dict[str, Any]] = {"folders": {}, "runs": {}, "indices": {}}
        self._is_changed = False

    def listing(self, path: str) -> tuple[list[str], list[str]] | None:
        """Return the telling files and the folders below of a folder that has not changed, else None."""
        known = self._recall("folders", path, lambda: os.stat(path).st_ctime_ns)
        return known and (known[0], [f"{path}/{name}" for name in known[1]])

    def keep_listing(self, path: str, names: Iterable[str], below: Iterable[str]) -> None:
        """Remember what stands in a folder; `below` are paths."""
        changed = os.stat(path).st_ctime_ns
        self._keep(
            "folders", path, changed, [changed], [sorted(names), [os.path.basename(each) for each in below]]
        )

    def run(self, path: str, files: Iterable[str]) -> RunRecord | None:
        """Return the run in a folder whose files have not changed, else None."""
        known = self._recall("runs", path, lambda: _stamps(path, files))
        if known is None:
            return None
        words, maps, shape, values = known
        shared = self._shared.values
        record = RunRecord("", "", "", path, values=dict(zip(shared[shape], values, strict=True)))
        for name, word in zip(_WORDS, words, strict=True):
            setattr(record, name, word)
        for name, number in zip(_MAPS, maps, strict=True):
            setattr(record, name, shared[number])
        return record

    def keep_run(self, record: RunRecord, files: Iterable[str]) -> None:
        """Remember a run."""
        stamps = _stamps(record.run_root, files)
        maps = [self._shared.number(getattr(record, name)) for name in _MAPS]
        shape = self._shared.number(list(record.values))
        row = [[getattr(record, name) for name in _WORDS], maps, shape, list(record.values.values())]
        self._keep("runs", record.run_root, stamps, stamps[::2], row)

    def index(self, path: str, file: str) -> dict[str, Any] | None:
        """Return what a plan's index declares where the file has not changed, else None."""
        return self._recall("indices", path, lambda: _stamps(path, (file,)))

    def keep_index(self, path: str, file: str, declared: dict[str, Any]) -> None:
        """Remember what a plan's index declares."""
        stamps = _stamps(path, (file,))
        self._keep("indices", path, stamps, stamps[::2], declared)

    def save(self) -> None:
        """Write what was read, where that is worth it and allowed: a cache that cannot be written is none."""
        found = self._found
        is_less = any(len(found[kind]) < len(self._known[kind]) for kind in found)
        if len(found["runs"]) < WORTHWHILE or not (self._is_changed or is_less):
            return
        try:
            with Group(os.path.dirname(self._path), durable=False) as group:
                group.add(NAME, _encode({"version": _VERSION, "shared": self._shared.values, **found}))
        except (OSError, ValueError, TypeError):
            return

    def _recall(self, kind: str, path: str, state: Any) -> Any:
        key = path[len(self.folder) :]
        known = self._known[kind].get(key)
        if known is None or known[0] != state():
            return None
        self._found[kind][key] = known
        return known[1]

    def _keep(self, kind: str, path: str, state: Any, changed_ns: list[int], content: Any) -> None:
        """Remember what was read unless it is so new that a further change might not be seen."""
        if all(changed < self._began - _SETTLED_NS for changed in changed_ns):
            self._found[kind][path[len(self.folder) :]] = [state, content]
            self._is_changed = True


def _stamps(path: str, files: Iterable[str]) -> list[int]:
    """Return time of change and size of each file, one after the other."""
    found = []
    for name in files:
        state = os.stat(f"{path}/{name}")
        found += [state.st_ctime_ns, state.st_size]
    return found


def _content(path: str) -> dict[str, Any]:
    """Return what was remembered; nothing where it is missing, torn, or of another version."""
    try:
        with open(path, "rb") as file, collector_paused():
            content = json.loads(file.read())
        if isinstance(content, dict) and content.get("version") == _VERSION:
            return content
    except (OSError, ValueError, RecursionError):
        pass
    return {"shared": [], "folders": {}, "runs": {}, "indices": {}}
