r"""The ledger of a runs' root: one line per event, each carrying the hash of the line before.

A line is JSON with `seq` (its line number), `time`, `event`, `run`, the event's digests, `previous` (SHA-256
of the previous line's bytes) and `check` (SHA-256 of the line without it, which finds a damaged last line).

A line torn by a power loss stays where it is: the next append ends it and writes a `repaired` line whose
`previous` is the hash of the torn bytes. The ledger is never shortened, and the chain holds over the tear.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum.runs.files import compact_encoder
from probatum.runs.status import utc_now

LEDGER_NAME = "ledger.jsonl"
GENESIS = "0" * 64  # `previous` of the first line
_encode = compact_encoder(",", ":")


@dataclass(frozen=True)
class LedgerFault:
    """One line of the ledger that is not what was written."""

    line: int
    problem: str


def append_event(root: Path | str, event: str, run: str, **digests: Any) -> str:
    """Append one line under a lock, flushed to the disk, and return the new head.

    Raises:
        RecordError: the ledger cannot be written.
    """
    path = f"{root}/{LEDGER_NAME}"
    try:
        with _locked(path) as descriptor:
            sequence, previous, prefix = _tail(descriptor)
            line = _line(sequence, previous, event, run, digests)
            os.write(descriptor, prefix + line + b"\n")
            os.fsync(descriptor)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror}).") from None
    return _sha256(line)


def _line(sequence: int, previous: str, event: str, run: str, digests: dict[str, Any]) -> bytes:
    record = {**digests, "seq": sequence, "time": utc_now(), "event": event, "run": run, "previous": previous}
    text = _encode(record)
    return f'{text[:-1]},"check":"{_sha256(text.encode())}"}}'.encode()


@contextmanager
def _locked(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)  # closing gives the lock back


def _tail(descriptor: int) -> tuple[int, str, bytes]:
    """Return the next line's number, the hash before it, and what must be written first to mend a tear."""
    size = os.fstat(descriptor).st_size
    if not size:
        return 1, GENESIS, b""
    tail = _last_lines(descriptor, size)
    lines = tail.split(b"\n")
    last = lines[-2] if lines[-1] == b"" else lines[-1]
    record = parse_line(last)
    if record is not None:
        return record["seq"] + 1, _sha256(last), b"" if lines[-1] == b"" else b"\n"
    return _mend(descriptor, size, last, ended=lines[-1] == b"")


def _mend(descriptor: int, size: int, torn: bytes, *, ended: bool) -> tuple[int, str, bytes]:
    number = os.pread(descriptor, size, 0).count(b"\n") + (0 if ended else 1)
    repair = _line(number + 1, _sha256(torn), "repaired", "", {"torn_line": number, "torn_bytes": len(torn)})
    return number + 2, _sha256(repair), (b"" if ended else b"\n") + repair + b"\n"


def _last_lines(descriptor: int, size: int) -> bytes:
    """Return the end of the file from somewhere before its last line."""
    want = 4096
    while True:
        start = max(0, size - want)
        tail = os.pread(descriptor, size - start, start)
        if start == 0 or tail.rstrip(b"\n").count(b"\n"):
            return tail
        want *= 4


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the record of a whole, undamaged line, or None."""
    text, mark, check = line.rpartition(b',"check":"')
    if not mark or _sha256(text + b"}") != check.removesuffix(b'"}').decode("ascii", "replace"):
        return None
    try:
        record = json.loads(text + b"}")
    except ValueError:
        return None
    return record if isinstance(record.get("seq"), int) else None


def read_ledger(root: Path | str) -> list[dict[str, Any]]:
    """Return the records of every whole line, in order; an absent ledger has none.

    Raises:
        RecordError: the ledger cannot be read.
    """
    return [record for line in _lines(root) if (record := parse_line(line)) is not None]


def ledger_head(root: Path | str) -> str | None:
    """Return the hash of the last line: kept elsewhere (a git tag, a report) it proves all before."""
    lines = _lines(root)
    return _sha256(lines[-1]) if lines else None


def verify_ledger(root: Path | str, *, expected_head: str | None = None) -> list[LedgerFault]:
    """Return every line that was edited, removed, put in or moved; empty when the chain holds.

    Args:
        root: The runs' root.
        expected_head: A head noted earlier; the ledger must contain the line with this hash.

    Raises:
        RecordError: the ledger cannot be read.
    """
    lines = _lines(root)
    faults, previous, hashes = [], GENESIS, []
    for number, line in enumerate(lines, start=1):
        record = parse_line(line)
        if record is None:
            if not _is_repaired(lines, number):
                last = number == len(lines)
                hint = "torn or edited; the next run repairs a tear" if last else "edited"
                faults.append(LedgerFault(number, f"line {number} is not what was written ({hint})"))
        elif record["previous"] != previous:
            faults.append(
                LedgerFault(
                    number,
                    f"line {number} does not follow line {number - 1}: "
                    "a line was edited, removed, put in or moved",
                )
            )
        elif record["seq"] != number:
            faults.append(LedgerFault(number, f"line {number} carries the number {record['seq']}"))
        previous = _sha256(line)
        hashes.append(previous)
    if expected_head and expected_head not in hashes:
        faults.append(
            LedgerFault(
                len(lines), f"no line has the expected head {expected_head}: the end was cut off or rewritten"
            )
        )
    return faults


def _is_repaired(lines: list[bytes], number: int) -> bool:
    following = parse_line(lines[number]) if number < len(lines) else None
    return bool(
        following
        and following["event"] == "repaired"
        and following.get("torn_line") == number
        and following["previous"] == _sha256(lines[number - 1])
    )


def _lines(root: Path | str) -> list[bytes]:
    path = Path(root) / LEDGER_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}).") from None
    lines = content.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def _sha256(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
