"""From chains as a source tells them to chains with labels and a CDR3 to be split by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from probatum.studies.abprop.antibody import CDR3, Antibody
from probatum.studies.abprop.labels import Labels, LabelSet, abprop_labels, numbered_labels
from probatum.studies.abprop.numbering import (
    Numberer,
    Numbering,
    anchored_cdr3,
    imgt_numberer,
    known_numbering,
)


class Annotated(NamedTuple):
    """Chains with their labels, and how many were left out for which reason."""

    antibodies: list[Antibody]  # each with a CDR3 and a chain
    labels: list[Labels]
    left_out: dict[str, int]


TOO_LONG = "longer than max_position_embeddings"
NO_CDR3 = "no CDR3 found: neither told nor between the conserved residues"
NOT_NUMBERED = "not numbered: no antibody domain from IMGT 23 to 104"


def annotate(antibodies: Sequence[Antibody], labels: LabelSet, longest: int) -> Annotated:
    """Return the chains that can be labelled and split.

    Under `abprop` the labels use only what the source tells; a CDR3 found by its anchors is used for the split
    alone.

    Args:
        antibodies: chains as read.
        labels: which rules.
        longest: largest number of tokens, `<bos>` and `<eos>` included.

    Raises:
        MissingExtraError: `numbered` labels of sequences without a known truth need immunum.
    """
    kept: list[Antibody] = []
    targets: list[Labels] = []
    left_out: Counter[str] = Counter()
    number: Numberer | None = None
    for antibody in antibodies:
        if len(antibody.sequence) + 2 > longest:
            left_out[TOO_LONG] += 1
            continue
        numbering: Numbering | None = None
        if labels == "numbered":
            if antibody.regions is None:
                number = number or imgt_numberer()
            numbering = _numbered(antibody, number)
            if numbering is None:
                left_out[NOT_NUMBERED] += 1
                continue
        placed = _placed(antibody, numbering)
        if not placed.cdr3:
            left_out[NO_CDR3] += 1
            continue
        kept.append(placed)
        targets.append(abprop_labels(antibody) if numbering is None else numbered_labels(placed, numbering))
    return Annotated(kept, targets, dict(left_out))


def _numbered(antibody: Antibody, number: Numberer | None) -> Numbering | None:
    if antibody.regions is not None:
        return known_numbering(antibody.regions, antibody.chain)
    return number(antibody.sequence) if number is not None else None


def _placed(antibody: Antibody, numbering: Numbering | None) -> Antibody:
    """Return the chain with its CDR3 and kind filled in: by numbering, by the source, or by the anchors."""
    if numbering is not None:
        cdr3 = numbering.cdr(CDR3, antibody.sequence)
        return antibody._replace(cdr3=cdr3, chain=numbering.chain)
    found, chain = anchored_cdr3(antibody.sequence)
    return antibody._replace(cdr3=antibody.cdr3 or found, chain=antibody.chain or chain)
