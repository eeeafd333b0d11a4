"""The only place that knows the file names of a pack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PackPaths:
    """The files of a pack below its folder.

    Example:
        >>> PackPaths(Path("digits")).header.as_posix()
        'digits/pack.json'
    """

    folder: Path

    @property
    def header(self) -> Path:
        """Everything that the episodes have in common, and the quick statistics."""
        return self.folder / "pack.json"

    @property
    def episodes(self) -> Path:
        """One episode per line, by the seed's keys."""
        return self.folder / "episodes.jsonl"

    @property
    def listing(self) -> Path:
        """One short line per episode: what a listing and the quick statistics need."""
        return self.folder / "listing.jsonl"

    @property
    def columns(self) -> Path:
        """The folder of the columns."""
        return self.folder / "columns"

    @property
    def index(self) -> Path:
        """Where each episode ends in every file, and its digest; an entry commits an episode."""
        return self.columns / "index.bin"

    @property
    def lock(self) -> Path:
        """Held by the one writer."""
        return self.folder / ".lock"

    def column(self, name: str) -> Path:
        """The rows of one column."""
        return self.columns / f"{name}.bin"
