"""The null that knows whole antibodies: what the most similar training sequence of the same length would say.

No alignment, no numbering: residues are compared place by place. Regions are copied from the sequence that is most
similar as a whole; a hidden residue is guessed from the one that is most similar in what is not hidden, mixed with
the frequencies at the place in the share that copying is right on validation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probatum.studies.abprop.baselines import token_places
from probatum.studies.abprop.metrics import cdr_metrics, perplexity
from probatum.studies.abprop.tokenizer import FIRST_RESIDUE

NEAR = 0.9  # identity from which a sequence counts as a near copy
Numbers = NDArray[Any]


class Copied(NamedTuple):
    """What the templates of a split say, flat over its tokens; -1 where no training sequence has the length."""

    tokens: Numbers  # by the template of the visible residues
    regions: Numbers  # by the template of the whole sequence
    identity: Numbers  # (sequences,) with the template of the whole sequence


def copied(split: Any, training: Any) -> Copied:
    """Return what the training sequences most similar to those of `split` say of them."""
    groups = {
        length: np.flatnonzero(training.lengths == length) for length in np.unique(training.lengths).tolist()
    }
    ids, regions = training.tokens.numpy().astype(np.int8), training.regions.numpy().astype(np.int8)
    nothing = np.full(len(split.tokens), -1, dtype=np.int8)
    found = Copied(nothing, nothing.copy(), np.zeros(split.count))
    for row, (start, length) in enumerate(zip(split.starts.tolist(), split.lengths.tolist(), strict=True)):
        if length not in groups:
            continue
        places = training.starts[groups[length]][:, None] + np.arange(length)
        here = slice(start, start + length)
        equal = ids[places] == split.tokens[here].numpy().astype(np.int8)  # (training, tokens)
        shares = equal[:, 1:-1].mean(axis=1)
        by_visible = equal[:, ~split.hidden[here].numpy()].mean(axis=1)
        found.identity[row] = shares.max()
        found.regions[here] = regions[places[shares.argmax()]]
        found.tokens[here] = ids[places[by_visible.argmax()]]
    return found


def template_baseline(data: Any) -> dict[str, Any]:
    """Return the metrics of the templates on test, and how near its sequences are to training."""
    training, valid, test = (data.splits[name] for name in ("train", "valid", "test"))
    by_valid, by_test = copied(valid, training), copied(test, training)
    hidden = valid.hidden.numpy()
    share = float((by_valid.tokens == valid.tokens.numpy())[hidden].mean())
    regions = test.regions.numpy()
    is_cdr = np.where(by_test.regions >= 0, by_test.regions > 0, _by_place(data, test))[regions >= 0]
    return {
        **cdr_metrics(regions[regions >= 0], is_cdr),
        "mlm_perplexity": perplexity(-np.log(_likelihoods(data, test, by_test.tokens, share))),
        "copied_right_on_validation": share, "identity": NEAR, "test_sequences": test.count,
        "near_share": float((by_test.identity >= NEAR).mean()),
        "median_identity": float(np.median(by_test.identity)),
    }  # fmt: skip


def _likelihoods(data: Any, split: Any, copies: Numbers, share: float) -> Numbers:
    rows = np.flatnonzero(split.hidden.numpy())
    truth, by_place = split.tokens.numpy()[rows], data.facts["baselines"].by_place
    places = np.minimum(token_places(split)[rows], len(by_place) - 1)
    frequency = by_place[places, truth - FIRST_RESIDUE]
    mixed = share * (copies[rows] == truth) + (1 - share) * frequency
    return np.where(copies[rows] >= 0, mixed, frequency)


def _by_place(data: Any, split: Any) -> Numbers:
    found = np.zeros(len(split.tokens), dtype=bool)
    found[split.regions.numpy() >= 0] = data.facts["baselines"].cdr_at(split)
    return found
