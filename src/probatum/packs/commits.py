"""Which episodes of a pack are whole: an entry of the index commits one, and is written last.

Every file only grows. A writer that was killed leaves, beyond the last entry, at most the bytes of one episode.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum._errors import RecordError
from probatum.packs.columns import INDEX, Column
from probatum.packs.encoded import digest
from probatum.packs.paths import PackPaths

Index = NDArray[Any]


def read_index(paths: PackPaths, columns: dict[str, Column]) -> Index:
    """Return the entries of the episodes that every file holds to their end; a torn entry is left out."""
    if not paths.index.exists():
        return np.empty(0, INDEX)
    whole = paths.index.stat().st_size // INDEX.itemsize
    entries = np.fromfile(paths.index, INDEX, count=whole)
    limits = {"rows": min(_size(paths.column(name)) // each.row_bytes for name, each in columns.items())}
    limits |= {"episodes": _size(paths.episodes), "listing": _size(paths.listing)}
    fits = np.ones(len(entries), bool)
    for name, limit in limits.items():
        ends = entries[name].astype(np.int64)
        fits &= (ends <= limit) & (np.diff(ends, prepend=0) > 0)
    return entries[: len(entries) if fits.all() else int(np.argmin(fits))]


def committed(paths: PackPaths, columns: dict[str, Column]) -> Index:
    """Return the index without the last entries whose bytes are not those that were committed.

    After a loss of power a file may have its new length and not its new content: the digest tells.
    """
    entries = read_index(paths, columns)
    while len(entries) and not is_intact(paths, columns, entries, len(entries) - 1):
        entries = entries[:-1]
    return entries


def is_intact(paths: PackPaths, columns: dict[str, Column], entries: Index, number: int) -> bool:
    """Return whether the bytes of an episode are those that were committed."""
    line, short = (part(path, *span(entries, name, number)) for name, path in lines(paths).items())
    first, last = span(entries, "rows", number)
    arrays = {name: rows(paths, name, each, first, last) for name, each in columns.items()}
    return digest(line, short, arrays) == entries["sha256"][number].tobytes()


def refuse_loss(paths: PackPaths, entries: Index) -> None:
    """Refuse to cut what no kill can have left: more than one episode beyond the last that is whole.

    Raises:
        RecordError: files were removed, cut or edited; continuing would throw episodes away.
    """
    end = int(entries["listing"][-1]) if len(entries) else 0
    beyond = part(paths.listing, end, _size(paths.listing)).count(b"\n") if paths.listing.exists() else 0
    lost = max(beyond, _size(paths.index) // INDEX.itemsize - len(entries))
    if lost > 1:
        raise RecordError(
            f"{paths.folder.name}: {lost} episodes after the first {len(entries)} are damaged, more than a kill "
            "leaves: a file was removed, cut or edited. Restore the files, or write a new pack."
        )


def cut(paths: PackPaths, columns: dict[str, Column], entries: Index) -> None:
    """Truncate every file to what `entries` commit; a file that is missing is made."""
    ends = {name: int(entries[name][-1]) if len(entries) else 0 for name in ("rows", "episodes", "listing")}
    _truncate(paths.index, len(entries) * INDEX.itemsize)  # first: nothing may point beyond the end
    for name, path in lines(paths).items():
        _truncate(path, ends[name])
    for name, column in columns.items():
        _truncate(paths.column(name), ends["rows"] * column.row_bytes)


def lines(paths: PackPaths) -> dict[str, Path]:
    """Return the two files of lines by their name in the index."""
    return {"episodes": paths.episodes, "listing": paths.listing}


def span(entries: Index, name: str, number: int) -> tuple[int, int]:
    """Return where an episode begins and ends in a file, in bytes or rows."""
    return (int(entries[name][number - 1]) if number else 0), int(entries[name][number])


def part(path: Path, first: int, last: int) -> bytes:
    """Return bytes `first` to `last` of a file."""
    with path.open("rb") as file:
        file.seek(first)
        return file.read(last - first)


def rows(paths: PackPaths, name: str, column: Column, first: int, last: int) -> NDArray[Any]:
    """Return rows `first` to `last` of a column, read and not mapped: what is read can be freed."""
    count = (last - first) * int(np.prod(column.width, dtype=int))
    offset = first * column.row_bytes
    flat = np.fromfile(paths.column(name), column.dtype, count=count, offset=offset)
    return flat.reshape(last - first, *column.width)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _truncate(path: Path, size: int) -> None:
    with path.open("ab") as file:
        if file.tell() != size:
            file.truncate(size)
            file.flush()
            os.fsync(file.fileno())
