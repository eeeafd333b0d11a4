"""The splits of an antibody run and what is recorded about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from probatum._errors import ParameterError, RecordError
from probatum.studies.abprop.annotate import Annotated, annotate
from probatum.studies.abprop.antibody import digest
from probatum.studies.abprop.baselines import Baselines
from probatum.studies.abprop.batching import AntibodySplit, largest_batch
from probatum.studies.abprop.clonotypes import Integers, clonotypes, rule
from probatum.studies.abprop.labels import RATE_NAMES, LabelSet, rule_rates, rule_rates_by_region
from probatum.studies.abprop.parameters import AbPropParameters
from probatum.studies.abprop.protocol import fraction_of, split_rows
from probatum.studies.abprop.sources import load_antibodies
from probatum.studies.abprop.stream import SteppedSplit
from probatum.studies.abprop.tokenizer import encode
from probatum.training.study import StudyData


def load_antibody_data(parameters: AbPropParameters) -> StudyData:
    """Return the splits that the parameters describe; the training seed plays no part.

    `facts` holds `rate_names`, `rate_mean` and `rate_scale` (per key, of training), `baselines` (what needs no
    training, fitted on the training split) and, by split, `rule_rates` (standardised, what the motif rules say).
    """
    antibodies, record = load_antibodies(parameters)
    annotated = annotate(antibodies, parameters.labels, parameters.max_position_embeddings)
    if not annotated.antibodies:
        raise RecordError(f"dataset {parameters.dataset!r}: no chain can be used; {annotated.left_out}.")
    groups = clonotypes(annotated.antibodies, parameters.cdr3_identity)
    rows = _rows(groups, parameters)
    names = RATE_NAMES[parameters.labels]
    rates = np.stack([labels.rates for labels in annotated.labels])  # (sequences, keys)
    mean, scale = standardiser(rates[rows["train"]])
    standardised = (rates - mean) / scale
    splits = {
        name: _split(annotated, chosen, standardised, parameters.bucket_batches)
        for name, chosen in rows.items()
    }
    _check_tokens(splits["train"], parameters)
    baselines = Baselines.fit(splits["train"])
    by_rule = {
        name: (_rule_rates(annotated, chosen, parameters.labels, baselines) - mean) / scale
        for name, chosen in rows.items()
    }
    facts = {
        "rate_names": names,
        "rate_mean": mean.tolist(),
        "rate_scale": scale.tolist(),
        "baselines": baselines,
        "rule_rates": by_rule,
    }
    if parameters.steps_per_epoch is not None:
        splits["train"] = SteppedSplit(splits["train"], parameters.steps_per_epoch)
    described = {
        "name": Path(parameters.dataset).name,  # a path belongs to one machine
        **record,
        "labels": parameters.labels,
        "left_out": annotated.left_out,
        "clonotype": rule(annotated.antibodies, parameters.cdr3_identity),
        "rate_mean": dict(zip(names, facts["rate_mean"], strict=True)),
        "rate_scale": dict(zip(names, facts["rate_scale"], strict=True)),
        "splits": {name: _describe(annotated, groups, chosen) for name, chosen in rows.items()},
    }
    return StudyData(splits, described, facts)


def standardiser(rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation per key `(keys,)` of training rates; 1 where all rates are equal.

    Example:
        >>> mean, scale = standardiser(np.array([[0.0, 2.0], [2.0, 2.0]]))
        >>> mean.tolist(), scale.tolist()
        ([1.0, 2.0], [1.0, 1.0])
    """
    spread = rates.std(axis=0)
    return rates.mean(axis=0), np.where(spread > 0, spread, 1.0)


def _rows(groups: Integers, parameters: AbPropParameters) -> dict[str, Integers]:
    p = parameters
    rows = split_rows(groups, val_share=p.val_share, test_share=p.test_share, seed=p.split_seed)
    rows["train"] = fraction_of(rows["train"], p.train_fraction, p.split_seed)
    rows["valid"] = fraction_of(rows["valid"], p.val_fraction, p.split_seed)
    return rows


def _split(annotated: Annotated, rows: Integers, rates: np.ndarray, bucket_batches: int) -> AntibodySplit:
    return AntibodySplit(
        [encode(annotated.antibodies[row].sequence) for row in rows],
        [annotated.labels[row].regions for row in rows],
        rates[rows],
        bucket_batches,
    )


def _check_tokens(split: AntibodySplit, parameters: AbPropParameters) -> None:
    """Refuse a batch size whose largest batch exceeds the limit, and name the largest that does not."""
    limit = parameters.max_tokens
    if limit is None:
        return

    def needed(size: int) -> int:
        return largest_batch(split.lengths, size, parameters.bucket_batches)

    if needed(parameters.batch_size) <= limit:
        return
    fitting = [size for size in range(1, parameters.batch_size) if needed(size) <= limit]
    advice = f"The largest batch_size that fits is {max(fitting)}." if fitting else "No batch_size fits."
    raise ParameterError(
        f"`max_tokens` is {limit}, but batch_size {parameters.batch_size} needs batches of up to "
        f"{needed(parameters.batch_size)} tokens, padding included. {advice}"
    )


def _rule_rates(annotated: Annotated, rows: Integers, labels: LabelSet, baselines: Baselines) -> np.ndarray:
    """Return what motif rules say without training, `(sequences, keys)`; where a CDR is, by position alone."""
    sequences = [annotated.antibodies[row].sequence for row in rows]
    if labels == "abprop":
        return np.stack([rule_rates(sequence) for sequence in sequences])
    return np.stack([rule_rates_by_region(text, baselines.cdr_places(len(text))) for text in sequences])


def _describe(annotated: Annotated, groups: Integers, rows: Integers) -> Mapping[str, Any]:
    chains = [annotated.antibodies[row] for row in rows]
    residues = np.concatenate([annotated.labels[row].regions for row in rows])
    return {
        "sequences": len(rows),
        "clonotypes": len(np.unique(groups[rows])),
        "residues": len(residues),
        "cdr_share": float((residues > 0).mean()),
        "chains": dict(sorted(Counter(antibody.chain for antibody in chains).items())),
        "sha256": digest(chains),
    }
