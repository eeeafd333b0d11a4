"""What is measured of runs side by side between epochs: predictions, accuracies, and the loss around weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from probatum.studies.tamiyo.single_run import ACCURACY_UPPER, EVALUATION_BATCH_SIZE, LANDSCAPE_SAMPLE_SIZE
from probatum.studies.tamiyo.stacked.images import CutImages
from probatum.studies.tamiyo.stacked.landscape import measure
from probatum.studies.tamiyo.stacked.losses import cross_entropies
from probatum.studies.tamiyo.stacked.network import Group, Stacked, StackedNetwork
from probatum.studies.tamiyo.stacked.run import StackedRun


class Validated(NamedTuple):
    """One run after an epoch."""

    logits: Tensor  # (images, classes)
    labels: Tensor
    loss: float
    accuracy: float  # in percent
    seed_accuracy: float  # with the seed in place where one trains aside
    landscape: dict[str, Any]


def network_of(host: Stacked, runs: Sequence[StackedRun]) -> StackedNetwork:
    """Return the runs' network; what `causes.narrow` did to a run's slot holds for its row."""
    slots = [run.network.slot for run in runs]
    is_narrow = any(slot.is_narrow for slot in slots)
    return StackedNetwork(host, torch.stack([slot.through for slot in slots]) if is_narrow else None)


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of hits in percent."""
    return ACCURACY_UPPER * int((logits.argmax(1) == labels).sum()) / len(labels)


def predict(
    network: StackedNetwork, groups: list[Group], images: CutImages, split: str
) -> tuple[Tensor, list[Tensor | None]]:
    """Return logits `(runs, images, classes)` of a split, and for each group those with its seeds in place."""
    patches, _ = images.of(split)
    runs = len(network.host.weights["classifier.bias"])
    parts = [
        network.predict(own.expand(runs, *own.shape), groups) for own in patches.split(EVALUATION_BATCH_SIZE)
    ]
    beside = [
        None if own[0] is None else torch.cat(own, 1)
        for own in zip(*(aside for _, aside in parts), strict=True)
    ]
    return torch.cat([logits for logits, _ in parts], 1), beside


def validate(
    network: StackedNetwork, groups: list[Group], runs: Sequence[StackedRun], images: CutImages
) -> list[Validated]:
    """Return each run on the validation split, with what its telemetry asks of the loss around its weights."""
    patches, labels = images.of("valid")
    logits, beside = predict(network, groups, images, "valid")
    weights = torch.ones_like(logits[:, 0])
    losses = cross_entropies(logits, labels.expand(len(runs), -1), weights).tolist()
    alone = {
        place: own[row]
        for own, group in zip(beside, groups, strict=True)
        if own is not None
        for row, place in enumerate(group.places.tolist())
    }
    sample = patches[:LANDSCAPE_SAMPLE_SIZE], labels[:LANDSCAPE_SAMPLE_SIZE]
    return [
        Validated(
            own, labels, losses[place], accuracy(own, labels), accuracy(alone.get(place, own), labels),
            landscape_of(network, runs[place], place, sample),
        )
        for place, own in enumerate(logits)
    ]  # fmt: skip


def landscape_of(
    network: StackedNetwork, run: StackedRun, place: int, sample: tuple[Tensor, Tensor]
) -> dict[str, Any]:
    """Return the loss around the weights of the run at `place`, empty where its telemetry asks for none."""
    config = run.telemetry.loss_landscape
    if not (config.enabled and config.estimate_sharpness):
        return {}
    row = torch.tensor([place])
    through = None if network.through is None else network.through[row]
    seeds = None
    if run.seed is not None and run.is_in_place and run.lifecycle.alpha > 0:
        alpha = torch.tensor([run.lifecycle.alpha])
        seeds = Group(run.lifecycle.blueprint or "", torch.tensor([0]), False, alpha, run.seed)
    unheard = run.seed.weights if run.seed is not None and seeds is None else {}
    own = StackedNetwork(network.host.rows(row), through)
    return measure(own, seeds, unheard, sample, config, run.probed.seed, run.directions)
