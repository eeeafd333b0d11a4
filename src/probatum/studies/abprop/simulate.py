"""A simulated repertoire with its truth: every CDR, every lineage.

A lineage draws a chain, a family, a J segment of its chain and the residues that recombination inserts between
them. Each of its members, one and a geometric number more, then gathers mutations: few in frameworks, many in
CDRs, none at the anchors C23, W41, C104, [FW]118, G119 and G121. Loops and liabilities vary as they do in
repertoires; where they stand is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum.studies.abprop.antibody import CDR1, CDR2, CDR3, FRAMEWORK, Antibody
from probatum.studies.abprop.templates import FAMILIES, JOININGS, Family, Joining
from probatum.studies.abprop.tokenizer import AMINO_ACIDS

CHAINS = {"H": 0.6, "K": 0.25, "L": 0.15}
INSERTED = {"H": (4, 14), "K": (3, 5), "L": (4, 6)}  # residues between V and J, both ends included
FRAMEWORK_MUTATION, CDR_MUTATION = 0.03, 0.12  # chance of a residue
MORE_MEMBERS = 0.5  # chance of one more member, again and again
# insertions and mutations favour what loops are made of
INSERTED_SHARES = dict(zip(AMINO_ACIDS, (
    6, 2, 9, 4, 3, 15, 2, 3, 2, 5, 2, 5, 4, 2, 8, 11, 6, 5, 3, 8,
), strict=True))  # fmt: skip
_LETTERS = np.array(list(AMINO_ACIDS))
_SHARES = np.array(list(INSERTED_SHARES.values())) / sum(INSERTED_SHARES.values())

Letters = NDArray[np.str_]


def simulate(*, clones: int, seed: int) -> list[Antibody]:
    """Return the members of `clones` lineages: the same for the same arguments.

    Example:
        >>> antibody = simulate(clones=20, seed=1)[0]
        >>> "".join(np.array(list(antibody.sequence))[antibody.regions == 3]) == antibody.cdr3
        True
    """
    draw = np.random.default_rng(seed)
    antibodies: list[Antibody] = []
    for number in range(clones):
        chain = str(draw.choice(list(CHAINS), p=list(CHAINS.values())))
        family = _one([family for family in FAMILIES if family.chain == chain], draw)
        joining = _one([joining for joining in JOININGS if joining.chain == chain], draw)
        letters, regions = recombine(family, joining, draw)
        mutable = mutable_places(regions)
        antibodies += [
            _member(family, joining, mutate(letters, regions, mutable, draw), regions, f"clone:{number}")
            for _ in range(draw.geometric(1 - MORE_MEMBERS))
        ]
    return antibodies


def recombine(
    family: Family, joining: Joining, draw: np.random.Generator
) -> tuple[Letters, NDArray[np.int8]]:
    """Return the letters and regions `(residues,)` of a new lineage."""
    fewest, most = INSERTED[family.chain]
    inserted = "".join(draw.choice(_LETTERS, draw.integers(fewest, most + 1), p=_SHARES))
    cdr3 = family.cdr3_start + inserted + joining.cdr3_end
    parts = (
        (family.fr1, FRAMEWORK), (family.cdr1, CDR1), (family.fr2, FRAMEWORK), (family.cdr2, CDR2),
        (family.fr3, FRAMEWORK), (cdr3, CDR3), (joining.fr4, FRAMEWORK),
    )  # fmt: skip
    letters = np.array(list("".join(text for text, _ in parts)))
    return letters, np.concatenate([np.full(len(text), region, dtype=np.int8) for text, region in parts])


def mutable_places(regions: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return which residues may change, `(residues,)`: all but the anchors."""
    mutable = np.ones(len(regions), dtype=bool)
    starts = {region: int(np.argmax(regions == region)) for region in (CDR1, CDR3)}
    after_cdr1 = int(np.flatnonzero(regions == CDR1)[-1]) + 1
    after_cdr3 = int(np.flatnonzero(regions == CDR3)[-1]) + 1
    anchors = [starts[CDR1] - 4, after_cdr1 + 2, starts[CDR3] - 1, after_cdr3, after_cdr3 + 1, after_cdr3 + 3]
    mutable[anchors] = False
    return mutable


def mutate(
    letters: Letters, regions: NDArray[np.int8], mutable: NDArray[np.bool_], draw: np.random.Generator
) -> Letters:
    """Return the letters of a member."""
    chance = np.where(regions == FRAMEWORK, FRAMEWORK_MUTATION, CDR_MUTATION)
    changed = mutable & (draw.random(len(letters)) < chance)
    return np.where(changed, draw.choice(_LETTERS, len(letters), p=_SHARES), letters)


def _member(
    family: Family, joining: Joining, letters: Letters, regions: NDArray[np.int8], clone: str
) -> Antibody:
    cdr3 = "".join(letters[regions == CDR3])
    return Antibody(
        "".join(letters), family.chain, "simulated", family.name, joining.name, cdr3, regions, clone
    )


def _one(choices: list[Any], draw: np.random.Generator) -> Any:
    return choices[draw.integers(len(choices))]
