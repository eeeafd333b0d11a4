"""One antibody chain, as its source tells it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FRAMEWORK, CDR1, CDR2, CDR3 = range(4)
REGION_NAMES = ("framework", "cdr1", "cdr2", "cdr3")


class Antibody(NamedTuple):
    """A variable domain; what the source does not tell is empty.

    Example:
        >>> Antibody("EVQLV", "H", "human", "", "", "", None, "").chain
        'H'
    """

    sequence: str  # amino acids, upper case, without gaps
    chain: str  # H (VHH too), K, L, or empty
    species: str
    v_gene: str  # without allele
    j_gene: str
    cdr3: str  # IMGT 105-117, as the source gives it
    regions: NDArray[np.int8] | None  # (residues,) 0 framework, 1-3 the CDR, where the truth is known
    clone: str  # the lineage, where the truth is known


def distinct(antibodies: Iterable[Antibody]) -> list[Antibody]:
    """Return the first of all entries with the same sequence and chain, in their order.

    Example:
        >>> one = Antibody("EVQLV", "H", "", "", "", "", None, "")
        >>> len(distinct([one, one._replace(species="human")]))
        1
    """
    first: dict[tuple[str, str], Antibody] = {}
    for antibody in antibodies:
        first.setdefault((antibody.sequence, antibody.chain), antibody)
    return list(first.values())


def digest(antibodies: Iterable[Antibody]) -> str:
    """Return the SHA-256 of the sequences and their chains, in order."""
    total = sha256()
    for antibody in antibodies:
        total.update(f"{antibody.chain}\t{antibody.sequence}\n".encode())
    return total.hexdigest()
