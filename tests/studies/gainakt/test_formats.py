"""Readers: what they return, and what they say about a malformed file."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import RecordError, UnknownNameError
from probatum.studies.gainakt.formats import read, read_data_txt, read_pykt, read_three_line
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


def test_a_file_of_no_format_is_told_all(write):
    with pytest.raises(RecordError, match=r"three-line format.*concepts and responses.*data\.txt.*got hello"):
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


DATA_TXT = """ann,3
11,12,11
7,9_7,7
1,0,1
1000,2000,3000
NA
ben,2
12,13
9,20
0,1
NA
50,60
"""


def test_data_txt_gives_students_in_file_order(write):
    histories = read(write(DATA_TXT, "data.txt"))
    assert histories.student_names == ("ann", "ben")
    assert histories.concept_names == ("7", "9", "20")
    assert histories.responses.tolist() == [1, 0, 1, 0, 1]
    assert histories.offsets.tolist() == [0, 3, 5]
    assert histories.folds is None


def test_a_question_of_several_concepts_counts_once_under_its_first(write):
    histories = read(write(DATA_TXT, "data.txt"))
    assert [histories.concept_names[index] for index in histories.concepts] == ["7", "9", "7", "9", "20"]


def test_the_questions_stand_for_concepts_that_are_not_there(write):
    histories = read(write("ann,3\nstep_1,step_2,step_1\nNA\n1,0,1\nNA\nNA\n"))
    assert histories.concept_names == ("step_1", "step_2")
    assert histories.concepts.tolist() == [0, 1, 0]


def test_concepts_may_be_texts_and_are_pooled_by_name(write):
    one = read(write("ann,2\nNA\nfractions,area\n1,0\nNA\nNA\n", "one.txt"))
    other = read(write("ben,2\nNA\nangle,fractions\n0,1\nNA\nNA\n", "other.txt"))
    both = pool([one, other])
    assert both.concept_names == ("angle", "area", "fractions")
    named = [both.concept_names[index] for index in both.concepts]
    assert named == ["fractions", "area", "angle", "fractions"]


def test_a_student_may_be_a_tuple_and_lines_may_end_as_in_dos(write):
    text = DATA_TXT.replace("ann,3", "(64525, 33139),3").replace("\n", "\r\n")
    assert read(write(text)).student_names == ("(64525, 33139)", "ben")


def test_data_txt_and_three_lines_of_the_same_answers_agree(write):
    three = read(write("3\n7,9,7\n1,0,1\n2\n9,20\n0,1\n"))
    six = read_data_txt(write(DATA_TXT, "data.txt"))
    for name in ("concepts", "responses", "offsets"):
        assert getattr(six, name).tolist() == getattr(three, name).tolist()
    assert six.concept_names == three.concept_names


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("\nNA\n50,60\n", "\nNA\n", "line 11: expected six lines for each student, got an end after 11"),
        ("ben,2\n12,13\n", "ben,2\n", "line 11: expected six lines for each student"),
        ("ann,3", "ann,4", "line 2: expected 4 questions or NA, got 3"),
        ("7,9_7,7", "7,9_7", "line 3: expected 3 concepts or NA, got 2"),
        ("7,9_7,7", "7,,7", "line 3: expected 3 concepts or NA, got an empty cell"),
        ("7,9_7,7", "7,_9,7", "line 3: expected a name for each of the concepts, got none"),
        ("50,60", "50,", "line 12: expected 2 durations or NA, got an empty cell"),
        ("7,9_7,7", "7,NA,7", "line 3: expected a name for each of the concepts, got NA"),
        ("7,9_7,7", "", "line 3: expected 3 concepts or NA, got an empty line"),
        ("\n1,0,1\n", "\n1,0\n", "line 4: expected 3 answers, got 2"),
        ("\n1,0,1\n", "\nNA\n", "line 4: expected 3 answers, got 1"),
        ("\n1,0,1\n", "\n1,0,2\n", "line 4: expected answers, each 0 or 1, got 2"),
        ("1000,2000,3000", "1000,2000", "line 5: expected 3 times or NA, got 2"),
        ("50,60", "50,60,7", "line 12: expected 2 durations or NA, got 3"),
        ("ben,2", "ben", "line 7: expected a student and a number of interactions.*got ben"),
        ("ben,2", "ben,0", "line 7: expected a student and a number of interactions.*got ben,0"),
        ("ben,2", "ann,2", "line 7: expected each student once .ann began at line 1."),
        ("12,13\n9,20", "NA\nNA", "line 9: expected concepts, or questions in their place, got NA for both"),
    ],
)
def test_a_torn_data_txt_is_told_line_and_expectation(write, old, new, told):
    assert DATA_TXT.count(old) == 1
    with pytest.raises(RecordError, match=rf"data\.txt, {told}"):
        read(write(DATA_TXT.replace(old, new), "data.txt"))


@given(st.integers(1, len(DATA_TXT) - 3))  # one digit less in the last number would not show
def test_a_data_txt_cut_anywhere_but_between_students_is_refused(tmp_path_factory, size):
    path = tmp_path_factory.mktemp("cut") / "data.txt"
    path.write_text(DATA_TXT[:size])
    try:
        histories = read(path)
    except RecordError as error:
        assert "data.txt, line" in str(error)  # noqa: PT017 - most cuts are refused, one is not
        return
    assert DATA_TXT[:size].strip() == DATA_TXT[: DATA_TXT.index("ben")].strip()
    assert histories.student_count == 1


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "students", "interactions", "concepts"),
    [("assist2015", 19_840, 683_801, 100), ("assist2009_updated", 4_151, 325_637, 110)],
)
def test_assistments_is_read_whole(name, students, interactions, concepts):
    folder = Path(os.environ.get("PROBATUM_DATA", "/nonexistent")) / "knowledge_tracing"
    if not folder.is_dir():
        pytest.skip("PROBATUM_DATA/knowledge_tracing is not here: ASSISTments may not be passed on")
    pooled = pool([read_three_line(folder / f"{name}_{part}.csv") for part in ("train", "test")])
    assert (pooled.student_count, pooled.interaction_count, pooled.concept_count) == (
        students,
        interactions,
        concepts,
    )
    if name == "assist2015":
        assert np.median(pooled.lengths) == 20
        assert pooled.responses.mean().round(3) == 0.732
