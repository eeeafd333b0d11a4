"""Motifs and cysteines, against scans written another way."""

from hypothesis import given
from hypothesis import strategies as st

from probatum.studies.abprop.labels import rule_rates
from probatum.studies.abprop.liabilities import motif_starts, outside_pair, unpaired_by_distance


@given(st.text("NPSTGDMCA", max_size=40))
def test_overlapping_motifs_all_count(text):
    triples = [text[i : i + 3] for i in range(len(text) - 2)]
    pairs = [text[i : i + 2] for i in range(len(text) - 1)]
    found = {key: len(starts) for key, starts in motif_starts(text).items()}
    assert found == {
        "nglyc": sum(t[0] == "N" and t[1] != "P" and t[2] in "ST" for t in triples),
        "deamidation": pairs.count("NG"),
        "isomerization": pairs.count("DG"),
        "oxidation": text.count("M"),
    }


def test_the_old_rule_calls_the_conserved_pair_free(trastuzumab):
    assert unpaired_by_distance(trastuzumab) == [21, 95]
    assert outside_pair(trastuzumab, (21, 95)) == []


def test_neighbours_and_far_cysteines_do_not_pair_under_the_old_rule():
    assert unpaired_by_distance("CC") == [0, 1]
    assert unpaired_by_distance("C" + "A" * 19 + "C") == []
    assert unpaired_by_distance("C" + "A" * 20 + "C") == [0, 21]


def test_a_cysteine_without_its_conserved_partner_is_free():
    assert outside_pair("CAAAS", (0, 4)) == [0]


def test_an_empty_sequence_has_no_liabilities():
    assert rule_rates("").tolist() == [0.0] * 5
