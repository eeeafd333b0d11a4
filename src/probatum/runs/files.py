"""Whole files inside a run folder, hashed from memory, and JSON that is quick to write and to read by eye."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from probatum._errors import RecordError


def compact_encoder(
    separator: str = ", ", colon: str = ": ", *, allow_nan: bool = False
) -> Callable[[Any], str]:
    """Return the `encode` of a `json.JSONEncoder` with sorted keys, whose C part is made once, not at each call.

    Example:
        >>> compact_encoder()({"b": 1, "a": [None, 0.5]})
        '{"a": [null, 0.5], "b": 1}'
    """
    plain = json.JSONEncoder(
        sort_keys=True, allow_nan=allow_nan, ensure_ascii=False, separators=(separator, colon)
    )
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    parts = make(
        None, plain.default, json.encoder.encode_basestring, None, colon, separator, True, False, allow_nan
    )
    return lambda value: "".join(parts(value, 0))


_encode, _encode_lines = compact_encoder(), compact_encoder(",\n    ")
_quote = json.encoder.encode_basestring
_CONTAINERS = (dict, list)
_SEQUENCES = (list, tuple)
_TEXT = frozenset({str})
_SCALARS = frozenset({str, int, float, bool, type(None)})


def json_text(value: Any) -> str:
    """Return `value` as strict JSON with sorted keys: two levels spread over lines, deeper ones on one line.

    Only an encoder without indentation runs in C, and a record is mostly deep lists of numbers; one line per
    list also keeps a diff short.

    Raises:
        RecordError: a number is not finite, or a value is no JSON; the message names the key.

    Example:
        >>> print(json_text({"b": {"y": [1, 2], "x": 0.5}, "a": None}), end="")
        {
          "a": null,
          "b": {
            "x": 0.5,
            "y": [1, 2]
          }
        }
    """
    return _checked(value, 0) + "\n"


def _checked(value: Any, depth: int) -> str:
    try:
        return _spread(value, depth)
    except (ValueError, TypeError) as error:
        raise RecordError(_explain(value) or f"the record is no JSON: {error}") from None


class Encoded(str):
    """A part of a record that is JSON already: what many records share is formatted once."""

    __slots__ = ()

    @classmethod
    def block(cls, value: Any) -> Encoded:
        """Return a top-level value of a record as `json_text` would write it.

        Raises:
            RecordError: as `json_text` does.

        Example:
            >>> json_text({"a": Encoded.block({"b": 1})}) == json_text({"a": {"b": 1}})
            True
        """
        return cls(_checked(value, 1))


def _spread(value: Any, depth: int) -> str:
    if value.__class__ is Encoded:
        return value
    if not value or depth == 2 or not isinstance(value, _CONTAINERS):
        return _encode(value)
    pad = "\n" + "  " * (depth + 1)
    if isinstance(value, dict):
        if depth == 1 and _SCALARS.issuperset(map(type, value.values())):
            return f"{{{pad}{_encode_lines(value)[1:-1]}\n  }}"  # one call for the whole map
        if not _TEXT.issuperset(map(type, value)):
            return _encode(value)
        body = f",{pad}".join([f"{_quote(key)}: {_spread(value[key], depth + 1)}" for key in sorted(value)])
        return f"{{{pad}{body}\n{'  ' * depth}}}"
    if not isinstance(value[0], _CONTAINERS):
        return _encode(value)
    return f"[{pad}{f',{pad}'.join([_spread(item, depth + 1) for item in value])}\n{'  ' * depth}]"


def _explain(value: Any) -> str | None:
    """Return the sentence for the first leaf that strict JSON cannot hold."""
    for path, leaf in leaves(value):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            return f"`{path}` must be a finite number, got {leaf}. Record null for what was not measured."
        if not isinstance(leaf, str | int | float | bool | None):
            kinds = "text, number, true, false, null, list, map"
            return f"`{path}` must be plain JSON ({kinds}), got {type(leaf).__name__}."
    return None


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of nested maps and lists with its dotted path.

    Example:
        >>> list(leaves({"a": {"b": [1, None]}}))
        [('a.b[0]', 1), ('a.b[1]', None)]
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            path = f"{prefix}.{key}" if prefix else str(key)
            if item.__class__ in _SCALARS:
                yield path, item
            else:
                yield from leaves(item, path)
    elif isinstance(value, _SEQUENCES):
        for index, item in enumerate(value):
            yield from leaves(item, f"{prefix}[{index}]")
    else:
        yield prefix, value


def put(path: Path | str, content: str | bytes) -> str:
    """Write a file whole and return the SHA-256 of its bytes, computed before they left the memory."""
    folder, _, name = str(path).rpartition("/")
    with Group(folder or ".") as group:
        return group.add(name, content)


class Group:
    """Files of one folder that are written whole together.

    Each is written under a temporary name; then all are flushed, then all get their names. The first flush
    takes the others' blocks along, so that five files cost little more than one.

    Args:
        folder: The folder that the names are relative to.
        durable: Whether to flush; else the system does within its half minute, which no killed process feels.
    """

    def __init__(self, folder: Path | str, *, durable: bool = True) -> None:
        self.folder, self.durable = str(folder), durable
        self._waiting: list[tuple[int, str, str]] = []  # descriptor, temporary path, path
        self._ending = f".{os.getpid()}.part"

    def add(self, name: str, content: str | bytes) -> str:
        """Write a file under a temporary name and return the SHA-256 of its bytes."""
        data = content.encode() if isinstance(content, str) else content
        path = f"{self.folder}/{name}"
        head, _, tail = path.rpartition("/")
        temporary = f"{head}/.{tail}{self._ending}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._waiting.append((descriptor, temporary, path))
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])
        return hashlib.sha256(data).hexdigest()

    def flush(self) -> None:
        """Bring every file to the disk; the names come with `commit`."""
        for descriptor, _, _ in self._waiting:
            os.fsync(descriptor)

    def commit(self) -> None:
        """Give every file its name."""
        while self._waiting:
            descriptor, temporary, path = self._waiting.pop(0)
            os.close(descriptor)
            os.rename(temporary, path)

    def __enter__(self) -> Group:
        """Return the group."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Flush and name the files; after an error leave none of them."""
        try:
            if kind is None:
                if self.durable:
                    self.flush()
                self.commit()
        finally:
            for descriptor, temporary, _path in self._waiting:
                os.close(descriptor)
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
            self._waiting = []
