"""Readers: what they return, and what they say about a malformed file."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import RecordError, UnknownNameError
from probatum.studies.gainakt.formats import read, read_pykt, read_three_line
from probatum.studies.gainakt.histories import pool
from probatum.studies.gainakt.protocol import windows_of
from probatum.studies.gainakt.simulate import CLASSROOM, simulate


@pytest.fixture
def write(tmp_path):
    def made(text: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return made


def test_three_line_files_give_students_in_file_order(write):
    histories = read(write("3\n5,7,5\n1,0,1\n2\n7,9\n0,1\n"))
    assert histories.concept_names == ("5", "7", "9")
    assert histories.concepts.tolist() == [0, 1, 0, 1, 2]
    assert histories.responses.tolist() == [1, 0, 1, 0, 1]
    assert histories.offsets.tolist() == [0, 3, 5]
    assert histories.student_names == ("data:0", "data:1")
    assert histories.folds is None


@pytest.mark.parametrize(
    "text", ["2\n5,7,\n1,0,\n", "2,\r\n5,7\r\n1,0\r\n", "2\n5, 7\n1, 0", "2\n5,7\n1,0\n\n\n"]
)
def test_trailing_commas_spaces_and_line_ends_do_not_matter(write, text):
    assert read(write(text)).responses.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: expected interactions, got an empty file"),
        ("2\n1,2\n1,0\n3\n1,2\n", "line 5: expected three lines for each student"),
        ("2\n1,2\n1,0\n3\n1,2\n1,0,1\n", "line 5: expected 3 concept ids, got 2"),
        ("2\n1,2\n1,0\n2\n1,2\n1\n", "line 6: expected 2 answers, got 1"),
        ("2\n1,2\n1,2\n", "line 3: expected answers, each 0 or 1, got 2"),
        ("2\n1,2\n1,0.5\n", "line 3: expected answers, each 0 or 1, got 0.5"),
        ("2\n1,x\n1,0\n", "line 2: expected concept ids, each a whole number.*got x"),
        ("2\n1,-4\n1,0\n", "line 2: .*got -4"),
        ("2\n1,99999999999999999999999\n1,0\n", "line 2: .*got 99999999999999999999999"),
        ("3\n1,,2\n1,0,1\n", "line 2: .*got an empty cell"),
        ("1\n1\n1\nx\n1\n1\n", "line 4: expected a number of interactions, got x"),
    ],
)
def test_a_malformed_three_line_file_is_told_line_and_expectation(write, text, told):
    with pytest.raises(RecordError, match=rf"data\.csv, {told}"):
        read(write(text))


def test_a_file_of_neither_format_is_told_both(write):
    with pytest.raises(RecordError, match=r"three-line format.*concepts and responses.*got hello"):
        read(write("hello\n"))


def test_a_missing_file_is_named():
    with pytest.raises(UnknownNameError, match=r"nowhere\.csv: expected a knowledge-tracing file"):
        read(Path("nowhere.csv"))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_clearly(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "data.csv"
    path.write_bytes(content)
    try:
        histories = read(path)
    except RecordError as error:
        assert "data.csv, line" in str(error)  # noqa: PT017 - most bytes are refused, a few are read
        return
    assert histories.interaction_count == histories.offsets[-1]


PYKT = """fold,uid,concepts,responses,selectmasks
0,ann,"0,1,1","1,0,1","1,1,1"
1,ben,"2,2,-1","0,0,-1","1,1,-1"
0,ann,"1,-1,-1","0,-1,-1","1,-1,-1"
"""


def test_pykt_windows_of_one_student_are_joined_in_time_order(write):
    histories = read(write(PYKT))
    assert histories.student_names == ("ann", "ben")
    assert histories.concepts.tolist() == [0, 1, 1, 1, 2, 2]
    assert histories.responses.tolist() == [1, 0, 1, 0, 0, 0]
    assert histories.offsets.tolist() == [0, 4, 6]
    assert histories.folds is not None
    assert histories.folds.tolist() == [0, 1]


def test_without_uid_and_fold_every_row_is_a_student(write):
    histories = read_pykt(write('concepts,responses\n"3,3","1,1"\n"4","0"\n'))
    assert histories.student_count == 2
    assert histories.folds is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"1,0,1"', '"1,0,7"', "line 2: expected responses, each 0 or 1, got 7"),
        ('"1,0,1"', '"1,0"', "line 2: expected 3 responses, as many as concepts, got 2"),
        ('"0,1,1"', '"0,-1,1"', "line 2: expected concepts padded by -1 at the end only.*got -1"),
        ('"1,1,-1"', '"-1,1,1"', "line 3: expected selectmasks padded where concepts are.*test_sequences"),
        ("1,ben", "x,ben", "line 3: expected a fold.*got x"),
        ('0,ann,"1,-1', '2,ann,"1,-1', "line 4: expected fold 0, as in this student's earlier window, got 2"),
        (',"1,-1,-1"\n', "\n", "line 4: expected 5 columns"),
        (',"1,-1,-1"\n', ',"1,-1', "line 4: expected a whole csv row"),
    ],
)
def test_a_malformed_pykt_file_is_told_line_and_expectation(write, old, new, told):
    assert old in PYKT
    head, _, tail = PYKT.rpartition(old) if "\n" in old else PYKT.partition(old)
    with pytest.raises(RecordError, match=rf"data\.csv, {told}"):
        read(write(head + new + tail))


def test_a_pykt_file_without_rows_is_refused(write):
    with pytest.raises(RecordError, match="expected at least one row"):
        read(write("fold,concepts,responses\n"))


def test_windows_written_by_pykts_rules_are_read_back_as_the_same_windows(write):
    histories = simulate(students=40, concepts=5, seed=1, model=CLASSROOM)
    cut = windows_of(histories, np.arange(40), seq_len=12, min_length=3)
    rows = ["uid,concepts,responses"]
    for start, length, student in zip(cut.starts, cut.lengths, cut.students, strict=True):
        pad = ["-1"] * (12 - length)
        cells = (
            ",".join([*map(str, flat[start : start + length]), *pad])
            for flat in (histories.concepts, histories.responses)
        )
        rows.append(f"{histories.student_names[student]}," + ",".join(f'"{cell}"' for cell in cells))
    back = read(write("\ufeff" + "\n".join(rows)))
    again = windows_of(back, np.arange(40), seq_len=12, min_length=3)
    assert again.digest() == cut.digest()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "students", "interactions", "concepts"),
    [("assist2015", 19_840, 683_801, 100), ("assist2009_updated", 4_151, 325_637, 110)],
)
def test_assistments_is_read_whole_in_under_a_second(name, students, interactions, concepts):
    folder = Path(os.environ.get("PROBATUM_DATA", "/nonexistent")) / "knowledge_tracing"
    if not folder.is_dir():
        pytest.skip("PROBATUM_DATA/knowledge_tracing is not here: ASSISTments may not be passed on")
    begin = time.perf_counter()
    pooled = pool([read_three_line(folder / f"{name}_{part}.csv") for part in ("train", "test")])
    assert time.perf_counter() - begin < 1.0
    assert (pooled.student_count, pooled.interaction_count, pooled.concept_count) == (
        students,
        interactions,
        concepts,
    )
    if name == "assist2015":
        assert np.median(pooled.lengths) == 20
        assert pooled.responses.mean().round(3) == 0.732
