"""What the heads learn of a sequence: its CDR residues, and its liabilities per residue.

`abprop`: as the code behind the study labels, for comparison: CDR3 alone, at the first place where the source's
CDR3 occurs as text (nowhere: all framework); five rates over the whole sequence; free cysteines by distance.
`numbered`: all three CDRs by IMGT; each motif counted by the region it begins in; free cysteines are those
outside the conserved pair. A rate is a count divided by the length of the sequence.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probatum.studies.abprop.antibody import CDR3, FRAMEWORK, Antibody
from probatum.studies.abprop.liabilities import KEYS, motif_starts, outside_pair, unpaired_by_distance
from probatum.studies.abprop.numbering import Numbering

LabelSet = Literal["abprop", "numbered"]
RATE_NAMES: dict[LabelSet, tuple[str, ...]] = {
    "abprop": KEYS,
    "numbered": tuple(f"{key}_{region}" for key in KEYS for region in ("framework", "cdr")),
}


class Labels(NamedTuple):
    """The targets of one sequence."""

    regions: NDArray[np.int8]  # (residues,) 0 framework, 1-3 the CDR
    rates: NDArray[np.float64]  # (keys,) per residue, in the order of RATE_NAMES


def abprop_labels(antibody: Antibody) -> Labels:
    """Return the labels by the rules of AbProp.

    Example:
        >>> antibody = Antibody("QVCARDGWG", "H", "", "", "", "ARDG", None, "")
        >>> abprop_labels(antibody).regions.tolist()
        [0, 0, 0, 3, 3, 3, 3, 0, 0]
    """
    sequence = antibody.sequence
    regions = np.full(len(sequence), FRAMEWORK, dtype=np.int8)
    start = sequence.find(antibody.cdr3) if antibody.cdr3 else -1
    if start >= 0:
        regions[start : start + len(antibody.cdr3)] = CDR3
    return Labels(regions, rule_rates(sequence))


def rule_rates(sequence: str) -> NDArray[np.float64]:
    """Return the five rates by AbProp's rules, `(5,)`: what a program without any training says.

    Example:
        >>> rule_rates("NGSM").tolist()
        [0.25, 0.25, 0.0, 0.25, 0.0]
    """
    places = [*motif_starts(sequence).values(), unpaired_by_distance(sequence)]
    return np.array([len(found) for found in places]) / max(1, len(sequence))


def numbered_labels(antibody: Antibody, numbering: Numbering) -> Labels:
    """Return the labels by IMGT numbering.

    Example:
        >>> regions = np.array([0, 0, 1, 1, 0], dtype=np.int8)
        >>> antibody = Antibody("MANGM", "H", "", "", "", "", None, "")
        >>> labels = numbered_labels(antibody, Numbering(regions, (), "H"))
        >>> dict(zip(RATE_NAMES["numbered"], labels.rates.tolist()))["deamidation_cdr"]
        0.2
    """
    sequence = antibody.sequence
    places = [*motif_starts(sequence).values(), outside_pair(sequence, numbering.pair)]
    return Labels(numbering.regions, _rates_by_region(places, numbering.regions != FRAMEWORK))


def rule_rates_by_region(sequence: str, is_cdr: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the ten rates by AbProp's rules, given which residues are taken for CDR `(residues,)`.

    Example:
        >>> rule_rates_by_region("MANGM", np.array([False, False, True, True, False])).tolist()[2:4]
        [0.0, 0.2]
    """
    return _rates_by_region([*motif_starts(sequence).values(), unpaired_by_distance(sequence)], is_cdr)


def _rates_by_region(places: list[list[int]], is_cdr: NDArray[np.bool_]) -> NDArray[np.float64]:
    counts = [np.count_nonzero(is_cdr[found] == inside) for found in places for inside in (False, True)]
    return np.array(counts) / max(1, len(is_cdr))
