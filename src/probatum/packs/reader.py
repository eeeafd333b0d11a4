"""A pack read: episode by episode as JSON, or its columns as arrays; never the whole in memory.

`batches` reads what a batch needs and frees it; the mapped columns (`observations` and so on) are read by the
operating system where they are touched, and shared between processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum._errors import RecordError, UnknownNameError
from probatum._files import read_json
from probatum._names import unknown
from probatum.packs.batch import EpisodeBatch
from probatum.packs.columns import columns
from probatum.packs.commits import part, read_index, span
from probatum.packs.header import SCHEMA_VERSION
from probatum.packs.listing import parsed, read_listing
from probatum.packs.paths import PackPaths
from probatum.packs.quick_stats import quick_stats


class PackReader:
    """The episodes of a pack that are whole; one that is being written is seen as it was when this was opened.

    Args:
        folder: The pack.

    Raises:
        RecordError: it is no pack, or of another version.
    """

    def __init__(self, folder: Path | str) -> None:
        self.paths = PackPaths(Path(folder))
        if not self.paths.header.is_file():
            raise RecordError(
                f"{self.paths.folder}: expected a pack, found no pack.json. `probatum packs generate` makes one."
            )
        self.header: dict[str, Any] = read_json(self.paths.header)
        _refuse_foreign(self.header, self.paths)
        self.actions: tuple[str, ...] = tuple(self.header["actions"])
        index = self.header["feature_schema"]["_index"]
        self.feature_names: tuple[str, ...] = tuple(sorted(index, key=index.__getitem__))
        self.columns = columns(len(self.feature_names), len(self.actions))
        self.index = read_index(self.paths, self.columns)

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def episode_offsets(self) -> NDArray[np.int64]:
        """Where each episode's rows begin, and the end: episode i has rows [offsets[i], offsets[i + 1])."""
        return np.concatenate([[0], self.index["rows"]]).astype(np.int64)

    @property
    def observations(self) -> NDArray[np.float32]:
        """Features of every observation, mapped: (rows, features)."""
        return self._mapped("observations")

    @property
    def mask(self) -> NDArray[np.uint8]:
        """1 where a feature was measured, mapped: (rows, features)."""
        return self._mapped("mask")

    @property
    def actions_taken(self) -> NDArray[np.int16]:
        """Positions of the actions, -1 where nothing was decided, mapped: (rows,)."""
        return self._mapped("actions")

    @property
    def greedy(self) -> NDArray[np.int16]:
        """Positions of the actions without exploration, -1 as above, mapped: (rows,)."""
        return self._mapped("greedy")

    @property
    def allowed(self) -> NDArray[np.uint8]:
        """1 where an action would have been carried out, mapped: (rows, actions)."""
        return self._mapped("allowed")

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """With which the behaviour policy took each action, mapped: (rows, actions)."""
        return self._mapped("probabilities")

    @property
    def rewards(self) -> NDArray[np.float32]:
        """`rewards.COMPONENTS` in points, mapped: (rows, 4)."""
        return self._mapped("rewards")

    @property
    def done(self) -> NDArray[np.uint8]:
        """1 where no decision follows, mapped: (rows,)."""
        return self._mapped("done")

    @property
    def good(self) -> NDArray[np.int8]:
        """1 for a good decision, 0 for another, -1 where it is not known, mapped: (rows,)."""
        return self._mapped("good")

    @property
    def epochs(self) -> NDArray[np.int16]:
        """The epoch of every observation, mapped: (rows,)."""
        return self._mapped("epochs")

    def episode(self, number: int) -> dict[str, Any]:
        """Return one episode by the seed's keys; its line alone is read.

        Raises:
            IndexError: there is no such episode.
            RecordError: its line is torn or edited.
        """
        return parsed(self.line(number), self.paths.episodes.name, number + 1)

    def line(self, number: int) -> bytes:
        """Return the line of an episode.

        Raises:
            IndexError: there is no such episode.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"the pack has {len(self)} episodes, counted from 0; got {number}.")
        return part(self.paths.episodes, *span(self.index, "episodes", number))

    def iterate(self) -> Iterator[dict[str, Any]]:
        """Yield every episode by the seed's keys, one at a time."""
        return (self.episode(number) for number in range(len(self)))

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """The short line of every episode: id, policy, seed, cause, outcome, final accuracy, actions."""
        return list(read_listing(self.paths, len(self)))

    def number(self, episode: str) -> int:
        """Return the position of an episode by its id, or by the position itself where no id is like it.

        Raises:
            UnknownNameError: there is no such episode.
        """
        names = [each["episode_id"] for each in read_listing(self.paths, len(self))]
        if episode in names:
            return names.index(episode)
        if episode.isdigit() and int(episode) < len(names):
            return int(episode)
        raise UnknownNameError(unknown("episode", episode, names[:1000]))

    @property
    def quick_stats(self) -> dict[str, Any]:
        """The quick statistics of the episodes that are whole, whatever a killed writer left in pack.json."""
        stated = self.header["quick_stats"]
        if stated["episodes"] == len(self):
            return stated
        return quick_stats(read_listing(self.paths, len(self)))

    def batches(self, episodes: Sequence[int] | None = None, size: int = 64) -> Iterator[EpisodeBatch]:
        """Yield the columns of `size` episodes at a time; memory holds one batch.

        Args:
            episodes: Which, in this order; all where None.
            size: How many episodes a batch has; the last may have fewer.
        """
        chosen = range(len(self)) if episodes is None else episodes
        for start in range(0, len(chosen), size):
            yield self.batch(chosen[start : start + size])

    def batch(self, episodes: Sequence[int]) -> EpisodeBatch:
        """Return the columns of some episodes, in this order; neighbours are read together, when asked for."""
        offsets = self.episode_offsets
        runs: list[list[int]] = []
        for number in episodes:
            first, last = int(offsets[number]), int(offsets[number + 1])
            if runs and runs[-1][1] == first:
                runs[-1][1] = last
            else:
                runs.append([first, last])
        lengths = np.array([offsets[number + 1] - offsets[number] for number in episodes], dtype=np.int64)
        return EpisodeBatch(
            np.asarray(episodes, dtype=np.int64), lengths, lambda name: self._read(name, runs)
        )

    def _read(self, name: str, runs: list[list[int]]) -> NDArray[Any]:
        """Return the rows of some runs of a column; read and not mapped, so that they can be freed."""
        column, path = self.columns[name], self.paths.column(name)
        found = np.empty((sum(last - first for first, last in runs), *column.width), column.dtype)
        if not found.size:
            return found
        room, start = found.view(np.uint8).reshape(-1).data, 0
        descriptor = os.open(path, os.O_RDONLY)
        try:
            for first, last in runs:
                end = start + (last - first) * column.row_bytes
                if os.preadv(descriptor, [room[start:end]], first * column.row_bytes) != end - start:
                    raise RecordError(
                        f"{path.name}: expected {last} rows, the file was cut while it was read."
                    )
                start = end
        finally:
            os.close(descriptor)
        return found

    def _mapped(self, name: str) -> NDArray[Any]:
        column, count = self.columns[name], int(self.episode_offsets[-1])
        if not count:
            return np.empty((0, *column.width), column.dtype)
        return np.memmap(self.paths.column(name), column.dtype, mode="r", shape=(count, *column.width))


def _refuse_foreign(header: Any, paths: PackPaths) -> None:
    """Refuse a head that this version cannot read.

    Raises:
        RecordError: it is none, or of another version.
    """
    if not isinstance(header, dict) or header.get("schema_version") != SCHEMA_VERSION:
        version = header.get("schema_version") if isinstance(header, dict) else None
        raise RecordError(
            f"{paths.header}: expected schema_version {SCHEMA_VERSION}, got {version!r}. "
            "A pack of the old generator is one JSON document and cannot be read."
        )
    missing = [name for name in ("actions", "feature_schema", "quick_stats") if name not in header]
    if missing:
        raise RecordError(f"{paths.header}: {', '.join(missing)} missing; the file was edited.")
