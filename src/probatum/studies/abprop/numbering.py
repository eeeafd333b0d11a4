"""IMGT numbering: by the `immunum` extra, or known from the truth of simulated sequences.

IMGT: CDR1 27-38, CDR2 56-65, CDR3 105-117; the conserved disulfide joins 23 and 104 (Lefranc et al. 2003).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probatum._errors import MissingExtraError
from probatum.studies.abprop.antibody import CDR1, CDR2, CDR3, FRAMEWORK

IMGT_CDRS = {CDR1: (27, 38), CDR2: (56, 65), CDR3: (105, 117)}
CONSERVED_PAIR = (23, 104)
ANCHORS = re.compile(  # [FY]102-x-C104, CDR3, [FW]118-G-x-G, or G-x-G-T where residue 118 has mutated
    "[FY][A-Z]C([A-Z]{3,38})(?=([FW])G[A-Z]G|([A-Z])G[A-Z]GT)"
)


class Numbering(NamedTuple):
    """What a numbering tells of a sequence."""

    regions: NDArray[np.int8]  # (residues,) 0 framework, 1-3 the CDR
    pair: tuple[int, ...]  # places of IMGT 23 and 104 in the sequence
    chain: str  # H, K or L

    def cdr(self, number: int, sequence: str) -> str:
        """Return the residues of a CDR."""
        return "".join(sequence[place] for place in np.flatnonzero(self.regions == number))


Numberer = Callable[[str], Numbering | None]


def imgt_numberer() -> Numberer:
    """Return what numbers a sequence by IMGT; None for a sequence without a whole domain.

    Raises:
        MissingExtraError: immunum is not installed.
    """
    try:
        from immunum import Annotator  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtraError(
            'labels "numbered" on real sequences need immunum. Install it: pip install "immunum>=2,<3". '
            "`--labels abprop` needs no numbering, and simulated sequences bring theirs."
        ) from error
    annotator = Annotator(chains=["H", "K", "L"], scheme="imgt")
    return lambda sequence: _numbering(annotator.number(sequence), len(sequence))


def _numbering(result: Any, length: int) -> Numbering | None:
    """Return the numbering that immunum found; residues before and after the domain are framework.

    None where it does not reach from 23 to 104: five residues of any protein can look like a piece of a domain.
    """
    if result.error is not None:
        return None
    numbers = np.array([int(name.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for name in result.numbering])
    regions = np.full(length, FRAMEWORK, dtype=np.int8)
    places = result.query_start + np.arange(len(numbers))
    for region, (first, last) in IMGT_CDRS.items():
        regions[places[(numbers >= first) & (numbers <= last)]] = region
    pair = tuple(int(place) for place in places[np.isin(numbers, CONSERVED_PAIR)])
    return Numbering(regions, pair, result.chain) if len(pair) == len(CONSERVED_PAIR) else None


def known_numbering(regions: NDArray[np.int8], chain: str) -> Numbering:
    """Return the numbering of a whole domain whose regions are known.

    IMGT 23 stands four residues before CDR1 (27) and 104 one before CDR3 (105): no gap lies between.

    Example:
        >>> sizes = {0: 26, 1: 8, 10: 17, 2: 8, 20: 38, 3: 9, 30: 11}  # tens are framework
        >>> regions = np.repeat([key % 10 for key in sizes], list(sizes.values())).astype(np.int8)
        >>> known_numbering(regions, "H").pair
        (22, 96)
    """
    starts = [int(np.argmax(regions == region)) for region in (CDR1, CDR3)]
    return Numbering(regions, (starts[0] - 4, starts[1] - 1), chain)


def anchored_cdr3(sequence: str) -> tuple[str, str]:
    """Return CDR3 and the chain ("H" or "light") by the conserved residues around it; empty where not found.

    A fallback without any package, good enough to keep relatives in one split: the residues between the
    cysteine 104 and the tryptophan (heavy) or phenylalanine (light) 118 of the motif [FW]-G-x-G, which may be
    another residue before G-x-G-T.

    Example:
        >>> anchored_cdr3("AEDTAVYYCSRWGGDGFYAMDYWGQGTLVTVSS")
        ('SRWGGDGFYAMDY', 'H')
    """
    found = ANCHORS.search(sequence)
    if found is None:
        return "", ""
    return found[1], "light" if found[2] == "F" else "H"
