"""The MIMIC-III benchmark's layout, on a small generated folder."""

import csv

import numpy as np
import pytest

from probatum._errors import RecordError, UsageError
from probatum.studies.concare.mimic3 import (
    CHANNELS,
    EYE,
    MOTOR,
    SCORES,
    VERBAL,
    load_mimic3,
    read_benchmark,
    score,
)


def write_stay(path, rows):
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, ["Hours", *CHANNELS], restval="")
        table.writeheader()
        table.writerows(rows)


@pytest.fixture
def folder(tmp_path):
    for part, outcomes in (("train", [0, 1, 0]), ("test", [1])):
        (tmp_path / part).mkdir()
        names = [f"{number}_episode1_timeseries.csv" for number in range(1, len(outcomes) + 1)]
        lines = [f"{name},{outcome}" for name, outcome in zip(names, outcomes, strict=True)]
        (tmp_path / part / "listfile.csv").write_text("\n".join(["stay,y_true", *lines]) + "\n")
        for name in names:
            write_stay(
                tmp_path / part / name,
                [
                    {"Hours": "0.4", "Heart Rate": "80", EYE: "4 Spontaneously", MOTOR: "Obeys Commands"},
                    {"Hours": "0.9", "Heart Rate": "90.5", VERBAL: "No Response-ETT"},
                    {"Hours": "47.99", "pH": "7.1", "Glascow coma scale total": "15"},
                    {"Hours": "48.5", "pH": "7.4"},
                ],
            )
    return tmp_path


def test_a_stay_lies_on_the_hourly_grid(folder):
    cohort, _ = read_benchmark(folder, 48)
    stay = {name: cohort.values[0, :, CHANNELS.index(name)] for name in CHANNELS}
    assert cohort.values.shape == (4, 48, 17)
    assert stay["Heart Rate"][0] == 90.5
    assert (stay[EYE][0], stay[MOTOR][0], stay[VERBAL][0]) == (4, 6, 1)
    assert stay["pH"][47] == pytest.approx(7.1)
    assert np.isfinite(cohort.values[0]).sum() == 6


def test_sets_and_outcomes_come_from_the_listfiles(folder):
    cohort, _ = read_benchmark(folder, 48)
    assert cohort.sets.tolist() == ["train"] * 3 + ["test"]
    assert cohort.targets.tolist() == [0, 1, 0, 1]


def test_the_benchmarks_validation_list_is_used(folder):
    (folder / "val_listfile.csv").write_text("stay,y_true\n2_episode1_timeseries.csv,1\n")
    assert read_benchmark(folder, 48)[0].sets.tolist() == ["train", "valid", "train", "test"]


def test_demographics_are_missing_unless_given(folder):
    assert np.isnan(read_benchmark(folder, 48)[0].static).all()
    (folder / "demographics.csv").write_text("stay,Age,Gender\n1_episode1_timeseries.csv,61,\n")
    age, gender = read_benchmark(folder, 48)[0].static[0]
    assert age == 61
    assert np.isnan(gender)


def test_the_record_names_files_and_terms_but_no_path(folder):
    record = read_benchmark(folder, 48)[1]
    assert [file["name"] for file in record["files"]] == [
        "train/listfile.csv", "test/listfile.csv", "train/*_timeseries.csv", "test/*_timeseries.csv",
    ]  # fmt: skip
    assert "not to be passed on" in record["licence"]
    assert str(folder) not in repr(record)


def test_the_folder_is_found_below_the_variable(folder, monkeypatch, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "mimic3").symlink_to(folder)
    monkeypatch.setenv("PROBATUM_DATA", str(root))
    assert load_mimic3(48)[0].count == 4


def test_without_files_the_message_tells_the_layout(monkeypatch, tmp_path):
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"Expected train/ and test/ .*listfile\.csv.*credential|Credential"):
        load_mimic3(48)


def test_both_wordings_of_the_coma_scale_give_one_score():
    for words in SCORES.values():
        numbered = {text: number for text, number in words.items() if text[0].isdigit()}
        assert {int(text[0]) for text in numbered} == set(words.values())
        assert all(int(text[0]) == number for text, number in numbered.items())


def test_an_unknown_answer_is_told_with_the_nearest():
    with pytest.raises(
        RecordError, match=r"x\.csv: unknown answer .*'Obeys Comands'. Did you mean 'obeys commands'"
    ):
        score(MOTOR, "Obeys Comands", "x.csv")


def test_a_missing_stay_is_named(folder):
    (folder / "train" / "2_episode1_timeseries.csv").unlink()
    with pytest.raises(RecordError, match=r"2_episode1_timeseries\.csv: named by the listfile of train/"):
        read_benchmark(folder, 48)


@pytest.mark.parametrize(
    ("line", "told"), [("../x.csv,1", "expected the name of a file"), ("1_x.csv,2", "y_true 0 or 1, got '2'")]
)
def test_a_wrong_listfile_is_told_with_its_line(folder, line, told):
    with (folder / "train" / "listfile.csv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(RecordError, match=rf"listfile\.csv, line 5: .*{told}"):
        read_benchmark(folder, 48)


def test_other_columns_are_refused(folder):
    (folder / "train" / "1_episode1_timeseries.csv").write_text("Hours,pH\n0,7\n")
    with pytest.raises(RecordError, match=r"columns .*'Heart Rate'.* are missing"):
        read_benchmark(folder, 48)
