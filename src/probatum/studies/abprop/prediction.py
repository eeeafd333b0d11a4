"""What a model says of a whole split, and the metrics of that with the nulls beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from probatum.studies.abprop.baselines import Baselines
from probatum.studies.abprop.batching import AntibodySplit
from probatum.studies.abprop.masking import hidden
from probatum.studies.abprop.metrics import cdr_metrics, perplexity, rate_metrics
from probatum.training.study import Metrics

EVALUATION_BATCH_SIZE = 128
NO_PLACES = torch.empty(0, dtype=torch.int64)


class Predictions(NamedTuple):
    """What a model says, in the order of the split."""

    residue_losses: NDArray[np.float32]  # (hidden,) nats, of the residues that were hidden
    cdr_losses: NDArray[np.float32]  # (residues,) nats
    is_cdr: NDArray[np.bool_]  # (residues,)
    rates: NDArray[np.float32]  # (sequences, keys), standardised


def predict(model: nn.Module, split: AntibodySplit, device: torch.device) -> Predictions:
    """Return what `model`, in evaluation mode, says of `split`.

    Two passes: one with hidden residues, to guess them; one over the whole sequences, for CDRs and rates.
    """
    residue_losses, cdr_losses = (torch.zeros(len(split.tokens)) for _ in range(2))
    is_cdr = torch.zeros(len(split.tokens), dtype=torch.bool)
    rates = torch.zeros_like(split.rates)
    for batch in split.evaluation_batches(EVALUATION_BATCH_SIZE):
        flat, real = split.places(batch.index.numpy())
        chosen = split.hidden[flat] & real
        masked = hidden(batch, chosen)
        guessed = model(batch._replace(tokens=masked.tokens).to(device), masked.places.to(device))
        losses = cross_entropy(guessed.residue_logits.float(), masked.targets.to(device), reduction="none")
        residue_losses[flat[chosen]] = losses.cpu()
        output = model(batch.to(device), NO_PLACES.to(device))
        logits = output.cdr_logits.float().cpu()[batch.residues]  # (residues, 2)
        targets = (batch.regions[batch.residues] > 0).long()
        at = flat[batch.residues]
        cdr_losses[at] = cross_entropy(logits, targets, reduction="none")
        is_cdr[at] = logits[:, 1] > logits[:, 0]
        rates[batch.index] = output.rates.float().cpu()
    residues = split.regions >= 0
    return Predictions(
        residue_losses[split.hidden].numpy(),
        cdr_losses[residues].numpy(),
        is_cdr[residues].numpy(),
        rates.numpy(),
    )


def evaluation(
    model: nn.Module, split: AntibodySplit, parameters: Any, names: tuple[str, ...], device: torch.device
) -> Metrics:
    """Return the losses and metrics of `model` on `split`; `loss` is their weighted sum, as in training."""
    found = predict(model, split, device)
    targets = split.rates.numpy()
    losses = {
        "mlm": _mean(found.residue_losses),
        "cls": _mean(found.cdr_losses),
        "reg": _mean((found.rates - targets) ** 2),
    }
    weights = {"mlm": parameters.mlm_weight, "cls": parameters.cls_weight, "reg": parameters.reg_weight}
    total = sum(weight * (losses[task] or 0.0) for task, weight in weights.items())
    return {
        "loss": total,
        **{f"{task}_loss": loss for task, loss in losses.items()},
        "mlm_perplexity": perplexity(found.residue_losses),
        **cdr_metrics(residue_regions(split), found.is_cdr),
        **rate_metrics(targets, found.rates, names),
    }


def nulls(split: AntibodySplit, baselines: Baselines, rule_rates: NDArray, names: tuple[str, ...]) -> Metrics:
    """Return what the baselines reach on `split`, as `null_<metric>_<baseline>`.

    Args:
        split: whose sequences are judged.
        baselines: fitted on training.
        rule_rates: standardised, what the motif rules say `(sequences, keys)`.
        names: of the keys.
    """
    regions = residue_regions(split)
    by_cdr = {"majority": np.zeros(len(regions), dtype=bool), "position": baselines.cdr_at(split)}
    by_rate = {"mean": np.zeros_like(rule_rates), "motif_rules": rule_rates}  # standardised: the mean is 0
    found: Metrics = {
        f"null_mlm_perplexity_{name}": value
        for name, value in baselines.perplexities(split, split.hidden).items()
    }
    for name, is_cdr in by_cdr.items():
        found |= _named(cdr_metrics(regions, is_cdr), name)
    for name, rates in by_rate.items():
        found |= _named(rate_metrics(split.rates.numpy(), rates, names), name)
    return found


def residue_regions(split: AntibodySplit) -> NDArray[np.int64]:
    """Return the region of every residue, flat."""
    return split.regions[split.regions >= 0].numpy()


def _named(metrics: Mapping[str, float | None], baseline: str) -> Metrics:
    return {f"null_{name}_{baseline}": value for name, value in metrics.items()}


def _mean(values: NDArray) -> float | None:
    return float(np.mean(values, dtype=np.float64)) if values.size else None
