"""Snapshots of a run: complete on disk, bounded in memory.

One JSON line per epoch, appended and flushed: a killed run keeps every whole line, and a torn last line is
cut when the file is opened again.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from probatum._errors import RecordError, UsageError
from probatum._files import append_line, strict_json, write_whole
from probatum.signals.snapshot import Snapshot


class SnapshotHistory:
    """The snapshots of one run, oldest first.

    Args:
        path: The file of JSON lines, continued where it exists; None keeps the last epochs only.
        history_length: How many snapshots stay in memory.

    Example:
        >>> history = SnapshotHistory(None, history_length=5)
        >>> for epoch in range(1, 8):
        ...     history.append(Snapshot(epoch))
        >>> len(history), [shot.epoch for shot in history.recent]
        (7, [3, 4, 5, 6, 7])
    """

    def __init__(self, path: Path | str | None, history_length: int = 10) -> None:
        if history_length < 1:
            raise UsageError(f"history_length must be at least 1, got {history_length}.")
        self.path = None if path is None else Path(path)
        self._recent: deque[Snapshot] = deque(maxlen=history_length)
        self._count = 0
        if self.path and self.path.exists():
            _mend(self.path)
            for shot in self:
                self._remember(shot)

    @property
    def recent(self) -> list[Snapshot]:
        """The last `history_length` snapshots, oldest first."""
        return list(self._recent)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Snapshot]:
        """Read every snapshot from the disk; without a file, the ones in memory."""
        if self.path is None:
            yield from tuple(self._recent)
        elif self.path.exists():
            yield from read_history(self.path)

    def append(self, snapshot: Snapshot) -> None:
        """Add an epoch: its line is on the disk when this returns.

        Raises:
            UsageError: the epoch does not follow the last one; `truncate` makes room after a resume.
        """
        if self._recent and snapshot.epoch <= self._recent[-1].epoch:
            raise UsageError(
                f"expected an epoch after {self._recent[-1].epoch}, got {snapshot.epoch}. "
                f"Call truncate({snapshot.epoch - 1}) first where a run is resumed."
            )
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, strict_json(snapshot.as_record(), indent=None))
        self._remember(snapshot)

    def truncate(self, epoch: int) -> None:
        """Forget every epoch after `epoch`, on the disk and in memory."""
        kept = [shot for shot in self if shot.epoch <= epoch]
        if self.path and self.path.exists():
            lines = [strict_json(shot.as_record(), indent=None) + "\n" for shot in kept]
            write_whole(self.path, "".join(lines))
        self._recent.clear()
        self._count = 0
        for shot in kept:
            self._remember(shot)

    def _remember(self, snapshot: Snapshot) -> None:
        self._recent.append(snapshot)
        self._count += 1


def read_history(path: Path | str) -> Iterator[Snapshot]:
    """Yield the snapshots of a file, oldest first; a torn last line is left out.

    Raises:
        RecordError: the file is missing, or a whole line is no snapshot.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(f"{path}: expected one JSON line per epoch, found no file.") from None
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: expected JSON lines, got something that is no text ({error}).") from None
    for number, line in enumerate(text[: text.rfind("\n") + 1].split("\n")[:-1], start=1):
        try:
            yield Snapshot.from_record(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise RecordError(f"{path}: line {number} is no snapshot: {error}") from None


def _mend(path: Path) -> None:
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) != len(content):
        write_whole(path, whole)
