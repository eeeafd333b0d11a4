"""The two label sets, and where they differ."""

import numpy as np

from probatum.studies.abprop.annotate import NO_CDR3, TOO_LONG, annotate
from probatum.studies.abprop.antibody import Antibody
from probatum.studies.abprop.labels import RATE_NAMES, abprop_labels
from probatum.studies.abprop.simulate import simulate


def chain(sequence, cdr3=""):
    return Antibody(sequence, "H", "", "", "", cdr3, None, "")


def test_abprop_labels_the_first_textual_occurrence_of_cdr3():
    assert abprop_labels(chain("ARDAARDW", "ARD")).regions.tolist() == [3, 3, 3, 0, 0, 0, 0, 0]


def test_abprop_labels_framework_where_no_cdr3_is_told_or_occurs(trastuzumab):
    assert not abprop_labels(chain(trastuzumab)).regions.any()
    assert not abprop_labels(chain(trastuzumab, "QQQQ")).regions.any()


def test_a_cdr3_found_by_anchors_serves_the_split_and_not_the_labels(trastuzumab):
    annotated = annotate([chain(trastuzumab)], "abprop", 256)
    assert annotated.antibodies[0].cdr3 == "SRWGGDGFYAMDY"
    assert not annotated.labels[0].regions.any()


def test_numbered_labels_are_the_truth_of_simulated_sequences():
    members = simulate(clones=20, seed=1)
    annotated = annotate(members, "numbered", 256)
    for member, labels in zip(members, annotated.labels, strict=True):
        np.testing.assert_array_equal(labels.regions, member.regions)


def test_regions_add_up_to_the_whole_sequence():
    members = simulate(clones=30, seed=5)
    old = np.stack([labels.rates for labels in annotate(members, "abprop", 256).labels])
    new = np.stack([labels.rates for labels in annotate(members, "numbered", 256).labels])
    by_key = new.reshape(len(members), 5, 2).sum(-1)
    np.testing.assert_allclose(by_key[:, :4], old[:, :4])


def test_free_cysteines_of_a_plain_domain_are_two_by_the_old_rule_and_none_by_numbering():
    member = next(m for m in simulate(clones=30, seed=5) if m.sequence.count("C") == 2)
    old, new = (annotate([member], labels, 256).labels[0].rates for labels in ("abprop", "numbered"))
    assert old[4] * len(member.sequence) == 2
    names = RATE_NAMES["numbered"]
    assert new[names.index("free_cysteines_framework")] == new[names.index("free_cysteines_cdr")] == 0


def test_what_is_too_long_or_has_no_cdr3_is_left_out_and_counted(trastuzumab):
    annotated = annotate([chain("A" * 300), chain("MKT"), chain(trastuzumab)], "abprop", 256)
    assert annotated.left_out == {TOO_LONG: 1, NO_CDR3: 1}
    assert len(annotated.antibodies) == 1
