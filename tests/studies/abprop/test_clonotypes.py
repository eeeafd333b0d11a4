"""Relatives are found, and never stand on both sides of a split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import RecordError
from probatum.studies.abprop.antibody import Antibody
from probatum.studies.abprop.clonotypes import clonotypes, rule
from probatum.studies.abprop.protocol import fraction_of, split_rows

chains = st.builds(
    lambda cdr3, chain, v, row: Antibody(f"{row}", chain, "", v, "J" if v else "", cdr3, None, ""),
    st.text("ACD", min_size=3, max_size=6), st.sampled_from("HK"), st.sampled_from(["", "V1", "V2"]), st.integers(),
)  # fmt: skip


def is_linked(one, other, identity, genes):
    same = one.chain == other.chain and len(one.cdr3) == len(other.cdr3)
    same_genes = not genes or (one.v_gene, one.j_gene) == (other.v_gene, other.j_gene)
    equal = sum(a == b for a, b in zip(one.cdr3, other.cdr3, strict=False)) / len(one.cdr3)
    return one.sequence == other.sequence or (same and same_genes and equal >= identity - 1e-12)


@given(st.lists(chains, min_size=1, max_size=25), st.sampled_from([0.5, 0.8, 1.0]))
def test_groups_are_the_connected_parts_of_all_pairs_compared(antibodies, identity):
    genes = all(antibody.v_gene for antibody in antibodies)
    expected = list(range(len(antibodies)))
    for _ in antibodies:  # labels spread along links until nothing changes
        for i, one in enumerate(antibodies):
            for j, other in enumerate(antibodies):
                if is_linked(one, other, identity, genes):
                    expected[i] = expected[j] = min(expected[i], expected[j])
    found = clonotypes(antibodies, identity).tolist()
    pairs = set(zip(found, expected, strict=True))
    assert len(pairs) == len(set(found)) == len(set(expected))


def test_one_chain_without_genes_makes_genes_count_for_none():
    told = Antibody("A", "H", "", "V1", "J1", "ARDGYFDY", None, "")
    other_gene = told._replace(sequence="B", v_gene="V2")
    untold = told._replace(sequence="C", v_gene="", cdr3="AKKKKKKY")
    assert len(set(clonotypes([told, other_gene], 0.8).tolist())) == 2
    assert clonotypes([told, other_gene, untold], 0.8)[:2].tolist() == [0, 0]
    assert "V gene" in rule([told], 0.8)
    assert "V gene" not in rule([told, untold], 0.8)


def test_members_of_a_known_lineage_stay_together_however_far_they_mutated():
    told = Antibody("A", "H", "", "V", "J", "ARDGYFDY", None, "clone:1")
    assert clonotypes([told, told._replace(sequence="B", cdr3="QQ")], 0.8).tolist() == [0, 0]


@settings(max_examples=50)
@given(st.lists(st.integers(1, 4), min_size=20, max_size=60), st.integers(0, 5))
def test_no_group_stands_in_two_splits_and_every_row_in_one(sizes, seed):
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = split_rows(groups, val_share=0.2, test_share=0.2, seed=seed)
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(len(groups)))
    held = [set(groups[rows[name]].tolist()) for name in ("train", "valid", "test")]
    assert sum(map(len, held)) == len(set.union(*held))


def test_a_dominating_group_trains():
    groups = np.array([0] * 50 + list(range(1, 51)))
    assert set(split_rows(groups, val_share=0.2, test_share=0.2, seed=0)["train"]) >= set(range(50))


def test_shares_are_kept_where_groups_are_small():
    rows = split_rows(np.arange(200), val_share=0.1, test_share=0.2, seed=3)
    assert [len(rows[name]) for name in ("train", "valid", "test")] == [140, 20, 40]


def test_a_single_clonotype_cannot_be_split():
    with pytest.raises(RecordError, match="split is empty: expected at least one of 30 chains"):
        split_rows(np.zeros(30, dtype=int), val_share=0.1, test_share=0.1, seed=0)


def test_fractions_are_nested():
    rows = np.arange(100, 140)
    smaller = [set(fraction_of(rows, share, 7).tolist()) for share in (0.25, 0.5, 1.0)]
    assert smaller[0] < smaller[1] < smaller[2] == set(rows.tolist())
