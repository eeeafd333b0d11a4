"""What needs no network: the nulls that stand beside each metric.

Residues: uniform over 20 amino acids; their frequencies; frequencies after the residue before (the true one, even
where the model does not see it); frequencies at the same place from the start. CDRs: the majority, always
framework; the majority at the same place. Rates: the mean of each key on training; the motif rules.
Place by place is the null to beat: antibodies are so alike that it knows most of a framework.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from probatum.studies.abprop.batching import AntibodySplit
from probatum.studies.abprop.masking import guessable
from probatum.studies.abprop.tokenizer import AMINO_ACIDS, FIRST_RESIDUE, VOCABULARY_SIZE

SMOOTHING = 1.0  # counts added to each amino acid
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Baselines:
    """Frequencies of the training split."""

    unigram: Floats  # (20,)
    bigram: Floats  # (25, 20), by the token before
    by_place: Floats  # (places, 20), by the place in the sequence, from 0
    cdr_by_place: NDArray[np.bool_]  # (places,), whether most residues there are of a CDR

    @classmethod
    def fit(cls, split: AntibodySplit) -> Baselines:
        """Return the frequencies of `split`."""
        tokens, places = split.tokens.numpy(), token_places(split)
        known = guessable(split.tokens).numpy()
        letters = tokens[known] - FIRST_RESIDUE
        before = tokens[np.flatnonzero(known) - 1]
        pairs = np.zeros((VOCABULARY_SIZE, len(AMINO_ACIDS)))
        np.add.at(pairs, (before, letters), 1)
        regions = split.regions.numpy()
        is_residue = regions >= 0
        here = np.zeros((int(places[is_residue].max()) + 1, len(AMINO_ACIDS)))
        np.add.at(here, (places[known], letters), 1)
        total = np.bincount(places[is_residue], minlength=len(here))
        cdr = np.bincount(places[is_residue], weights=regions[is_residue] > 0, minlength=len(here))
        unigram = _shares(np.bincount(letters, minlength=len(AMINO_ACIDS)).astype(float))
        return cls(unigram, _shares(pairs), _shares(here), cdr > total / 2)

    def perplexities(self, split: AntibodySplit, hidden: Tensor) -> dict[str, float | None]:
        """Return the perplexity of each null on the `hidden` tokens of `split`, `(tokens,)`."""
        rows = np.flatnonzero(hidden.numpy())
        if not len(rows):
            return dict.fromkeys(("uniform", "unigram", "bigram", "position"))
        letters = split.tokens.numpy()[rows] - FIRST_RESIDUE
        before = split.tokens.numpy()[rows - 1]
        places = token_places(split)[rows]
        nowhere = places >= len(self.by_place)  # beyond the longest training sequence
        here = np.where(
            nowhere,
            self.unigram[letters],
            self.by_place[np.minimum(places, len(self.by_place) - 1), letters],
        )
        likelihoods = {
            "uniform": np.full(len(rows), 1 / len(AMINO_ACIDS)),
            "unigram": self.unigram[letters],
            "bigram": self.bigram[before, letters],
            "position": here,
        }
        return {name: float(np.exp(-np.log(values).mean())) for name, values in likelihoods.items()}

    def cdr_places(self, residues: int) -> NDArray[np.bool_]:
        """Return which of the first `residues` places most training sequences have in a CDR."""
        found = np.zeros(residues, dtype=bool)
        known = self.cdr_by_place[:residues]
        found[: len(known)] = known
        return found

    def cdr_at(self, split: AntibodySplit) -> NDArray[np.bool_]:
        """Return what `cdr_places` says of every residue of `split`, flat."""
        return np.concatenate([self.cdr_places(length - 2) for length in split.lengths])


def token_places(split: AntibodySplit) -> NDArray[np.int64]:
    """Return the place of each token in its sequence, from 0 at the first residue; -1 at `<bos>`."""
    return np.arange(len(split.tokens)) - np.repeat(split.starts, split.lengths) - 1


def _shares(counts: Floats) -> Floats:
    smooth = counts + SMOOTHING
    return smooth / smooth.sum(-1, keepdims=True)
