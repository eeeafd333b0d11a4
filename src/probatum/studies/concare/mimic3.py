"""The public MIMIC-III benchmark's in-hospital mortality task, as its scripts lay it out.

    <folder>/train/listfile.csv        stay,y_true
    <folder>/train/10_episode1_timeseries.csv   Hours and 17 channels, empty where nothing was measured
    <folder>/test/...                  the same
    <folder>/val_listfile.csv          optional: stays of train/ that validate (the benchmark's own division)
    <folder>/demographics.csv          optional: stay,Age,Gender (not part of the benchmark)

Source: Harutyunyan, Khachatrian, Kale, Ver Steeg and Galstyan 2019 (Scientific Data 6:96). The data need
credentials at physionet.org (`mimiciii/1.4`); none of it is shipped.

The 17 channels are read as numbers: the answers of the Glasgow coma scale, which two charting systems wrote in
two wordings, become their score. Lower is worse throughout.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from probatum._errors import RecordError
from probatum._files import sha256_file
from probatum._names import unknown
from probatum.runs.data_record import file_record
from probatum.studies.concare.observations import Cohort, Floats, grid, join
from probatum.studies.folders import data_folder

SUBFOLDERS = ("mimic3", "in-hospital-mortality")
OFFICIAL_PLACE = "physionet.org, mimiciii/1.4, through the public MIMIC-III benchmark"
LICENCE = "PhysioNet Credentialed Health Data License: not to be passed on"
CITATION = "Johnson et al. 2016, Scientific Data 3:160035; Harutyunyan et al. 2019, Scientific Data 6:96"
STATIC_NAMES = ("age", "gender")

EYE, MOTOR, VERBAL = (
    "Glascow coma scale eye opening",  # the benchmark's own spelling
    "Glascow coma scale motor response",
    "Glascow coma scale verbal response",
)
CHANNELS = (
    "Capillary refill rate", "Diastolic blood pressure", "Fraction inspired oxygen", EYE, MOTOR,
    "Glascow coma scale total", VERBAL, "Glucose", "Heart Rate", "Height", "Mean blood pressure",
    "Oxygen saturation", "Respiratory rate", "Systolic blood pressure", "Temperature", "Weight", "pH",
)  # fmt: skip
SCORES: dict[str, dict[str, float]] = {
    EYE: {
        "none": 1, "1 no response": 1, "to pain": 2, "2 to pain": 2, "to speech": 3, "3 to speech": 3,
        "spontaneously": 4, "4 spontaneously": 4,
    },
    MOTOR: {
        "no response": 1, "1 no response": 1, "abnormal extension": 2, "2 abnorm extensn": 2,
        "abnormal flexion": 3, "3 abnorm flexion": 3, "flex-withdraws": 4, "4 flex-withdraws": 4,
        "localizes pain": 5, "5 localizes pain": 5, "obeys commands": 6, "6 obeys commands": 6,
    },
    VERBAL: {  # an intubated patient cannot speak: scored 1, as the scale does
        "no response": 1, "1 no response": 1, "no response-ett": 1, "1.0 et/trach": 1,
        "incomprehensible sounds": 2, "2 incomp sounds": 2, "inappropriate words": 3, "3 inapprop words": 3,
        "confused": 4, "4 confused": 4, "oriented": 5, "5 oriented": 5,
    },
}  # fmt: skip


def load_mimic3(bins: int) -> tuple[Cohort, dict[str, Any]]:
    """Return the benchmark's cohort, its sets named `train`, `valid` (if divided) and `test`, and provenance.

    Raises:
        UsageError: the folder is not there.
        RecordError: a file has another form.
    """
    folder = data_folder(
        "mimic3",
        SUBFOLDERS,
        lambda place: all((place / part / "listfile.csv").is_file() for part in ("train", "test")),
        "Expected train/ and test/ of the benchmark's in-hospital mortality task, each with listfile.csv and one "
        f"CSV per stay. The data come from {OFFICIAL_PLACE}; {LICENCE}.",
    )
    return read_benchmark(folder, bins)


def read_benchmark(folder: Path, bins: int) -> tuple[Cohort, dict[str, Any]]:
    """Return the cohort in `folder` and its provenance."""
    demographics = _read_demographics(folder / "demographics.csv")
    cohort = join([read_part(folder / part, part, bins, demographics) for part in ("train", "test")])
    validation = folder / "val_listfile.csv"
    if validation.is_file():
        valid = {f"train/{stay}" for stay, _ in read_listfile(validation)}
        cohort.sets[np.isin(cohort.ids, sorted(valid))] = "valid"
    listfiles = [folder / part / "listfile.csv" for part in ("train", "test")]
    extra = [path for path in (validation, folder / "demographics.csv") if path.is_file()]
    files = [file_record(path, source=OFFICIAL_PLACE) for path in (*listfiles, *extra)]
    for record, part in zip(files, ("train", "test"), strict=False):
        record["name"] = f"{part}/{record['name']}"
    files += [_stays_record(folder / part, part) for part in ("train", "test")]
    return cohort, {"source": OFFICIAL_PLACE, "licence": LICENCE, "citation": CITATION, "files": files}


def read_part(folder: Path, name: str, bins: int, demographics: dict[str, tuple[float, float]]) -> Cohort:
    """Return the stays that the listfile of `folder` names, in its order."""
    stays = read_listfile(folder / "listfile.csv")
    values = np.full((len(stays), bins, len(CHANNELS)), np.nan, dtype=np.float32)
    for row, (stay, _) in enumerate(stays):
        values[row] = read_stay(folder / stay, bins)
    static = [demographics.get(stay, (np.nan, np.nan)) for stay, _ in stays]
    return Cohort(
        ids=tuple(f"{name}/{stay}" for stay, _ in stays),
        values=values,
        channels=CHANNELS,
        static=np.array(static, dtype=np.float32).reshape(-1, len(STATIC_NAMES)),
        static_names=STATIC_NAMES,
        targets=np.array([death for _, death in stays], dtype=np.float32),
        lengths=np.full(len(stays), bins, dtype=np.int64),  # the task holds stays of at least 48 hours
        sets=np.full(len(stays), name, dtype="U5"),
        truth=None,
    )


def read_listfile(path: Path) -> list[tuple[str, int]]:
    """Return file names of stays with their outcome; other columns (`period_length`) are ignored.

    Raises:
        RecordError: a column is missing, an outcome is neither 0 nor 1, or a name leaves the folder.
    """
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        if not {"stay", "y_true"} <= set(table.fieldnames or ()):
            raise RecordError(f"{path.name}: expected columns stay and y_true, got {table.fieldnames}.")
        stays = [(row["stay"], row["y_true"]) for row in table]
    for number, (stay, outcome) in enumerate(stays, 2):
        if outcome not in ("0", "1"):
            raise RecordError(f"{path.name}, line {number}: expected y_true 0 or 1, got {outcome!r}.")
        if not stay or Path(stay).name != stay:
            raise RecordError(f"{path.name}, line {number}: expected the name of a file, got {stay!r}.")
    return [(stay, int(outcome)) for stay, outcome in stays]


def read_stay(path: Path, bins: int) -> Floats:
    """Return one stay on the hourly grid, `(bins, channels)`.

    Raises:
        RecordError: the file is missing, has other columns, or holds a text without a score.
    """
    if not path.is_file():
        raise RecordError(f"{path.name}: named by the listfile of {path.parent.name}/, but not there.")
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        absent = {"Hours", *CHANNELS} - set(header)
        if absent:
            raise RecordError(f"{path.name}: columns {sorted(absent)} are missing, got {header}.")
        hours = header.index("Hours")
        places = [header.index(name) for name in CHANNELS]
        events = [
            (60 * float(line[hours]), column, score(CHANNELS[column], line[place], path.name))
            for line in lines
            for column, place in enumerate(places)
            if line[place].strip()
        ]
    minutes, columns, values = np.array(events, dtype=np.float64).reshape(-1, 3).T
    shape = (1, bins, len(CHANNELS))
    return grid(np.zeros(len(events), int), minutes, columns.astype(int), values, shape=shape)[0]


def score(channel: str, text: str, where: str) -> float:
    """Return the number that a field holds: a score of the coma scale for its wordings, else a number.

    Example:
        >>> score(EYE, "4 Spontaneously", "example"), score(MOTOR, "Obeys Commands", "example")
        (4, 6)
    """
    words = SCORES.get(channel, {})
    key = text.strip().lower()
    if key in words:
        return words[key]
    try:
        number = float(key)
    except ValueError:
        raise RecordError(
            f"{where}: {unknown(f'answer for {channel}', text, words or ['a number'])}"
        ) from None
    if not np.isfinite(number):
        raise RecordError(f"{where}: {channel}: expected a finite number, got {text!r}.")
    return number


def _read_demographics(path: Path) -> dict[str, tuple[float, float]]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["stay"]: (_number(row["Age"]), _number(row["Gender"])) for row in csv.DictReader(file)}


def _number(text: str) -> float:
    return float(text) if text.strip() else np.nan


def _stays_record(folder: Path, part: str) -> dict[str, Any]:
    """Return one record for the stays of a part: the SHA-256 of the lines `sha256  name`, in listfile order."""
    names = [stay for stay, _ in read_listfile(folder / "listfile.csv")]
    lines = "".join(f"{sha256_file(folder / name)}  {name}\n" for name in names)
    return {
        "name": f"{part}/*_timeseries.csv",
        "source": OFFICIAL_PLACE,
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "bytes": sum((folder / name).stat().st_size for name in names),
        "rows": len(names),
    }
