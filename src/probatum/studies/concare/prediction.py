"""What a model says of every stay: logits, probabilities, their loss, and the task of a robustness curve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import nn

from probatum.perturbations.rank_metrics import auprc, auroc, minpse
from probatum.perturbations.task import PerturbationTask, Values
from probatum.studies.concare.batch import ICUBatch
from probatum.studies.concare.data import ICUSplit


def predicted_logits(
    model: nn.Module, batches: Iterable[ICUBatch], device: torch.device
) -> NDArray[np.float64]:
    """Return the log-odds of death of every stay, `(stays,)`, in the order of the batches."""
    with torch.inference_mode():
        parts = [model(batch.to(device)).logits.double().cpu() for batch in batches]
    return torch.cat(parts).numpy()


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of death of each stay."""
    return expit(logits)


def cross_entropy(targets: NDArray[Any], logits: NDArray[np.float64]) -> float | None:
    """Return the mean of log(1 + exp(x)) - y x in nats; None where a logit is not finite.

    Example:
        >>> round(cross_entropy(np.array([1, 0]), np.array([0.0, 0.0])), 4)
        0.6931
    """
    if not np.isfinite(logits).all():
        return None
    return float(np.mean(np.logaddexp(0.0, logits) - targets * logits))


def icu_task(
    model: nn.Module, split: ICUSplit, samples: int | None, batch_size: int, device: torch.device
) -> PerturbationTask:
    """Return the raw observations of a split's stays and what scores them.

    A value that is dropped is dropped before it could be carried forward or normalised.

    Args:
        model: a trained model, in evaluation mode.
        split: the stays.
        samples: the largest number of stays, spread evenly over the split; None for all.
        batch_size: stays per forward pass.
        device: where the model is.
    """
    count = split.count if samples is None else min(samples, split.count)
    rows = np.linspace(0, split.count - 1, count).round().astype(np.int64)
    part = split if count == split.count else ICUSplit(split.observations.take(rows), split.preprocessing)

    def predict(values: Values) -> NDArray[np.float64]:
        batches = part.evaluation_batches(batch_size, np.asarray(values, dtype=np.float32))
        return probabilities(predicted_logits(model, batches, device))

    mine = part.observations
    return PerturbationTask(
        values=mine.values,
        targets=mine.targets,
        predict=predict,
        metrics={"auroc": auroc, "auprc": auprc, "min_se_ppv": minpse},
        lengths=mine.lengths,
        channels=tuple(mine.channels),
        unit="patients",
    )
