"""Everything that a run prints is kept, with the time it was printed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TextIO


class _Tee:
    """A text stream that writes to its original and, line by line with the time, to a log."""

    def __init__(self, original: TextIO, log: IO[str]) -> None:
        self._original = original
        self._log = log
        self._line = ""

    def write(self, text: str) -> int:
        self._original.write(text)
        self._line += text
        while "\n" in self._line:
            line, self._line = self._line.split("\n", 1)
            self._log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {line}\n")
        return len(text)

    def flush(self) -> None:
        self._original.flush()
        self._log.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._original, name)


@contextlib.contextmanager
def captured_output(log_path: Path) -> Iterator[None]:
    """Copy standard output and standard error to `log_path` while the context lasts.

    An exception that leaves the context is written to the log too, so that a failed run explains itself.
    """
    outputs = sys.stdout, sys.stderr
    with log_path.open("a", encoding="utf-8", buffering=1) as log:
        sys.stdout, sys.stderr = _Tee(outputs[0], log), _Tee(outputs[1], log)  # type: ignore[assignment]
        try:
            yield
        except BaseException as error:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {type(error).__name__}: {error}\n")
            raise
        finally:
            sys.stdout, sys.stderr = outputs
