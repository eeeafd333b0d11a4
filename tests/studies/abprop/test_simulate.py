"""The simulated repertoire obeys its own laws."""

import numpy as np

from probatum.studies.abprop.antibody import digest
from probatum.studies.abprop.simulate import CHAINS, FRAMEWORK_MUTATION, mutable_places, simulate
from probatum.studies.abprop.templates import FAMILIES, JOININGS


def test_the_same_seed_gives_the_same_repertoire_and_another_one_another():
    assert digest(simulate(clones=30, seed=1)) == digest(simulate(clones=30, seed=1))
    assert digest(simulate(clones=30, seed=1)) != digest(simulate(clones=30, seed=2))


def test_chains_come_in_their_shares():
    members = simulate(clones=1500, seed=0)
    first = {member.clone: member.chain for member in members}
    shares = {chain: list(first.values()).count(chain) / len(first) for chain in CHAINS}
    assert all(abs(shares[chain] - share) < 0.05 for chain, share in CHAINS.items())
    assert 1.8 < len(members) / 1500 < 2.2  # geometric: two members on average


def test_anchors_never_mutate():
    for member in simulate(clones=100, seed=3):
        fixed = np.array(list(member.sequence))[~mutable_places(member.regions)]
        assert "".join(fixed) in ("CWCWGG", "CWCFGG")


def test_frameworks_mutate_at_their_rate():
    templates = {family.name: family for family in FAMILIES}
    joinings = {joining.name: joining for joining in JOININGS}
    changed = total = 0
    for member in simulate(clones=400, seed=5):
        family = templates[member.v_gene]
        germline = family.fr1 + family.fr2 + family.fr3 + joinings[member.j_gene].fr4
        now = np.array(list(member.sequence))[member.regions == 0]
        changed += int((now != np.array(list(germline))).sum())
        total += len(germline)
    assert 0.8 * FRAMEWORK_MUTATION < changed / total < FRAMEWORK_MUTATION


def test_loops_hold_liabilities_of_every_kind():
    text = " ".join(member.sequence for member in simulate(clones=300, seed=0))
    assert all(motif in text for motif in ("NG", "DG", "M"))
