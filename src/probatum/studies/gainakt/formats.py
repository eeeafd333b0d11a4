"""Readers of knowledge-tracing files: the three-line format, pyKT's csv files and pyKT's data.txt.

Three-line: per student a count n, then n concept ids, then n answers (0 or 1), comma-separated; a
trailing comma is allowed. It is the format of DKVMN's files (Zhang et al. 2017, arXiv 1611.08108).
pyKT: one csv row per window, columns `concepts`, `responses` and perhaps `fold`, `uid`, `selectmasks`,
padded by -1 at the end (Liu et al. 2022, arXiv 2206.11460). data.txt: what pyKT's preprocessing writes,
six lines per student: name and count, questions, concepts, answers, times, durations; NA where there are none.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from probatum._errors import RecordError, UnknownNameError
from probatum.studies.gainakt.histories import Histories, Integers, from_ids, from_texts

LARGEST_ID = 10**12
DATA_TXT_HEADER = re.compile(rb"(\([^()]*\)|[^,()]+),(\d{1,9})")  # a name, or a tuple of names; a count
ABSENT = b"NA"
PADDING = re.compile(r"(,-1)+$")


def read(path: Path) -> Histories:
    """Return the histories in `path`, whose format is told from its first line.

    Raises:
        UnknownNameError: there is no such file.
        RecordError: no format fits, or the file is malformed.
    """
    header = read_bytes(path).split(b"\n", 1)[0].strip().rstrip(b",")
    if b"concepts" in header and b"responses" in header:
        return read_pykt(path)
    if header.isdigit():
        return read_three_line(path)
    if DATA_TXT_HEADER.fullmatch(header):
        return read_data_txt(path)
    raise malformed(
        path, 1, "a number of interactions (three-line format), a csv header with the columns concepts and "
        "responses (pyKT's csv) or a student and a count (pyKT's data.txt)", shown(header),
    )  # fmt: skip


def read_three_line(path: Path) -> Histories:
    """Return the histories of a three-line file, students in the order of the file.

    Raises:
        UnknownNameError: there is no such file.
        RecordError: the file is empty, torn, or a line is not what the format says; the line is named.
    """
    lines = [line.strip().rstrip(b",") for line in read_bytes(path).replace(b" ", b"").rstrip().split(b"\n")]
    if lines == [b""]:
        raise malformed(path, 1, "a number of interactions", "an empty file")
    if len(lines) % 3:
        raise malformed(path, len(lines), "three lines for each student", f"an end after {len(lines)} lines")
    counts = np.array([int(line) if line.isdigit() else -1 for line in lines[::3]], dtype=np.int64)
    for row, kind in enumerate(("concept ids", "answers"), start=1):
        found = [line.count(b",") + 1 if line else 0 for line in lines[row::3]]
        for student in np.flatnonzero(counts != found)[:1]:
            name = f"{counts[student]} {kind}" if counts[student] >= 0 else "a number of interactions"
            came = (
                f"{found[student]}" if counts[student] >= 0 else lines[3 * student].decode(errors="replace")
            )
            raise malformed(path, 3 * student + (1 + row if counts[student] >= 0 else 1), name, came)
    return from_ids(
        integers(path, lines[1::3], [3 * s + 2 for s in range(len(counts))], "concept ids", LARGEST_ID),
        integers(path, lines[2::3], [3 * s + 3 for s in range(len(counts))], "answers", 1),
        np.concatenate([[0], np.cumsum(counts)]),
        tuple(f"{path.stem}:{student}" for student in range(len(counts))),
        None,
    )


def read_data_txt(path: Path) -> Histories:
    """Return the histories of pyKT's data.txt, students in the order of the file, answers in theirs.

    A question of several concepts (`7_12`) counts once, under its first. pyKT repeats the answer under each of
    them, so that a model which has seen the first copy knows the others: such copies raise every score, and
    are not made here. Where there are no concepts (`NA`), the questions stand for them, as in pyKT's
    data sets without concepts. Concepts may be any texts. Times and durations are checked and not used.

    Raises:
        UnknownNameError: there is no such file.
        RecordError: the file is torn, or a line is not what the format says; the line is named.
    """
    lines = [line.strip() for line in read_bytes(path).rstrip().split(b"\n")]
    if len(lines) % 6:
        raise malformed(path, len(lines), "six lines for each student", f"an end after {len(lines)} lines")
    first_line: dict[str, int] = {}
    counts: list[int] = []
    concepts: list[bytes] = []
    for start in range(0, len(lines), 6):
        name, count = student_and_count(path, start + 1, lines[start])
        if first_line.setdefault(name, start + 1) != start + 1:
            known = f"each student once ({name} began at line {first_line[name]})"
            raise malformed(path, start + 1, known, "the same again")
        counts.append(count)
        concepts += concepts_of(path, start + 1, lines[start : start + 6], count)
    answers = integers(path, lines[3::6], range(4, len(lines) + 1, 6), "answers", 1)
    offsets = np.cumsum([0, *counts], dtype=np.int64)
    if all(name.isdigit() and int(name[:20]) <= LARGEST_ID for name in set(concepts)):
        return from_ids(np.array([*map(int, concepts)], np.int64), answers, offsets, tuple(first_line), None)
    texts = {name: decoded(name) for name in set(concepts)}
    return from_texts([texts[name] for name in concepts], answers, offsets, tuple(first_line))


def student_and_count(path: Path, number: int, line: bytes) -> tuple[str, int]:
    """Return what the first of a student's six lines says."""
    match = DATA_TXT_HEADER.fullmatch(line)
    if match is None or not int(match[2]):
        raise malformed(path, number, "a student and a number of interactions, as in `7,25`", shown(line))
    return decoded(match[1]), int(match[2])


