"""An archive on the disk: a folder or a zip of the same files, written the same way whoever writes it.

The zip is stored, not compressed, with sorted names and one fixed date: its bytes depend on its content alone,
not on the machine, the day, or the version of a compression library. So a zip can be held against itself: written
again from its own files it must come out the same, to the last byte of its directory.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from probatum._errors import RecordError, UsageError

CHECKSUMS = "ARCHIVE.sha256"  # every other file of the archive; its own hash is the archive's seal
METADATA = "ro-crate-metadata.json"
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that the format has
_MODE = 0o100644 << 16  # a plain file that its owner may write
_PIECE = 1 << 20

Content = Path | bytes  # a file to copy, or what to write


def write_folder(folder: Path, contents: Mapping[str, Content]) -> None:
    """Write the files into a new folder, which appears with all of them or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        for name, content in contents.items():
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with _open(content) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, _PIECE)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_zip(path: Path, contents: Mapping[str, Content]) -> None:
    """Write the files into a new zip, which appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
                for name in sorted(contents):
                    with _open(contents[name]) as source:
                        _add(packed, name, source)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _open(content: Content) -> IO[bytes]:
    if isinstance(content, Path):
        return content.open("rb")
    return io.BytesIO(content)


def _add(packed: zipfile.ZipFile, name: str, source: IO[bytes]) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr, entry.create_system = _MODE, 3
    with packed.open(entry, "w", force_zip64=True) as target:  # always: a size known later may need it
        shutil.copyfileobj(source, target, _PIECE)


class Archive:
    """The files of an archive, read where they are: nothing is unpacked.

    Raises:
        RecordError: the path is no zip that can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = None
        if not path.is_dir():
            try:
                self._zip = zipfile.ZipFile(path)
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                raise RecordError(f"{path}: expected an archive, got no readable zip ({error}).") from None

    def __enter__(self) -> Archive:
        """Return the archive itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the zip."""
        if self._zip is not None:
            self._zip.close()

    def names(self) -> list[str]:
        """Return the name of every file, sorted; one that stands twice in a zip is given twice."""
        if self._zip is not None:
            return sorted(entry.filename for entry in self._zip.infolist())
        files = (file for file in self.path.rglob("*") if file.is_symlink() or not file.is_dir())
        return sorted(file.relative_to(self.path).as_posix() for file in files)

    def open(self, name: str) -> IO[bytes]:
        """Return a file's content as a stream.

        Raises:
            RecordError: there is no such plain file.
        """
        try:
            if self._zip is not None:
                return self._zip.open(name)
            file = self.path / name
            if file.is_symlink() or not file.is_file():
                raise RecordError(f"{name}: is no plain file")
            return file.open("rb")
        except (KeyError, OSError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
            raise RecordError(f"{name}: cannot be read ({error})") from None

    def read(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            RecordError: it is missing or damaged.
        """
        try:
            with self.open(name) as stream:
                return stream.read()
        except (OSError, EOFError, zipfile.BadZipFile) as error:
            raise RecordError(f"{name}: cannot be read ({error})") from None

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file's content.

        Raises:
            RecordError: it is missing or damaged.
        """
        found = hashlib.sha256()
        try:
            with self.open(name) as stream:
                while piece := stream.read(_PIECE):
                    found.update(piece)
        except (OSError, EOFError, zipfile.BadZipFile) as error:
            raise RecordError(f"{name}: cannot be read ({error})") from None
        return found.hexdigest()

    def is_as_written(self) -> bool:
        """Return whether the zip, written again from its own files, comes out the same; true of a folder."""
        if self._zip is None:
            return True
        with tempfile.TemporaryFile() as again:
            with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED) as packed:
                for name in self.names():
                    with self.open(name) as source:
                        _add(packed, name, source)
            again.seek(0)
            with self.path.open("rb") as file:
                return _digest(file) == _digest(again)


def _digest(stream: IO[bytes]) -> str:
    return hashlib.file_digest(stream, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]


def is_archive(path: Path) -> bool:
    """Return whether a path is what `probatum archive` writes: a zip, or a folder with a crate's metadata.

    Example:
        >>> is_archive(Path("423891"))
        False
    """
    if path.is_dir():
        return (path / CHECKSUMS).is_file() or (path / METADATA).is_file()
    return path.is_file() and (path.suffix == ".zip" or zipfile.is_zipfile(path))


def check_output(path: Path) -> None:
    """Refuse a path at which something stands.

    Raises:
        UsageError: it exists, or is no name of a file or folder.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists. Choose another --output, or remove it.")
    if PurePosixPath(path).name in {"", ".", ".."}:
        raise UsageError(f"--output {path}: expected the name of a new zip or folder.")
