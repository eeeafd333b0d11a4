"""Which chains descend from one recombination, so that they may not stand on both sides of a split.

Clonotype: same chain, V gene, J gene and length of CDR3, and CDR3s that agree in at least a given share of
residues, by single linkage (Gupta et al. 2017, J. Immunol. 198, on the threshold). Where any chain of the data
lacks its genes, they are left out for all: only then can no relative slip through a gap in the annotation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from probatum.studies.abprop.antibody import Antibody

Integers = NDArray[np.int64]


def has_genes(antibodies: Sequence[Antibody]) -> bool:
    """Return whether every chain has its V and J gene."""
    return all(antibody.v_gene and antibody.j_gene for antibody in antibodies)


def rule(antibodies: Sequence[Antibody], identity: float) -> str:
    """Return the rule of `clonotypes` in words, for the record."""
    genes = "V gene, J gene, " if has_genes(antibodies) else ""
    return f"same chain, {genes}CDR3 length, and CDR3 identity of at least {identity:g} (single linkage)"


def clonotypes(antibodies: Sequence[Antibody], identity: float) -> Integers:
    """Return the number of each chain's clonotype, `(chains,)`.

    Known lineages (simulated data) and equal sequences are joined too.

    Args:
        antibodies: chains, each with a CDR3.
        identity: smallest share of equal residues that links two CDR3s of one length, in [0, 1].

    Example:
        >>> chain = Antibody("A", "H", "", "", "", "ARDGYFDY", None, "")
        >>> near, far = chain._replace(sequence="B", cdr3="ARDGSFDY"), chain._replace(sequence="C", cdr3="AKQWLVPH")
        >>> clonotypes([chain, near, far], 0.8).tolist()
        [0, 0, 1]
    """
    genes = has_genes(antibodies)
    groups: defaultdict[tuple, list[int]] = defaultdict(list)
    for row, antibody in enumerate(antibodies):
        key = (antibody.v_gene, antibody.j_gene) if genes else ()
        groups[antibody.chain, len(antibody.cdr3), *key].append(row)
    links = [pair for rows in groups.values() for pair in _similar(rows, antibodies, identity)]
    links += _same(antibodies, "sequence") + _same(antibodies, "clone")
    ends = np.array(links, dtype=np.int64).reshape(-1, 2).T
    count = len(antibodies)
    graph = coo_array((np.ones(ends.shape[1], dtype=bool), (ends[0], ends[1])), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _similar(rows: list[int], antibodies: Sequence[Antibody], identity: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of `rows`, all with CDR3s of one length, that are similar or equal."""
    first: dict[str, int] = {}
    for row in rows:
        kept = first.setdefault(antibodies[row].cdr3, row)
        if kept != row:
            yield kept, row
    letters = np.array([list(cdr3.encode("latin-1", "replace")) for cdr3 in first], dtype=np.uint8)
    owners = list(first.values())
    for here in range(len(owners) - 1):
        shares = (letters[here + 1 :] == letters[here]).mean(axis=1)
        for there in np.flatnonzero(shares >= identity - 1e-12):
            yield owners[here], owners[here + 1 + int(there)]


def _same(antibodies: Sequence[Antibody], field: str) -> list[tuple[int, int]]:
    """Return links between chains with one value of `field`, the empty one left out."""
    first: dict[str, int] = {}
    values = [getattr(antibody, field) for antibody in antibodies]
    return [(first.setdefault(value, row), row) for row, value in enumerate(values) if value]