def concepts_of(path: Path, number: int, block: Sequence[bytes], count: int) -> list[bytes]:
    """Return the first concept of each of a student's `count` answers, after checking all six lines.

    Args:
        path: the file, for messages.
        number: the line of the file that the block begins at.
        block: the six lines.
        count: how many interactions the first of them promises.
    """
    kinds = ("questions", "concepts", "answers", "times", "durations")
    cells = [line.split(b",") for line in block[1:]]
    for offset, (kind, line, found) in enumerate(zip(kinds, block[1:], cells, strict=True), start=1):
        if line == ABSENT and kind != "answers":
            continue
        if len(found) != count or b"" in found:
            wanted = f"{count} {kind}" + (" or NA" if kind != "answers" else "")
            empty = "an empty cell" if line else "an empty line"
            raise malformed(path, number + offset, wanted, empty if b"" in found else str(len(found)))
    place = 2 if block[2] != ABSENT else 1  # the questions stand for concepts that are not there
    if block[place] == ABSENT:
        raise malformed(path, number + 2, "concepts, or questions in their place", "NA for both")
    named = [cell.split(b"_", 1)[0] if place == 2 else cell for cell in cells[place - 1]]
    for cell in named:
        if cell in (b"", ABSENT):
            wanted = f"a name for each of the {kinds[place - 1]}"
            raise malformed(path, number + place, wanted, shown(cell) if cell else "none")
    return named


def decoded(name: bytes) -> str:
    """Return a name as text; bytes that are no UTF-8 keep apart what they kept apart."""
    return name.decode("utf-8", "backslashreplace")


def shown(line: bytes) -> str:
    """Return a line as a message shows it."""
    return line.decode(errors="replace") or "an empty line"


def read_pykt(path: Path) -> Histories:
    """Return the histories of a pyKT csv file; windows of one `uid` are joined again in file order.

    Without a `uid` column every row is a student of its own.

    Raises:
        UnknownNameError: there is no such file.
        RecordError: a row does not fit the format; its line is named.
    """
    rows, lines = read_rows(path)
    cells = {key: [PADDING.sub("", row[key]).encode() for row in rows] for key in ("concepts", "responses")}
    counts = np.array([cell.count(b",") + 1 for cell in cells["concepts"]], dtype=np.int64)
    for row, line, count, answers in zip(rows, lines, counts, cells["responses"], strict=True):
        if answers.count(b",") + 1 != count:
            raise malformed(
                path, line, f"{count} responses, as many as concepts", f"{answers.count(b',') + 1}"
            )
        if "selectmasks" in row and PADDING.sub("", row["selectmasks"]).count(",") + 1 != count:
            raise malformed(
                path, line, "selectmasks padded where concepts are", "another length (overlapping evaluation "
                "windows, as in test_window_sequences.csv, repeat interactions: give test_sequences.csv)",
            )  # fmt: skip
    ids = integers(path, cells["concepts"], lines, "concepts padded by -1 at the end only", LARGEST_ID)
    answers = integers(path, cells["responses"], lines, "responses", 1)
    names = [row.get("uid") or f"{path.stem}:{position}" for position, row in enumerate(rows)]
    unique = {name: index for index, name in enumerate(dict.fromkeys(names))}
    owners = np.array([unique[name] for name in names], dtype=np.int64)  # (rows,)
    order = np.argsort(np.repeat(owners, counts), kind="stable")
    lengths = np.bincount(owners, weights=counts, minlength=len(unique)).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return from_ids(
        ids[order], answers[order], offsets, tuple(unique), stated_folds(path, rows, lines, owners)
    )


