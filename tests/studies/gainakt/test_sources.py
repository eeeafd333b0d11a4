"""Sources: what is loaded, how it is recorded, and what is said when it is missing."""

import os
from pathlib import Path

import pytest

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum.studies.gainakt import sources
from probatum.studies.gainakt.sources import Simulation, load

SIZE = Simulation(students=20, concepts=3, seed=1)
THREE_LINE = "3\n1,1,2\n1,0,1\n"


def get(dataset, folder=None, *, different=False):
    return load(str(dataset), data_folder=folder, simulation=SIZE, accept_different_data=different)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "knowledge_tracing").mkdir()
    for part in ("train", "test"):
        (tmp_path / "knowledge_tracing" / f"assist2015_{part}.csv").write_text(THREE_LINE)
    return tmp_path


def test_simulated_learners_need_no_file_and_are_recorded():
    record = get("simulated").files[0]
    assert record["sha256"] == get("simulated").histories.digest()
    assert (record["students"], record["bytes"]) == (20, None)


def test_other_bytes_than_published_are_refused_with_both_checksums(folder):
    with pytest.raises(
        RecordError, match=r"assist2015_train\.csv: expected .*281f952f.*, got .*accept_different_data"
    ):
        get("assist2015", folder)


def test_accepted_different_data_are_named_as_different(folder):
    source = get("assist2015", folder, different=True)
    assert source.histories.student_count == 2
    assert [record["name"] for record in source.files] == [
        "assist2015_train.csv (different)", "assist2015_test.csv (different)",
    ]  # fmt: skip
    assert not any(record["is_published_version"] for record in source.files)


def test_the_folder_may_come_from_the_environment(folder, monkeypatch):
    monkeypatch.setenv("PROBATUM_DATA", str(folder / "knowledge_tracing"))
    assert get("assist2015", different=True).histories.interaction_count == 6


def test_no_record_holds_a_path_of_this_machine(folder):
    own = folder / "mine.csv"
    own.write_text(THREE_LINE)
    for source in (get("assist2015", folder, different=True), get(own)):
        assert str(folder) not in repr(source.files)


def test_without_a_folder_the_message_tells_what_where_and_why(monkeypatch):
    monkeypatch.delenv("PROBATUM_DATA", raising=False)
    with pytest.raises(
        UsageError, match=r"PROBATUM_DATA is set.*assist2009_updated_train\.csv.*forbid passing the data on"
    ):
        get("assist2009")


def test_a_missing_file_is_named_with_the_folders_that_were_searched(folder):
    (folder / "knowledge_tracing" / "assist2015_test.csv").unlink()
    with pytest.raises(
        UnknownNameError, match=r"assist2015_test\.csv found neither in .*knowledge_tracing nor in"
    ):
        get("assist2015", folder)


def test_an_unknown_dataset_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'assist2015'"):
        get("assist2014x5")


def test_a_pykt_folder_pools_training_and_test_files(tmp_path):
    header = "fold,uid,concepts,responses\n"
    (tmp_path / "train_valid_sequences.csv").write_text(header + '0,a,"4,4,5","1,0,1"\n')
    (tmp_path / "test_sequences.csv").write_text(header + '-1,b,"6,4,5","1,0,1"\n')
    source = get(tmp_path)
    assert source.histories.folds is not None
    assert source.histories.folds.tolist() == [0, -1]
    assert source.histories.concept_names == ("4", "5", "6")


def test_no_address_for_a_download_is_kept():
    assert "http" not in Path(sources.__file__).read_text()


@pytest.mark.realdata
@pytest.mark.parametrize(("dataset", "concepts"), [("assist2015", 100), ("assist2009", 110)])
def test_the_published_files_pass_their_checksums(dataset, concepts):
    folder = Path(os.environ.get("PROBATUM_DATA", "/nonexistent"))
    if not (folder / "knowledge_tracing").is_dir():
        pytest.skip("PROBATUM_DATA/knowledge_tracing is not here: ASSISTments may not be passed on")
    source = get(dataset, folder)
    assert all(record["is_published_version"] for record in source.files)
    assert source.histories.concept_count == concepts
