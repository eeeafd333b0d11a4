import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import RecordError
from probatum.runs.journal import EpochJournal, cell, read_epochs

COLUMNS = ("seed", "epoch", "val_auc")


def _journal(path):
    return EpochJournal(path / "epochs.csv", COLUMNS)


def test_none_is_an_empty_cell_and_reads_back_as_none(tmp_path):
    with _journal(tmp_path) as journal:
        journal.append({"seed": 1, "epoch": 1, "val_auc": None})
    assert (tmp_path / "epochs.csv").read_text() == "seed,epoch,val_auc\n1,1,\n"
    assert read_epochs(tmp_path / "epochs.csv") == [{"seed": 1, "epoch": 1, "val_auc": None}]


@given(st.floats(allow_nan=False))
def test_a_float_reads_back_as_the_same_number(value):
    assert float(cell(value)) == value
    assert math.copysign(1, float(cell(value))) == math.copysign(1, value)


def test_a_torn_tail_is_left_out_by_the_reader(tmp_path):
    with _journal(tmp_path) as journal:
        journal.append({"seed": 1, "epoch": 1, "val_auc": 0.5})
    with journal.path.open("a") as file:
        file.write("1,2,0.")
    assert [row["epoch"] for row in read_epochs(journal.path)] == [1]


def test_an_append_after_a_torn_tail_starts_a_line_of_its_own(tmp_path):
    (tmp_path / "epochs.csv").write_text("seed,epoch,val_auc\n1,1,0.5\n1,2,0.")
    with _journal(tmp_path) as journal:
        journal.append({"seed": 1, "epoch": 2, "val_auc": 0.25})
    assert [row["val_auc"] for row in read_epochs(tmp_path / "epochs.csv")] == [0.5, 0.25]


def test_rewrite_replaces_every_row_and_appends_go_on(tmp_path):
    with _journal(tmp_path) as journal:
        journal.append({"seed": 1, "epoch": 9})
        journal.rewrite([{"seed": 1, "epoch": 1}])
        journal.append({"seed": 1, "epoch": 2})
    assert [row["epoch"] for row in read_epochs(journal.path)] == [1, 2]


def test_a_row_with_an_unknown_column_is_refused(tmp_path):
    with pytest.raises(RecordError, match="val_acc"):
        _journal(tmp_path).append({"val_acc": 1.0})


def test_a_text_with_a_comma_reads_back(tmp_path):
    with _journal(tmp_path) as journal:
        journal.append({"val_auc": 'a,"b"'})
    assert read_epochs(journal.path)[0]["val_auc"] == 'a,"b"'


@given(st.binary(max_size=200))
def test_damaged_bytes_give_rows_or_a_record_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("journal") / "epochs.csv"
    path.write_bytes(content)
    with contextlib.suppress(RecordError):
        assert isinstance(read_epochs(path), list)
