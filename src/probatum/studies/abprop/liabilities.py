"""Sequence motifs that make an antibody hard to develop, found by the rules of AbProp.

nglyc: N-glycosylation N[^P][ST]; deamidation NG; isomerization DG; oxidation: each M; free_cysteines. Overlapping
matches all count. Source: fact sheet, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Collection

KEYS = ("nglyc", "deamidation", "isomerization", "oxidation", "free_cysteines")
MOTIFS = {
    "nglyc": re.compile("(?=N[^P][ST])"),
    "deamidation": re.compile("(?=NG)"),
    "isomerization": re.compile("(?=DG)"),
    "oxidation": re.compile("M"),
}
NEAREST_PARTNER, FARTHEST_PARTNER = 2, 20  # residues, in the rule of AbProp


def motif_starts(sequence: str) -> dict[str, list[int]]:
    """Return where each motif begins, by key, cysteines left out.

    Example:
        >>> motif_starts("NNSTMDG")
        {'nglyc': [0, 1], 'deamidation': [], 'isomerization': [5], 'oxidation': [4]}
    """
    return {key: [match.start() for match in motif.finditer(sequence)] for key, motif in MOTIFS.items()}


def unpaired_by_distance(sequence: str) -> list[int]:
    """Return the cysteines that AbProp calls free: not paired, left to right, with one 2 to 20 residues on.

    The conserved disulfide of a variable domain spans some 74 residues, so this rule calls both its ends free.

    Example:
        >>> unpaired_by_distance("C" + "A" * 5 + "C"), unpaired_by_distance("C" + "A" * 70 + "C")
        ([], [0, 71])
    """
    waiting = [place for place, letter in enumerate(sequence) if letter == "C"]
    free: list[int] = []
    while waiting:
        first = waiting.pop(0)
        near = [place for place in waiting if NEAREST_PARTNER <= place - first <= FARTHEST_PARTNER]
        if near:
            waiting.remove(near[0])
        else:
            free.append(first)
    return free


def outside_pair(sequence: str, pair: Collection[int]) -> list[int]:
    """Return the cysteines other than those at the conserved `pair` (IMGT 23 and 104).

    Where one of the two is no cysteine, the other has lost its partner and is free.

    Example:
        >>> outside_pair("CAACAC", (0, 3)), outside_pair("CAASAC", (0, 3))
        ([5], [0, 5])
    """
    is_bonded = len(pair) == 2 and all(sequence[place] == "C" for place in pair)
    bonded = pair if is_bonded else ()
    return [place for place, letter in enumerate(sequence) if letter == "C" and place not in bonded]
