import hashlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.runs.ledger import GENESIS, append_event, ledger_head, read_ledger, verify_ledger


@pytest.fixture
def root(tmp_path):
    for number in range(5):
        append_event(tmp_path, "sealed", f"run{number}", files={"config.json": "0" * 64})
    return tmp_path


def _lines(root):
    return (root / "ledger.jsonl").read_bytes().splitlines(keepends=True)


def test_every_line_carries_the_hash_of_the_line_before(root):
    records, lines = read_ledger(root), _lines(root)
    assert records[0]["previous"] == GENESIS
    assert [r["previous"] for r in records[1:]] == [
        hashlib.sha256(line.rstrip(b"\n")).hexdigest() for line in lines[:-1]
    ]
    assert [r["seq"] for r in records] == [1, 2, 3, 4, 5]
    assert verify_ledger(root) == []


def test_an_absent_ledger_is_empty(tmp_path):
    assert read_ledger(tmp_path) == [] and verify_ledger(tmp_path) == [] and ledger_head(tmp_path) is None  # noqa: PT018


@pytest.mark.parametrize("line", [1, 3, 5])
def test_an_edited_line_is_found_by_its_number(root, line):
    lines = _lines(root)
    lines[line - 1] = lines[line - 1].replace(b"run", b"fun")
    (root / "ledger.jsonl").write_bytes(b"".join(lines))
    assert verify_ledger(root)[0].line == line


def test_a_removed_line_is_found_where_the_chain_breaks(root):
    lines = _lines(root)
    (root / "ledger.jsonl").write_bytes(b"".join(lines[:2] + lines[3:]))
    assert verify_ledger(root)[0].line == 3


def test_reordered_lines_are_found(root):
    lines = _lines(root)
    lines[1], lines[2] = lines[2], lines[1]
    (root / "ledger.jsonl").write_bytes(b"".join(lines))
    assert verify_ledger(root)[0].line == 2


def test_a_cut_end_is_found_by_a_head_noted_earlier(root):
    head = ledger_head(root)
    (root / "ledger.jsonl").write_bytes(b"".join(_lines(root)[:-1]))
    assert verify_ledger(root) == []
    assert "cut off" in verify_ledger(root, expected_head=head)[0].problem


def test_a_head_noted_earlier_stays_good_as_the_ledger_grows(root):
    head = ledger_head(root)
    assert append_event(root, "completed", "run0") == ledger_head(root)
    assert verify_ledger(root, expected_head=head) == []


@pytest.mark.parametrize("kept", [1, 30, 200])
def test_a_torn_last_line_is_repaired_by_the_next_append(root, kept):
    content = (root / "ledger.jsonl").read_bytes()
    start = len(content) - len(_lines(root)[-1])
    (root / "ledger.jsonl").write_bytes(content[: start + kept])
    assert verify_ledger(root)[0].line == 5
    append_event(root, "sealed", "after")
    assert verify_ledger(root) == []
    assert [(r["seq"], r["event"]) for r in read_ledger(root)][-2:] == [(6, "repaired"), (7, "sealed")]


def test_a_last_line_that_only_lost_its_end_of_line_is_kept(root):
    content = (root / "ledger.jsonl").read_bytes()
    (root / "ledger.jsonl").write_bytes(content[:-1])
    append_event(root, "sealed", "after")
    assert verify_ledger(root) == []
    assert len(read_ledger(root)) == 6


def test_a_ledger_of_one_torn_line_is_repaired(tmp_path):
    (tmp_path / "ledger.jsonl").write_bytes(b'{"event":')
    append_event(tmp_path, "sealed", "x")
    assert verify_ledger(tmp_path) == []


@settings(max_examples=60)
@given(st.data())
def test_any_changed_byte_is_found(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("ledger")
    for number in range(3):
        append_event(root, "sealed", f"run{number}")
    content = bytearray((root / "ledger.jsonl").read_bytes())
    position = data.draw(st.integers(0, len(content) - 2))  # the last byte is the end of line of a whole line
    content[position] ^= data.draw(st.integers(1, 255))
    (root / "ledger.jsonl").write_bytes(content)
    assert verify_ledger(root)


def _append_many(root):
    for number in range(25):
        append_event(root, "sealed", f"run{number}")


def test_eight_processes_appending_at_once_keep_the_chain(tmp_path):
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        list(pool.map(_append_many, [tmp_path] * 8))
    assert len(read_ledger(tmp_path)) == 200
    assert verify_ledger(tmp_path) == []


def test_a_long_line_is_followed_by_the_next(tmp_path):
    append_event(tmp_path, "completed", "big", others={f"file{n}": "0" * 64 for n in range(300)})
    append_event(tmp_path, "sealed", "next")
    assert verify_ledger(tmp_path) == []
