"""Episodes written as they are finished: a kill at any instant loses at most the one being written.

An episode is committed in this order: its rows, its line, its line of the listing, each flushed to the disk,
then its entry in the index, flushed. What lies beyond the last entry is cut when the pack is opened again.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any, Self

import numpy as np

from probatum._errors import RecordError, UsageError
from probatum._files import read_json, write_json
from probatum.packs.columns import INDEX, columns
from probatum.packs.commits import committed, cut, refuse_loss
from probatum.packs.encoded import EncodedEpisode
from probatum.packs.header import PackHeader, refuse_another
from probatum.packs.listing import read_listing
from probatum.packs.paths import PackPaths
from probatum.packs.quick_stats import quick_stats


class PackWriter:
    """The one writer of a pack; it begins the pack, or continues one that was begun the same way.

    Args:
        folder: The pack; made where missing.
        header: What its episodes have in common.
        sync: Whether every episode is flushed to the disk. Without it a kill of the process still loses one
            episode at most; a loss of power may lose more.

    Raises:
        UsageError: another writer holds the pack, it was begun with something else, or the folder is no pack.
        RecordError: more is damaged than a kill can leave; nothing was changed.

    Example:
        >>> import tempfile
        >>> header = PackHeader({}, {"base": ["epoch"], "_index": {"epoch": 0}}, ("WAIT",), {}, {})
        >>> with tempfile.TemporaryDirectory() as folder, PackWriter(Path(folder) / "pack", header) as writer:
        ...     len(writer)
        0
    """

    def __init__(self, folder: Path | str, header: PackHeader, *, sync: bool = True) -> None:
        self.paths = PackPaths(Path(folder))
        self._sync = sync
        self._columns = columns(header.features, len(header.actions))
        if not self.paths.header.exists() and _holds_something(self.paths):
            raise UsageError(f"{self.paths.folder} holds files and is no pack. Name a new folder.")
        self.paths.columns.mkdir(parents=True, exist_ok=True)
        self._lock = _held(self.paths)
        try:
            self._header = self._begin(header)
            self._restore()
            self._ids = {each["episode_id"] for each in read_listing(self.paths)}
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def episode_ids(self) -> frozenset[str]:
        """The episodes that are there: what a continued generation leaves out."""
        return frozenset(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def append(self, episode: EncodedEpisode) -> None:
        """Add an episode: it is on the disk when this returns.

        Raises:
            UsageError: an episode of this id is there, or its rows do not fit the pack.
        """
        self._refuse(episode)
        try:
            for name in self._columns:
                self._append(self.paths.column(name), episode.arrays[name].tobytes())
            self._append(self.paths.episodes, episode.line)
            self._append(self.paths.listing, episode.listing)
            end = self._end + np.array([episode.rows, len(episode.line), len(episode.listing)])
            entry = np.zeros(1, INDEX)
            entry["rows"], entry["episodes"], entry["listing"] = end
            entry["sha256"] = episode.sha256
            self._append(self.paths.index, entry.tobytes())
        except BaseException:  # a full disk, or Ctrl-C: back to the last episode that is whole
            self._restore()
            raise
        self._end = end
        self._ids.add(episode.episode_id)

    def close(self) -> None:
        """Write the quick statistics and give the pack back."""
        if self._lock < 0:
            return
        try:
            self._header["quick_stats"] = quick_stats(read_listing(self.paths))
            write_json(self.paths.header, self._header)
        finally:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, header: PackHeader) -> dict[str, Any]:
        """Return the head of the pack: the one that is there, or a new one, written."""
        wanted = header.as_record(self.paths.folder.resolve().name)
        if not self.paths.header.exists():
            write_json(self.paths.header, wanted)
            return wanted
        found = read_json(self.paths.header)
        if not isinstance(found, dict):
            raise RecordError(f"{self.paths.header}: expected a block of names and values.")
        refuse_another(found, wanted, self.paths.folder.name)
        return found

    def _restore(self) -> None:
        entries = committed(self.paths, self._columns)
        refuse_loss(self.paths, entries)
        cut(self.paths, self._columns, entries)
        last = entries[-1] if len(entries) else np.zeros((), INDEX)
        self._end = np.array([int(last[name]) for name in ("rows", "episodes", "listing")])

    def _append(self, path: Path, content: bytes) -> None:
        with path.open("ab") as file:
            file.write(content)
            file.flush()
            if self._sync:
                os.fsync(file.fileno())

    def _refuse(self, episode: EncodedEpisode) -> None:
        if self._lock < 0:
            raise UsageError(f"{self.paths.folder.name} was closed: open it again to add an episode.")
        if episode.episode_id in self._ids:
            raise UsageError(f"{self.paths.folder.name} has an episode {episode.episode_id!r} already.")
        for name, column in self._columns.items():
            found = episode.arrays[name]
            if found.shape != (episode.rows, *column.width) or found.dtype != column.dtype:
                raise UsageError(
                    f"{name} of {episode.episode_id!r}: expected rows of {column.width} {column.dtype}, got "
                    f"{found.shape[1:]} {found.dtype}. Was it encoded with the pack's own feature schema?"
                )


def _holds_something(paths: PackPaths) -> bool:
    """Return whether a folder without `pack.json` holds more than a writer that was killed at once leaves."""
    if not paths.folder.is_dir():
        return False
    return any(
        each.name not in (".lock", "columns") and not each.name.startswith(".pack.json.")
        for each in paths.folder.iterdir()
    )


def _held(paths: PackPaths) -> int:
    """Return a descriptor that holds the pack; the system gives it back when the process ends, however it ends.

    Raises:
        UsageError: another writer holds it.
    """
    descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UsageError(
            f"{paths.folder.name}: another process writes this pack. Wait for it, or name another folder."
        ) from None
    return descriptor
