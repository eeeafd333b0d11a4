"""IMGT by the extra, by truth, and by anchors alone."""

import sys

import numpy as np
import pytest

from probatum._errors import MissingExtraError
from probatum.studies.abprop.annotate import NOT_NUMBERED, annotate
from probatum.studies.abprop.antibody import Antibody
from probatum.studies.abprop.numbering import anchored_cdr3, imgt_numberer, known_numbering
from probatum.studies.abprop.simulate import simulate


def test_without_the_extra_the_message_holds_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "immunum", None)
    with pytest.raises(MissingExtraError, match='pip install "immunum>=2,<3"'):
        imgt_numberer()


def test_real_sequences_ask_for_the_extra_and_simulated_ones_do_not(monkeypatch, trastuzumab):
    monkeypatch.setitem(sys.modules, "immunum", None)
    members = simulate(clones=3, seed=1)
    assert len(annotate(members, "numbered", 256).labels) == len(members)
    with pytest.raises(MissingExtraError):
        annotate([Antibody(trastuzumab, "H", "", "", "", "", None, "")], "numbered", 256)


def test_imgt_of_trastuzumab_is_the_published_one(trastuzumab):
    pytest.importorskip("immunum")
    numbering = imgt_numberer()(trastuzumab)
    assert numbering is not None
    assert [numbering.cdr(number, trastuzumab) for number in (1, 2, 3)] == [
        "GFNIKDTY", "IYPTNGYT", "SRWGGDGFYAMDY",
    ]  # fmt: skip
    assert (numbering.pair, numbering.chain) == ((21, 95), "H")


def test_residues_around_the_domain_are_framework(trastuzumab):
    pytest.importorskip("immunum")
    number = imgt_numberer()
    alone, within = number(trastuzumab), number("MKAAAA" + trastuzumab + "ASTKGP")
    assert alone is not None
    assert within is not None
    assert within.regions[6 : 6 + len(trastuzumab)].tolist() == alone.regions.tolist()
    assert not within.regions[:6].any()


def test_what_is_no_antibody_is_left_out():
    pytest.importorskip("immunum")
    protein = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVK"
    annotated = annotate([Antibody(protein, "", "", "", "", "", None, "")], "numbered", 256)
    assert annotated.left_out == {NOT_NUMBERED: 1}


def test_the_extra_agrees_with_the_truth_of_simulated_sequences():
    pytest.importorskip("immunum")
    number, members = imgt_numberer(), simulate(clones=60, seed=4)
    equal = [
        found is not None and np.array_equal(found.regions, member.regions)
        for member in members
        if (found := number(member.sequence)) or True
    ]
    assert np.mean(equal) > 0.9


def test_the_known_pair_is_a_pair_of_cysteines():
    for member in simulate(clones=40, seed=2):
        assert member.regions is not None
        pair = known_numbering(member.regions, member.chain).pair
        assert [member.sequence[place] for place in pair] == ["C", "C"]


def test_anchors_alone_find_nearly_every_cdr3_and_its_chain():
    members = simulate(clones=200, seed=3)
    found = [anchored_cdr3(member.sequence) for member in members]
    assert np.mean([cdr3 == m.cdr3 for (cdr3, _), m in zip(found, members, strict=True)]) > 0.9
    assert np.mean([(c == "H") == (m.chain == "H") for (_, c), m in zip(found, members, strict=True)]) > 0.95


def test_no_anchor_no_cdr3():
    assert anchored_cdr3("MKTAYIAKQR") == ("", "")
