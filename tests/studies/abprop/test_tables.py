"""FASTA, OAS, AIRR, paired and plain tables."""

import gzip
import json

import pytest

from probatum._errors import RecordError, UnknownNameError
from probatum.studies.abprop.antibody import distinct
from probatum.studies.abprop.tables import gene, read


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file, gzipped where its name says so."""

    def write(name, text):
        content = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return tmp_path / name

    return write


def test_fasta_sequences_may_span_lines_and_hold_gaps(file):
    read_back = read(file("a.fasta", ">one\nEVQ-\nLVE\n>two text\nqvq*\n\n"))
    assert [antibody.sequence for antibody in read_back] == ["EVQLVE", "QVQ"]


def test_an_oas_unit_tells_of_all_its_rows_in_its_first_line(file):
    told = json.dumps({"Species": "human", "Chain": "Heavy"}).replace('"', '""')
    header = "sequence,locus,productive,v_call,j_call,sequence_alignment_aa,cdr3_aa"
    rows = "ACGT,H,T,IGHV3-23*01,IGHJ4*02,EVQLVE,ARDY\nACGT,H,F,IGHV3-23*01,IGHJ4*02,EVQLVF,ARDY"
    (only,) = read(file("unit.csv.gz", f'"{told}"\n{header}\n{rows}\n'))
    assert only[:6] == ("EVQLVE", "H", "human", "IGHV3-23", "IGHJ4", "ARDY")


def test_an_airr_table_is_tab_separated_and_its_gene_tells_kappa_from_lambda(file):
    header = "sequence\tsequence_aa\tlocus\tv_call\tj_call\tcdr3_aa"
    text = f"{header}\nACGT\tDIQMT\tIGK\tIGKV1-39*01,IGKV1D-39*01\t\tQQSY\n"
    (only,) = read(file("airr.tsv", text))
    assert only[:6] == ("DIQMT", "K", "", "IGKV1-39", "", "QQSY")


def test_both_chains_of_a_row_are_read(file):
    header = "Name,VH or VHH,VL,Heavy V Gene,Light V Gene,CDRH3,CDRL3"
    text = f"{header}\nx,EVQLE,DIQME,IGHV3-53 (Human),ND,AREG,SSF\ny,QVQLE,ND,,,,\n"
    found = [antibody[:6] for antibody in read(file("cov.csv", text))]
    assert found == [
        ("EVQLE", "H", "", "IGHV3-53", "", "AREG"),
        ("DIQME", "light", "", "", "", "SSF"),
        ("QVQLE", "H", "", "", "", ""),
    ]


def test_nucleotides_are_refused_with_the_line(file):
    with pytest.raises(RecordError, match=r"line 2: expected amino acids, got nucleotides"):
        read(file("a.csv", "sequence\nACGTACGT\n"))


def test_a_table_without_sequences_names_the_columns_that_it_may_have(file):
    with pytest.raises(RecordError, match="expected a column of sequences, one of sequence_alignment_aa"):
        read(file("a.csv", "id,seq\n1,EVQ\n"))


def test_an_empty_table_and_a_torn_archive_are_refused(file):
    with pytest.raises(RecordError, match="expected at least one sequence"):
        read(file("a.csv", "sequence\n"))
    torn = file("b.csv.gz", "sequence\nEVQ\n" * 50)
    torn.write_bytes(torn.read_bytes()[:-12])
    with pytest.raises(RecordError, match="expected UTF-8 text"):
        read(torn)


def test_an_unknown_ending_or_a_missing_file_is_refused(file, tmp_path):
    with pytest.raises(UnknownNameError, match="ends in one of"):
        read(file("a.parquet", "x"))
    with pytest.raises(UnknownNameError, match="found none"):
        read(tmp_path / "none.csv")


@pytest.mark.parametrize("call", ["", "na", "ND", "N/A"])
def test_an_absent_gene_is_empty(call):
    assert gene(call) == ""


def test_equal_chains_are_read_once(file):
    text = "sequence,chain,species\nEVQLE,H,human\nEVQLE,VHH,mouse\nEVQLE,K,human\n"
    assert [antibody[:3] for antibody in distinct(read(file("a.csv", text)))] == [
        ("EVQLE", "H", "human"), ("EVQLE", "K", "human"),
    ]  # fmt: skip
