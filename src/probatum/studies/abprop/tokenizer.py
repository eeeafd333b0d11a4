"""Sequences as token ids: four special tokens, the 20 amino acids, and X for anything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAD, BOS, EOS, MASK = range(4)
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
FIRST_RESIDUE = 4
UNKNOWN = FIRST_RESIDUE + len(AMINO_ACIDS)  # X
VOCABULARY_SIZE = UNKNOWN + 1
SPECIALS = ("<pad>", "<bos>", "<eos>", "<mask>")
TOKENS = (*SPECIALS, *AMINO_ACIDS, "X")

_IDS = np.full(256, UNKNOWN, dtype=np.int64)
for _number, _letter in enumerate(AMINO_ACIDS):
    _IDS[[ord(_letter), ord(_letter.lower())]] = FIRST_RESIDUE + _number


def encode(sequence: str) -> NDArray[np.int64]:
    """Return the ids of a sequence between `<bos>` and `<eos>`, `(residues + 2,)`.

    Letters of either case are read; every character that is no amino acid becomes X.

    Example:
        >>> encode("acB-").tolist()
        [1, 4, 5, 24, 24, 2]
    """
    letters = np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)
    return np.concatenate(([BOS], _IDS[letters], [EOS]))


def decode(ids: NDArray[np.integer]) -> str:
    """Return the text of `ids` without `<pad>`, `<bos>` and `<eos>`.

    Example:
        >>> decode(encode("MKT"))
        'MKT'
    """
    return "".join(TOKENS[number] for number in ids if number not in (PAD, BOS, EOS))
