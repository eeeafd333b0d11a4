"""Which files go along: records, logs and numbers; weights and what is huge only where asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from probatum.tracking.content import Artifact

CHOICES = ("records", "all", "none")
LARGEST_BYTES = 10 * 1024**2
WEIGHTS = frozenset({".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".npz", ".npy", ".pkl", ".h5", ".onnx"})
_ASIDE = frozenset({"earlier"})  # attempts that another one replaced
_TOLD = frozenset({"exit_code"})  # stands in metadata.json too


def artifacts_of(folder: Path, choice: str, below: str = "") -> tuple[tuple[Artifact, ...], int]:
    """Return the files of a folder that are sent, and how many are left out.

    Links are not followed, so that nothing outside the folder is ever sent.

    Args:
        folder: A run's folder.
        choice: `records` (no weights, nothing above 10 MiB), `all` or `none`.
        below: The folder in the store that the names begin with.
    """
    files = [] if choice == "none" else list(_files(folder, folder))
    files = [file for file in files if file.state[0] and file.name not in _TOLD]
    sent = [file for file in files if choice == "all" or is_record(file)]
    named = tuple(Artifact(file.path, f"{below}{file.name}", file.state) for file in sent)
    return named, len(files) - len(sent)


def is_record(file: Artifact) -> bool:
    """Return whether a file is sent without being asked for."""
    return file.path.suffix.lower() not in WEIGHTS and file.state[0] <= LARGEST_BYTES


def _files(folder: Path, root: Path) -> Iterator[Artifact]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        path = Path(entry.path)
        if entry.is_dir():
            if not (folder == root and (entry.name in _ASIDE or entry.name.startswith("seed_"))):
                yield from _files(path, root)
        elif entry.is_file():
            found = entry.stat()
            yield Artifact(path, path.relative_to(root).as_posix(), (found.st_size, found.st_mtime_ns))
