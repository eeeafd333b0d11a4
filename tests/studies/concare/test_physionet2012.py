"""PhysioNet 2012: both layouts give one cohort; what is missing, impossible or misplaced is told."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from probatum._errors import RecordError, UsageError
from probatum.studies.concare.physionet2012 import SERIES, STATIC_NAMES, load_physionet2012, parse_rows

STAYS = {  # record: (death, rows)
    132601: (1, ["00:00,Age,70", "00:00,Gender,1", "00:00,Height,-1", "00:00,ICUType,4", "00:00,Weight,80",
                 "00:10,HR,70", "00:50,HR,75", "01:00,pH,735", "02:00,Weight,81", "02:00,Temp,-17.8"]),
    132539: (0, ["00:00,Age,54", "00:00,Gender,0", "00:00,Height,180", "00:00,ICUType,1", "00:00,Weight,-1",
                 "00:07,HR,73", "47:59,HR,60", "48:00,HR,61"]),
    140501: (0, ["00:00,Age,40", "00:00,Gender,-1", "00:00,Height,-1", "00:00,ICUType,2", "00:00,Weight,-1"]),
}  # fmt: skip


def write_outcomes(path):
    lines = [f"{record},6,1,5,-1,{death}" for record, (death, _) in STAYS.items()]
    path.write_text(
        "\n".join(["RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death", *lines]) + "\n"
    )


@pytest.fixture
def official(tmp_path):
    folder = tmp_path / "official" / "physionet2012"
    (folder / "set-a").mkdir(parents=True)
    for record, (_, rows) in STAYS.items():
        text = "\n".join(["Time,Parameter,Value", f"00:00,RecordID,{record}", *rows, "00:00,,-1"]) + "\n"
        (folder / "set-a" / f"{record}.txt").write_text(text)
    write_outcomes(folder / "Outcomes-a.txt")
    return folder.parent


@pytest.fixture
def compact(tmp_path):
    folder = tmp_path / "compact" / "physionet2012"
    folder.mkdir(parents=True)
    rows = [f"{record},{row}" for record in sorted(STAYS) for row in STAYS[record][1]]
    with gzip.open(folder / "set-a.csv.gz", "wt") as file:
        file.write("\n".join(["RecordID,Time,Parameter,Value", *rows]) + "\n")
    write_outcomes(folder / "Outcomes-a.csv")
    return folder.parent


@pytest.fixture
def read(monkeypatch, tmp_path):
    monkeypatch.setenv("PROBATUM_CACHE", str(tmp_path / "cache"))

    def load(folder, sets=("a",)):
        monkeypatch.setenv("PROBATUM_DATA", str(folder))
        return load_physionet2012(sets, 48)

    return load


def cell(cohort, record, hour, channel):
    return cohort.values[cohort.ids.index(record), hour, SERIES.index(channel)]


def test_both_layouts_give_the_same_cohort(read, official, compact):
    assert read(official)[0].digest() == read(compact)[0].digest()


def test_the_copy_gives_the_same_cohort_as_the_files(read, compact):
    first = read(compact)[0].digest()
    (copy,) = (compact.parent / "cache").glob("*.npz")
    before = copy.stat().st_mtime_ns
    assert read(compact)[0].digest() == first
    assert copy.stat().st_mtime_ns == before


def test_a_changed_file_is_read_again(read, compact):
    before = read(compact)[0].digest()
    with gzip.open(compact / "physionet2012" / "set-a.csv.gz", "at") as file:
        file.write("140501,05:00,HR,99\n")
    after = read(compact)[0]
    assert after.digest() != before
    assert cell(after, "140501", 5, "HR") == 99


def test_the_last_value_of_an_hour_wins_and_hour_48_is_outside(read, compact):
    cohort = read(compact)[0]
    assert cell(cohort, "132601", 0, "HR") == 75
    assert cell(cohort, "132539", 47, "HR") == 60


def test_impossible_values_are_repaired_or_dropped_and_counted(read, compact):
    cohort, record = read(compact)
    assert cell(cohort, "132601", 1, "pH") == pytest.approx(7.35)
    assert np.isnan(cell(cohort, "132601", 2, "Temp"))
    assert record["cleaning"]["a"] == {
        "pH": {"repaired": 1, "dropped": 0}, "Temp": {"repaired": 0, "dropped": 1},
    }  # fmt: skip


def test_static_columns_hold_nan_where_the_file_says_minus_one(read, compact):
    cohort = read(compact)[0]
    static = dict(zip(STATIC_NAMES, cohort.static[cohort.ids.index("132601")].tolist(), strict=True))
    assert np.isnan(static.pop("height"))
    assert static == {
        "age": 70, "gender": 1, "icu_coronary": 0, "icu_cardiac_surgery": 0, "icu_medical": 0, "icu_surgical": 1,
        "admission_weight": 80,
    }  # fmt: skip


def test_the_admission_weight_is_not_in_the_series(read, compact):
    cohort = read(compact)[0]
    assert np.isnan(cell(cohort, "132601", 0, "Weight"))
    assert cell(cohort, "132601", 2, "Weight") == 81


def test_a_stay_with_descriptors_alone_is_kept(read, compact):
    cohort = read(compact)[0]
    assert np.isnan(cohort.values[cohort.ids.index("140501")]).all()


def test_outcomes_stay_with_their_patients(read, official):
    cohort = read(official)[0]
    assert dict(zip(cohort.ids, cohort.targets, strict=True)) == {"132539": 0, "132601": 1, "140501": 0}


def test_files_licence_and_place_are_recorded_without_a_path(read, official):
    record = read(official)[1]
    assert "ODC-By 1.0" in record["licence"]
    assert "physionet.org" in record["source"]
    assert [(file["name"], file["rows"]) for file in record["files"]] == [
        ("set-a/*.txt", 23),
        ("Outcomes-a.txt", 3),
    ]
    assert all(len(file["sha256"]) == 64 for file in record["files"])
    assert str(official) not in repr(record)


def test_a_missing_set_is_told_with_what_is_expected(read, compact):
    with pytest.raises(UsageError, match=r"Expected set-b and Outcomes-b .* of physionet\.org"):
        read(compact, ("b",))


def test_an_unknown_parameter_is_answered_with_the_nearest():
    with pytest.raises(RecordError, match=r"unknown parameter 'Lactat'\. Did you mean 'Lactate'"):
        parse_rows([["1", "00:00", "Lactat", "1"]], "set-a")


@pytest.mark.parametrize("row", [["1", "00:00", "HR"], ["1", "0", "HR", "1"], ["1", "00:00", "HR", "x"]])
def test_a_torn_row_is_told(row):
    with pytest.raises(RecordError, match="set-a: expected"):
        parse_rows([row], "set-a")


def test_rows_without_an_outcome_are_refused(read, compact):
    path = compact / "physionet2012" / "Outcomes-a.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:3]) + "\n")
    with pytest.raises(RecordError, match="none for 1 of them, first 140501"):
        read(compact)


def test_an_outcome_that_is_neither_0_nor_1_is_told_with_its_line(read, compact):
    path = compact / "physionet2012" / "Outcomes-a.csv"
    path.write_text(path.read_text().replace("132539,6,1,5,-1,0", "132539,6,1,5,-1,"))
    with pytest.raises(
        RecordError, match=r"Outcomes-a\.csv, line 3: expected In-hospital_death 0 or 1, got ''"
    ):
        read(compact)


@pytest.fixture
def real(monkeypatch, tmp_path):
    folder = Path(os.environ.get("PROBATUM_DATA", "/nonexistent"))
    if not (folder / "physionet2012").is_dir():
        pytest.skip(
            "PROBATUM_DATA/physionet2012 is not here: get it from physionet.org, challenge-2012/1.0.0"
        )
    monkeypatch.setenv("PROBATUM_CACHE", str(tmp_path))


@pytest.mark.realdata
@pytest.mark.timeout(120)
def test_the_real_sets_have_their_published_sizes_and_deaths(real):
    cohort, record = load_physionet2012(("a", "b"), 48)
    assert cohort.values.shape == (8000, 48, 37)
    assert [cohort.targets[cohort.sets == name].sum() for name in "ab"] == [554, 568]
    assert [file["rows"] for file in record["files"]] == [1753980, 4000, 1758535, 4000]
    assert 0.19 < cohort.observed_share < 0.21
