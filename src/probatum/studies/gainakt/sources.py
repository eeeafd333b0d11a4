"""Where a study's interactions come from: simulated learners, ASSISTments, or a file of one's own.

ASSISTments 2015 and 2009 (updated) have no download here. Their owners' terms ask users not to pass the
data on, and there is no stable official direct link, so a pooch address would either break the terms or
break. Who has obtained the files puts them in a folder named by `PROBATUM_DATA` (or by `data_folder`),
in it or in its subfolder `knowledge_tracing`; their SHA-256 sums are checked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum._files import sha256_file
from probatum._names import unknown
from probatum.studies.gainakt.formats import read
from probatum.studies.gainakt.histories import Histories, pool
from probatum.studies.gainakt.simulate import CLASSROOM, simulate

FOLDER_VARIABLE = "PROBATUM_DATA"
SUBFOLDER = "knowledge_tracing"
SIMULATED = "simulated"
OWNER_TERMS = "ASSISTments data (Feng, Heffernan and Koedinger 2009): research use, not to be passed on"
# Names of the files and SHA-256 sums of their bytes: the copies in three-line format that DKVMN used.
PUBLISHED: dict[str, dict[str, str]] = {
    "assist2015": {
        "assist2015_train.csv": "281f952fcbcc0572b40b43baea9844d66ebf63424671d09bd91a01ff4a55ae18",
        "assist2015_test.csv": "c7d706f31c950a0cf9a84b5173b2e0058c45be3da96b4e8ba1c7847e91cee895",
    },
    "assist2009": {
        "assist2009_updated_train.csv": "5b851c65f665474a0993d86e87901adb1e0916c0d80fe7fce4096e6641924c74",
        "assist2009_updated_test.csv": "2e8f1d7600543aededa31323343f7d762b8f51c53c0caca852e813b67fe4e823",
    },
}
PYKT_FILES = ("train_valid_sequences.csv", "test_sequences.csv")


@dataclass(frozen=True)
class Simulation:
    """The size and the seed of a simulated population: parameters of the study."""

    students: int
    concepts: int
    seed: int


@dataclass(frozen=True, eq=False)
class Source:
    """What was loaded, and from where."""

    dataset: str
    histories: Histories
    files: tuple[dict[str, Any], ...]  # one provenance record per input, for data.json


def load(
    dataset: str, *, data_folder: Path | None, simulation: Simulation, accept_different_data: bool
) -> Source:
    """Return the interactions of `dataset` with the provenance of every input.

    Args:
        dataset: `simulated`, `assist2015`, `assist2009`, the path of a file, or the path of a folder with
            pyKT's train_valid_sequences.csv and test_sequences.csv.
        data_folder: where the owner's files lie; None looks at the variable `PROBATUM_DATA`.
        simulation: used by `simulated` only.
        accept_different_data: whether ASSISTments files with another checksum are read all the same. They
            are then recorded as "(different)": a silent substitute would spoil every later comparison.

    Raises:
        UnknownNameError: no such dataset or file.
        UsageError: the owner's files are needed and no folder is named.
        RecordError: a checksum or a format is not what was expected.

    Example:
        >>> size = Simulation(students=30, concepts=4, seed=1)
        >>> source = load("simulated", data_folder=None, simulation=size, accept_different_data=False)
        >>> source.histories.student_count, source.files[0]["students"], source.files[0]["concepts"]
        (30, 30, 4)
    """
    if dataset == SIMULATED:
        return simulated(simulation)
    if dataset in PUBLISHED:
        return published(dataset, data_folder, accept_different_data=accept_different_data)
    path = Path(dataset)
    if path.is_dir():
        return from_files(path.name, [path / name for name in PYKT_FILES])
    if path.is_file():
        return from_files(path.stem, [path])
    valid = [SIMULATED, *PUBLISHED]
    raise UnknownNameError(
        f"{unknown('dataset', dataset, valid)} A path to a file or folder may be given too."
    )


def simulated(simulation: Simulation) -> Source:
    """Return simulated learners of the population `CLASSROOM`."""
    histories = simulate(
        students=simulation.students, concepts=simulation.concepts, seed=simulation.seed, model=CLASSROOM
    )
    record = provenance(
        "simulated learners", f"{simulate.__module__}, seed {simulation.seed}", histories,
        sha256=histories.digest(), size_bytes=None, licence="simulated: no person's data",
    )  # fmt: skip
    return Source(SIMULATED, histories, (record,))


def published(dataset: str, data_folder: Path | None, *, accept_different_data: bool) -> Source:
    """Return an ASSISTments dataset from the folder where its user keeps it."""
    folder = find_folder(dataset, data_folder)
    parts, records = [], []
    for name, expected in PUBLISHED[dataset].items():
        path = folder / name
        came = sha256_file(path)
        if came != expected and not accept_different_data:
            raise RecordError(
                f"{name}: expected the published bytes, SHA-256 {expected}, got {came}. Get the file again, "
                "or set `accept_different_data` to true: the run is then recorded as using different data."
            )
        parts.append(read(path))
        shown = name if came == expected else f"{name} (different)"
        source = FOLDER_VARIABLE + (f"/{SUBFOLDER}" if folder.name == SUBFOLDER else "")
        records.append(
            provenance(shown, source, parts[-1], came, path.stat().st_size, OWNER_TERMS)
            | {"expected_sha256": expected, "is_published_version": came == expected}
        )
    return Source(dataset, pool(parts), tuple(records))


def find_folder(dataset: str, data_folder: Path | None) -> Path:
    """Return the folder that holds every file of `dataset`.

    Raises:
        UsageError: no folder is named.
        UnknownNameError: the files are not there; the message says which, where, and how to obtain them.
    """
    names = list(PUBLISHED[dataset])
    how = (
        f"Expected {' and '.join(names)} in three-line format. The owner's terms forbid passing the data "
        "on, so Probatum neither ships nor downloads it: ask its owner, ASSISTments, or extract the copy "
        "that DKVMN's authors use (public repository jennyzhang0215/DKVMN, folder data). Put the files into "
        f"<folder>/{SUBFOLDER} and set {FOLDER_VARIABLE}=<folder>. `--dataset simulated` needs no file."
    )
    given = data_folder or os.environ.get(FOLDER_VARIABLE)
    if not given:
        raise UsageError(
            f"dataset {dataset!r} needs files, and neither `data_folder` nor {FOLDER_VARIABLE} is set. {how}"
        )
    candidates = [Path(given) / SUBFOLDER, Path(given)]
    for folder in candidates:
        if all((folder / name).is_file() for name in names):
            return folder
    absent = [name for name in names if not any((folder / name).is_file() for folder in candidates)]
    raise UnknownNameError(
        f"dataset {dataset!r}: {', '.join(absent) or 'a part of it'} found neither in {candidates[0]} nor in "
        f"{candidates[1]}. {how}"
    )


def from_files(dataset: str, paths: list[Path]) -> Source:
    """Return the pooled interactions of one's own files."""
    parts = [read(path) for path in paths]
    records = [
        provenance(
            path.name, "given by path", part, sha256_file(path), path.stat().st_size, "as its owner says"
        )
        for path, part in zip(paths, parts, strict=True)
    ]
    return Source(dataset, pool(parts), tuple(records))


def provenance(
    name: str, source: str, histories: Histories, sha256: str, size_bytes: int | None, licence: str
) -> dict[str, Any]:
    """Return the record of one input: what it is called, where it came from, its hash and its size."""
    return {
        "name": name,
        "source": source,
        "sha256": sha256,
        "bytes": size_bytes,
        "students": histories.student_count,
        "interactions": histories.interaction_count,
        "concepts": histories.concept_count,
        "licence": licence,
    }
