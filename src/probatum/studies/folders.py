"""Where a person keeps the owners' files, and where parsed copies are kept."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from probatum._errors import UsageError
from probatum._files import write_whole

DATA_VARIABLE = "PROBATUM_DATA"
CACHE_VARIABLE = "PROBATUM_CACHE"


def data_folder(dataset: str, subfolders: tuple[str, ...], holds: Callable[[Path], bool], how: str) -> Path:
    """Return the folder that holds the files of `dataset`: a subfolder of `PROBATUM_DATA`, or that itself.

    Args:
        dataset: its name, for the message.
        subfolders: names to look for, in order.
        holds: whether a folder holds the files.
        how: what is expected there and where it comes from.

    Raises:
        UsageError: no folder is named, or the files are not in it.
    """
    given = os.environ.get(DATA_VARIABLE)
    if not given:
        raise UsageError(
            f"dataset {dataset!r} needs files, and {DATA_VARIABLE} is not set. {how} Put them into "
            f"<folder>/{subfolders[0]} and set {DATA_VARIABLE}=<folder>. `--dataset simulated` needs no file."
        )
    candidates = [*(Path(given) / name for name in subfolders), Path(given)]
    for folder in candidates:
        if folder.is_dir() and holds(folder):
            return folder
    searched = ", ".join(map(str, candidates))
    raise UsageError(f"dataset {dataset!r}: its files were not found in {searched}. {how}")


def cache_folder() -> Path:
    """Return the folder for parsed copies: `PROBATUM_CACHE`, or the user's cache folder.

    Everything in it can be deleted at any time.
    """
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "probatum"


def cached(key: str, make: Callable[[], Mapping[str, NDArray]]) -> dict[str, NDArray]:
    """Return the arrays of `make()`, from the copy kept under `key` where there is a whole one.

    The key must hold the checksum of everything that `make` reads and the version of how it reads. A torn
    copy is made anew; a folder that cannot be written costs time and nothing else.
    """
    path = cache_folder() / f"{key}.npz"
    with (
        contextlib.suppress(OSError, ValueError, zipfile.BadZipFile, KeyError, EOFError),
        np.load(path, allow_pickle=False) as stored,
    ):
        return {name: stored[name] for name in stored.files}
    arrays = dict(make())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, buffer.getvalue())
    return arrays
