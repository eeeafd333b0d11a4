"""Files written whole, read with a clear message, and hashed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from probatum._errors import RecordError


def strict_json(value: Any, *, indent: int | None = 2) -> str:
    """Return `value` as JSON with sorted keys; NaN and infinities are refused.

    Raises:
        ValueError: a number is not finite.

    Example:
        >>> strict_json({"b": 1, "a": None}, indent=None)
        '{"a": null, "b": 1}'
    """
    return json.dumps(value, sort_keys=True, indent=indent, allow_nan=False, ensure_ascii=False)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content` so that a reader sees the old file or the new one, never a part.

    A temporary file in the same folder is written, flushed to the disk and renamed.
    """
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write `value` whole as strict JSON with a final newline."""
    write_whole(path, strict_json(value) + "\n")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        RecordError: the file is missing, unreadable, or not whole JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(f"{path}: expected a JSON file, found none. Was the run stopped early?") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: expected whole JSON, got a torn or edited file ({error}).") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}).") from None


def append_line(path: Path, line: str, *, sync: bool = True) -> None:
    """Append one line in one write, so that concurrent writers never interleave within a line."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, (line + "\n").encode())
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5_text(text: str) -> str:
    """Return the MD5 of a text's UTF-8 bytes: an identity here, not a protection."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
