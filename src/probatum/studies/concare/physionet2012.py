"""PhysioNet/Computing in Cardiology Challenge 2012: ICU stays of at least 48 hours, and who died in hospital.

Official place: physionet.org, `challenge-2012/1.0.0`, under the Open Data Commons Attribution License 1.0.
Source: Silva, Moody, Scott, Celi and Mark 2012 (Computing in Cardiology 39); Goldberger et al. 2000.

Two layouts are read: the official folders (`set-a/132539.txt`, `Outcomes-a.txt`) and a compact long table
(`set-a.csv.gz` or `set-a.csv` with `RecordID,Time,Parameter,Value`, `Outcomes-a.csv`). Both give the same
cohort, bit for bit. In the files -1 is missing.

Descriptors are the first Age, Gender, Height, ICUType and Weight at 00:00. The admission weight is a static
column only: it does not enter the Weight series too, so that what a perturbation drops there is gone.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probatum._errors import RecordError
from probatum._files import sha256_file
from probatum._names import unknown
from probatum.runs.data_record import file_record
from probatum.studies.concare.cleaning import clean
from probatum.studies.concare.observations import Cohort, grid, join
from probatum.studies.folders import cached, data_folder

SUBFOLDER = "physionet2012"
OFFICIAL_PLACE = "physionet.org, challenge-2012/1.0.0"
LICENCE = "Open Data Commons Attribution License v1.0 (ODC-By 1.0)"
CITATION = "Silva et al. 2012, Computing in Cardiology 39; Goldberger et al. 2000, Circulation 101(23)"
READER_VERSION = 1  # of the parsed copy; raise it when `parse_rows` changes
MISSING = -1.0
DEATH_COLUMN = "In-hospital_death"

SERIES = (
    "ALP", "ALT", "AST", "Albumin", "BUN", "Bilirubin", "Cholesterol", "Creatinine", "DiasABP", "FiO2",
    "GCS", "Glucose", "HCO3", "HCT", "HR", "K", "Lactate", "MAP", "MechVent", "Mg", "NIDiasABP", "NIMAP",
    "NISysABP", "Na", "PaCO2", "PaO2", "Platelets", "RespRate", "SaO2", "SysABP", "Temp", "TroponinI",
    "TroponinT", "Urine", "WBC", "Weight", "pH",
)  # fmt: skip
DESCRIPTORS = ("Age", "Gender", "Height", "ICUType")
PARAMETERS = (*SERIES, *DESCRIPTORS)
ICU_TYPES = ("coronary", "cardiac_surgery", "medical", "surgical")  # ICUType 1 to 4
STATIC_NAMES = ("age", "gender", "height", *(f"icu_{kind}" for kind in ICU_TYPES), "admission_weight")
IGNORED = frozenset({"", "RecordID"})  # the official files state their id in a row, and hold a few empty rows


class Rows(NamedTuple):
    """The rows of one set as they stand in the files."""

    record: NDArray[np.integer[Any]]  # (rows,)
    minute: NDArray[np.integer[Any]]  # (rows,)
    parameter: NDArray[np.integer[Any]]  # (rows,) index into PARAMETERS
    value: NDArray[np.floating[Any]]  # (rows,) NaN where the file says -1


def load_physionet2012(sets: Sequence[str], bins: int) -> tuple[Cohort, dict[str, Any]]:
    """Return the cohort of the named sets and its provenance: files with checksums, licence, cleaning.

    Args:
        sets: of "a", "b", "c"; files are looked for in `PROBATUM_DATA/physionet2012`.
        bins: hours from admission that are read.

    Raises:
        UsageError: the files are not there; the message says what is expected and from where.
        RecordError: a file is not in one of the two layouts.
    """
    wanted = "; ".join(f"set-{name} and Outcomes-{name}" for name in sets)
    folder = data_folder(
        "physionet2012",
        (SUBFOLDER,),
        lambda place: all(_series_path(place, name) and _outcomes_path(place, name) for name in sets),
        f"Expected {wanted} (folders of .txt files, or .csv.gz) of {OFFICIAL_PLACE}, {LICENCE}.",
    )
    parts = [read_set(folder, name, bins) for name in sets]
    cohort = join([part[0] for part in parts])
    record = {
        "source": OFFICIAL_PLACE,
        "licence": LICENCE,
        "citation": CITATION,
        "files": [file for part in parts for file in part[1]],
        "cleaning": {name: part[2] for name, part in zip(sets, parts, strict=True)},
    }
    return cohort, record


def read_set(
    folder: Path, name: str, bins: int
) -> tuple[Cohort, list[dict[str, Any]], Mapping[str, dict[str, int]]]:
    """Return one set, the records of its files, and how many values were repaired or dropped by parameter."""
    series, outcomes = _series_path(folder, name), _outcomes_path(folder, name)
    if series is None or outcomes is None:
        raise RecordError(f"expected set-{name} and Outcomes-{name} in {folder}, found not both.")
    ids, deaths = read_outcomes(outcomes)
    source_record = _folder_record(series) if series.is_dir() else file_record(series, source=OFFICIAL_PLACE)
    key = f"physionet2012-v{READER_VERSION}-{source_record['sha256']}"
    rows = Rows(**cached(key, lambda: read_rows(series)._asdict()))
    source_record["rows"] = len(rows.record)
    outcome_record = file_record(outcomes, source=OFFICIAL_PLACE, rows=len(ids))
    value, counts = clean(PARAMETERS, rows.parameter, rows.value)
    cohort = assemble(rows._replace(value=value), ids, deaths, bins=bins, name=name)
    return cohort, [source_record, outcome_record], counts


def assemble(rows: Rows, ids: NDArray[Any], deaths: NDArray[Any], *, bins: int, name: str) -> Cohort:
    """Return the cohort of cleaned rows; a stay without any row is kept, with nothing observed.

    Raises:
        RecordError: rows belong to a stay without an outcome.
    """
    order = np.argsort(ids)
    ids, deaths = ids[order], deaths[order]
    patient = np.searchsorted(ids, rows.record)
    if len(rows.record) and (ids[np.minimum(patient, len(ids) - 1)] != rows.record).any():
        stray = sorted(set(rows.record.tolist()) - set(ids.tolist()))
        raise RecordError(
            f"set {name}: expected an outcome for every stay, found none for {len(stray)} of them, "
            f"first {stray[0]}. Do the outcomes belong to this set?"
        )
    first = first_at_admission(patient, rows.minute, rows.parameter)
    described = {parameter: np.full(len(ids), np.nan) for parameter in (*DESCRIPTORS, "Weight")}
    for parameter, column in described.items():
        mine = first[rows.parameter[first] == PARAMETERS.index(parameter)]
        column[patient[mine]] = rows.value[mine]
    serial = rows.parameter < len(SERIES)
    serial[first[rows.parameter[first] == PARAMETERS.index("Weight")]] = False
    return Cohort(
        ids=tuple(map(str, ids.tolist())),
        values=grid(
            patient[serial], rows.minute[serial], rows.parameter[serial], rows.value[serial],
            shape=(len(ids), bins, len(SERIES)),
        ),
        channels=SERIES,
        static=static_columns(described),
        static_names=STATIC_NAMES,
        targets=deaths.astype(np.float32),
        lengths=np.full(len(ids), bins, dtype=np.int64),  # shorter stays were excluded by the challenge
        sets=np.full(len(ids), name),
        truth=None,
    )  # fmt: skip


def first_at_admission(patient: NDArray[Any], minute: NDArray[Any], parameter: NDArray[Any]) -> NDArray[Any]:
    """Return the rows that are the first of their patient and parameter at 00:00."""
    at_admission = np.flatnonzero(minute == 0)
    keys = patient[at_admission].astype(np.int64) * len(PARAMETERS) + parameter[at_admission]
    return at_admission[np.unique(keys, return_index=True)[1]]


def static_columns(described: Mapping[str, NDArray[np.floating[Any]]]) -> NDArray[np.float32]:
    """Return the static columns `(patients, 8)`, NaN where missing; the unit's type as four indicators."""
    kind = described["ICUType"][:, None]
    indicators = np.where(np.isnan(kind), np.nan, kind == np.arange(1, len(ICU_TYPES) + 1))
    columns = [described[name][:, None] for name in ("Age", "Gender", "Height")]
    return np.concatenate([*columns, indicators, described["Weight"][:, None]], axis=1).astype(np.float32)


