"""Readers of antibody files: FASTA, and tables with one chain or one antibody a row (OAS, AIRR, TheraSAbDab, ...).

A table's columns are told from its header. OAS data units begin with a line of JSON about all their rows; AIRR
tables are tab-separated (Olsen et al. 2022; Vander Heiden et al. 2018). Files may be gzipped.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from probatum._errors import RecordError, UnknownNameError
from probatum.studies.abprop.antibody import Antibody

FASTA_ENDINGS = (".fasta", ".fa", ".faa")
TABLE_ENDINGS = (".csv", ".tsv", ".txt")
ABSENT = {"", "na", "nd", "n/a", "nan", "none", "?"}
CHAIN_NAMES = {
    "h": "H", "heavy": "H", "igh": "H", "vh": "H", "vhh": "H",
    "k": "K", "kappa": "K", "igk": "K", "l": "L", "lambda": "L", "igl": "L",
    "light": "light",
}  # fmt: skip
NUCLEOTIDES = set("ACGTUN")


class Columns(NamedTuple):
    """Where a table tells of one chain: for each field the names of its column, best first."""

    sequence: tuple[str, ...]
    chain: tuple[str, ...]
    v_gene: tuple[str, ...]
    j_gene: tuple[str, ...]
    cdr3: tuple[str, ...]
    fixed_chain: str  # where no column tells it


LAYOUTS = (
    Columns(("sequence_alignment_aa", "sequence_aa", "sequence"), ("chain", "locus", "kind"),
            ("v_call", "v_gene", "germline_v"), ("j_call", "j_gene", "germline_j"),
            ("cdr3_aa", "cdr3"), ""),
    Columns(("sequence_alignment_aa_heavy", "VH or VHH", "Heavy Sequence", "vh"), ("locus_heavy",),
            ("v_call_heavy", "Heavy V Gene"), ("j_call_heavy", "Heavy J Gene"),
            ("cdr3_aa_heavy", "CDRH3"), "H"),
    Columns(("sequence_alignment_aa_light", "VL", "Light Sequence"), ("locus_light", "VD LC"),
            ("v_call_light", "Light V Gene"), ("j_call_light", "Light J Gene"),
            ("cdr3_aa_light", "CDRL3"), "light"),
    Columns(("Heavy Sequence (if bispec)",), (), (), (), (), "H"),
    Columns(("Light Sequence (if bispec)",), (), (), (), (), "light"),
)  # fmt: skip
SPECIES = ("species", "organism")
PRODUCTIVE = ("productive",)


def read(path: Path) -> list[Antibody]:
    """Return the chains of a file, whose format is told from its name.

    Raises:
        UnknownNameError: there is no such file, or its ending names no format.
        RecordError: the file is no text, empty, or no column holds amino acids.
    """
    name = path.name.removesuffix(".gz").lower()
    if not path.is_file():
        raise UnknownNameError(f"{path}: expected a file with antibody sequences, found none.")
    if name.endswith(FASTA_ENDINGS):
        antibodies = list(_fasta(_text(path)))
    elif name.endswith(TABLE_ENDINGS):
        antibodies = list(_table(_text(path), path))
    else:
        known = ", ".join((*FASTA_ENDINGS, *TABLE_ENDINGS))
        raise UnknownNameError(f"{path}: expected a name that ends in one of {known} (or that and .gz).")
    if not antibodies:
        raise RecordError(f"{path}: expected at least one sequence of amino acids, found none.")
    return antibodies


def gene(call: str) -> str:
    """Return the gene of a call, without allele, alternatives and species.

    Example:
        >>> gene("IGHV3-53*01,IGHV3-66*02"), gene("IGHV3-53 (Human)"), gene("ND")
        ('IGHV3-53', 'IGHV3-53', '')
    """
    first = re.split(r"[*,\s]", call.strip(), maxsplit=1)[0]
    return "" if first.lower() in ABSENT else first


def residues(text: str) -> str:
    """Return the sequence in upper case without gaps and blanks; empty where the text says that there is none.

    Example:
        >>> residues("evq-l.v*"), residues("na")
        ('EVQLV', '')
    """
    return "" if text.strip().lower() in ABSENT else re.sub(r"[-.*\s]", "", text).upper()


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.name.endswith(".gz") else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: expected UTF-8 text, plain or gzipped; {error}.") from None


def _fasta(text: str) -> Iterator[Antibody]:
    for entry in re.split(r"^>", text, flags=re.MULTILINE)[1:]:
        sequence = residues("".join(entry.splitlines()[1:]))
        if sequence:
            yield Antibody(sequence, "", "", "", "", "", None, "")


def _table(text: str, path: Path) -> Iterator[Antibody]:
    unit, body = _unit(text)
    header = body.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(body), delimiter="\t" if "\t" in header else ",")
    columns = {name.strip().lower(): place for place, name in reversed(list(enumerate(next(rows, []))))}
    layouts = [layout for layout in LAYOUTS if _place(columns, layout.sequence) is not None]
    if not layouts:
        expected = ", ".join(name for layout in LAYOUTS[:3] for name in layout.sequence)
        raise RecordError(f"{path}: expected a column of sequences, one of {expected}; got {header[:200]!r}.")
    try:
        for row in rows:
            told = {name: row[place] for name, place in columns.items() if place < len(row)}
            if _value(told, PRODUCTIVE).lower() in ("f", "false"):
                continue
            yield from _chains({**unit, **told}, layouts, f"{path}, line {rows.line_num}")
    except csv.Error as error:
        raise RecordError(f"{path}, line {rows.line_num}: {error}.") from None


def _unit(text: str) -> tuple[dict[str, str], str]:
    """Return what the JSON line of an OAS data unit says of all rows, and the rest."""
    first, _, rest = text.partition("\n")
    if not first.lstrip('"').startswith("{"):
        return {}, text
    try:
        told = json.loads(next(csv.reader([first]))[0] if first.startswith('"') else first)
    except (json.JSONDecodeError, csv.Error, IndexError):
        return {}, rest
    return {str(name).lower(): str(value) for name, value in told.items()}, rest


def _chains(told: Mapping[str, str], layouts: Sequence[Columns], where: str) -> Iterator[Antibody]:
    for layout in layouts:
        sequence = residues(_value(told, layout.sequence))
        if not sequence:
            continue
        if set(sequence) <= NUCLEOTIDES:
            raise RecordError(
                f"{where}: expected amino acids, got nucleotides. AIRR tables keep amino acids in "
                "sequence_alignment_aa or sequence_aa; fill one of them."
            )
        v_gene = gene(_value(told, layout.v_gene))
        chain = CHAIN_NAMES.get(_value(told, layout.chain).strip().lower(), layout.fixed_chain)
        yield Antibody(
            sequence,
            _sharper(chain, v_gene),
            _value(told, SPECIES).strip().lower(),
            v_gene,
            gene(_value(told, layout.j_gene)),
            residues(_value(told, layout.cdr3)),
            None,
            "",
        )


def _sharper(chain: str, v_gene: str) -> str:
    """Return kappa or lambda where the gene tells which."""
    by_gene = {"IGH": "H", "IGK": "K", "IGL": "L"}.get(v_gene[:3].upper(), "")
    return by_gene or chain


def _place(columns: Mapping[str, int], names: Sequence[str]) -> int | None:
    return next((columns[name.lower()] for name in names if name.lower() in columns), None)


def _value(told: Mapping[str, str], names: Sequence[str]) -> str:
    return next((told[name.lower()] for name in names if told.get(name.lower())), "")