def read_rows(path: Path) -> tuple[list[dict[str, str]], list[int]]:
    """Return the rows of a csv file with their line numbers, each row as long as the header."""
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    text = io.StringIO(read_bytes(path).decode("utf-8-sig", errors="replace"), newline="")
    reader = csv.DictReader(text, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise malformed(
                    path, reader.line_num, f"{len(reader.fieldnames or ())} columns", "another number"
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise malformed(path, reader.reader.line_num, "a whole csv row", str(error)) from None
    missing = {"concepts", "responses"} - set(reader.fieldnames or ())
    if missing or not rows:
        wanted = "the columns concepts and responses" if missing else "at least one row"
        raise malformed(
            path, 1, wanted, f"the columns {', '.join(reader.fieldnames or ()) or 'none'}; {len(rows)} rows"
        )
    return rows, lines


def stated_folds(
    path: Path, rows: Sequence[dict[str, str]], lines: Sequence[int], owners: Integers
) -> Integers | None:
    """Return the fold of each student, -1 for test, or None when the file has no `fold` column."""
    if "fold" not in rows[0]:
        return None
    folds = np.full(int(owners.max()) + 1, -2, dtype=np.int64)
    for row, line, owner in zip(rows, lines, owners, strict=True):
        if re.fullmatch(r"-1|\d{1,6}", row["fold"]) is None:
            raise malformed(path, line, "a fold: 0, 1, ... or -1 for test", row["fold"] or "nothing")
        if folds[owner] not in (-2, int(row["fold"])):
            raise malformed(
                path, line, f"fold {folds[owner]}, as in this student's earlier window", row["fold"]
            )
        folds[owner] = int(row["fold"])
    return folds


def integers(path: Path, cells: Sequence[bytes], lines: Sequence[int], what: str, largest: int) -> Integers:
    """Return the comma-separated whole numbers of all `cells`, joined, each in 0..largest."""
    text = b",".join(cell for cell in cells if cell)
    if not text.translate(None, b"0123456789,") and b",," not in text and not text.startswith(b","):
        values = np.fromstring(text.decode(), dtype=np.int64, sep=",")
        if not len(values) or values.max() <= largest:
            return values
    for cell, line in zip(cells, lines, strict=True):  # something is wrong: look where
        for item in cell.split(b",") if cell else ():
            if not item.isdigit() or int(item[:20]) > largest:
                wanted = f"{what}, each {'0 or 1' if largest == 1 else f'a whole number in 0..{largest}'}"
                raise malformed(path, line, wanted, item.decode(errors="replace") or "an empty cell")
    raise malformed(path, 1, what, "something else")  # pragma: no cover - the loop above names the place


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        UnknownNameError: there is no such file.
        RecordError: the file is empty or unreadable.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UnknownNameError(f"{path}: expected a knowledge-tracing file, found none.") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}).") from None
    if not content.strip():
        raise malformed(path, 1, "interactions", "an empty file")
    return content


def malformed(path: Path, line: int, expected: str, came: str) -> RecordError:
    """Return the error that says where a file is not what its format promises."""
    shown = came if len(came) <= 200 else came[:200] + "..."
    return RecordError(
        f"{path.name}, line {line}: expected {expected}, got {shown}. "
        "Mend the file or get it again; nothing was read."
    )
