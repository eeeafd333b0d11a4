"""Where antibodies come from: simulated, a file of PROBATUM_DATA by name, or a path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from probatum._errors import UnknownNameError
from probatum._files import sha256_file
from probatum._names import unknown
from probatum.studies.abprop.antibody import Antibody, digest, distinct
from probatum.studies.abprop.data_parameters import AntibodyDataParameters
from probatum.studies.abprop.simulate import simulate
from probatum.studies.abprop.tables import FASTA_ENDINGS, TABLE_ENDINGS, read
from probatum.studies.folders import data_folder

SIMULATED = "simulated"
LICENCE = "CC BY 4.0, as far as its owners state"
COMPACT = {  # name: source, as it is to be cited
    "pooled_open": "variable domains of OAS, SAbDab, Thera-SAbDab and PLAbDab-nano",
    "covabdab_2021": "CoV-AbDab, 2021-08-05 (Raybould et al. 2021)",
    "sabdab_paratope": "SAbDab (Dunbar et al. 2014; Schneider et al. 2022)",
    "therasabdab_2020": "Thera-SAbDab, 2020 (Raybould et al. 2020)",
    "tnp_vh_vhh": "heavy chains and VHH of OAS, therapeutics and PLAbDab-nano (Gordon et al. 2025)",
}


def load_antibodies(parameters: AntibodyDataParameters) -> tuple[list[Antibody], dict[str, Any]]:
    """Return the distinct chains of a dataset and its provenance: source, licence, files.

    Raises:
        UnknownNameError: the dataset is no known name and no file.
        UsageError: a known file is asked for and `PROBATUM_DATA` does not hold it.
        RecordError: the file is malformed.
    """
    name = parameters.dataset
    if name == SIMULATED:
        return _simulated(parameters)
    if name in COMPACT:
        return _read(_compact_file(name), COMPACT[name], LICENCE)
    if not name.lower().removesuffix(".gz").endswith((*FASTA_ENDINGS, *TABLE_ENDINGS)):
        raise UnknownNameError(
            f"`dataset`: {unknown('dataset', name, (SIMULATED, *COMPACT))} A path must end in one of "
            f"{', '.join((*FASTA_ENDINGS, *TABLE_ENDINGS))} (or that and .gz)."
        )
    return _read(Path(name), f"a file of the user, {Path(name).name}", "not stated")


def _simulated(parameters: AntibodyDataParameters) -> tuple[list[Antibody], dict[str, Any]]:
    members = simulate(clones=parameters.simulated_clones, seed=parameters.simulation_seed)
    antibodies = distinct(members)
    source = f"{simulate.__module__}, seed {parameters.simulation_seed}"
    file = {
        "name": "simulated antibodies", "source": source, "sha256": digest(antibodies), "bytes": None,
        "rows": len(members),
    }  # fmt: skip
    return antibodies, {"source": source, "licence": "simulated: no person's data", "files": [file]}


def _compact_file(name: str) -> Path:
    file = f"{name}.csv.gz"
    folder = data_folder(
        name,
        ("antibody",),
        lambda folder: (folder / file).is_file(),
        f"Expected {file}, from {COMPACT[name]}.",
    )
    return folder / file


def _read(path: Path, source: str, licence: str) -> tuple[list[Antibody], dict[str, Any]]:
    antibodies = read(path)
    file = {
        "name": path.name, "source": source, "sha256": sha256_file(path), "bytes": path.stat().st_size,
        "rows": len(antibodies),
    }  # fmt: skip
    return distinct(antibodies), {"source": source, "licence": licence, "files": [file]}