def read_outcomes(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return record ids and in-hospital deaths (0 or 1) of an outcomes file.

    Raises:
        RecordError: a column is missing or a row holds no outcome.
    """
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        absent = {"RecordID", DEATH_COLUMN} - set(table.fieldnames or ())
        if absent:
            raise RecordError(f"{path.name}: expected columns {sorted(absent)}, got {table.fieldnames}.")
        pairs = [(row["RecordID"], row[DEATH_COLUMN]) for row in table]
    bad = next((number for number, (_, death) in enumerate(pairs, 2) if death not in ("0", "1")), None)
    if bad:
        raise RecordError(
            f"{path.name}, line {bad}: expected {DEATH_COLUMN} 0 or 1, got {pairs[bad - 2][1]!r}."
        )
    ids, deaths = zip(*pairs, strict=True)
    return np.array(ids, dtype=np.int64), np.array(deaths, dtype=np.int64)


def read_rows(path: Path) -> Rows:
    """Return the rows of a set in either layout, in the order of record ids, each in the order of its file."""
    if path.is_dir():
        return parse_rows(_official_rows(path), path.name)
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        lines = csv.reader(file)
        header = next(lines, None)
        if header != ["RecordID", "Time", "Parameter", "Value"]:
            raise RecordError(
                f"{path.name}: expected the header RecordID,Time,Parameter,Value, got {header}."
            )
        return parse_rows(lines, path.name)


def parse_rows(lines: Iterable[Sequence[str]], where: str) -> Rows:
    """Return lines of record id, hh:mm, parameter, value as arrays; texts that recur are converted once.

    Raises:
        RecordError: a line has another form, or names an unknown parameter.

    Example:
        >>> rows = parse_rows([["7", "00:30", "HR", "80"], ["7", "01:00", "pH", "-1"]], "example")
        >>> rows.minute.tolist(), rows.value.tolist()
        ([30, 60], [80.0, nan])
    """
    fields = list(chain.from_iterable(lines))  # flat: a list per row would occupy the garbage collector
    if len(fields) % 4 or not fields:
        raise RecordError(f"{where}: expected at least one row, and four fields in each.")
    record, time, parameter, value = (fields[column::4] for column in range(4))
    codes = {name: code for code, name in enumerate(PARAMETERS)} | dict.fromkeys(IGNORED, -1)
    try:
        minutes = {text: _minutes(text) for text in set(time)}
        numbers = {text: float(text) for text in set(value)}
        rows = Rows(
            np.fromiter(map(int, record), np.int64, len(record)),
            np.fromiter((minutes[text] for text in time), np.int32, len(time)),
            np.fromiter((codes[name] for name in parameter), np.int8, len(parameter)),
            np.fromiter((numbers[text] for text in value), np.float32, len(value)),
        )
    except KeyError as error:
        raise RecordError(f"{where}: {unknown('parameter', str(error.args[0]), PARAMETERS)}") from None
    except ValueError as error:
        raise RecordError(f"{where}: expected ids, hh:mm and numbers ({error}).") from None
    rows.value[rows.value == MISSING] = np.nan
    kept = np.flatnonzero(rows.parameter >= 0)
    return Rows(rows.record[kept], rows.minute[kept], rows.parameter[kept], rows.value[kept])


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def _official_rows(folder: Path) -> Iterable[Sequence[str]]:
    for path in sorted(folder.glob("*.txt")):
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file)
            header = next(lines, None)
            if header != ["Time", "Parameter", "Value"]:
                raise RecordError(f"{path.name}: expected the header Time,Parameter,Value, got {header}.")
            for line in lines:
                yield (path.stem, *line)


def _folder_record(folder: Path) -> dict[str, Any]:
    """Return one record for a folder: the SHA-256 of its sorted lines `sha256  name`."""
    files = sorted(folder.glob("*.txt"))
    lines = "".join(f"{sha256_file(path)}  {path.name}\n" for path in files)
    return {
        "name": f"{folder.name}/*.txt",
        "source": OFFICIAL_PLACE,
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "bytes": sum(path.stat().st_size for path in files),
        "rows": None,
    }


def _series_path(folder: Path, name: str) -> Path | None:
    candidates = [folder / f"set-{name}{ending}" for ending in ("", ".csv.gz", ".csv")]
    return next((path for path in candidates if path.exists()), None)


def _outcomes_path(folder: Path, name: str) -> Path | None:
    candidates = [folder / f"Outcomes-{name}{ending}" for ending in (".txt", ".csv")]
    return next((path for path in candidates if path.exists()), None)
