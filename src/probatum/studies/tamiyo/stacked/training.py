"""Epochs of runs side by side: their steps, and what is told after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from probatum.signals.layers import Layers
from probatum.studies.tamiyo.single_run import ACCURACY_UPPER
from probatum.studies.tamiyo.stacked.descent import descend, prepare
from probatum.studies.tamiyo.stacked.gradients import are_changed, change_gradients
from probatum.studies.tamiyo.stacked.images import CutImages
from probatum.studies.tamiyo.stacked.losses import Taken, cross_entropies
from probatum.studies.tamiyo.stacked.network import Group, Stacked, StackedNetwork, Watched
from probatum.studies.tamiyo.stacked.run import StackedRun
from probatum.studies.tamiyo.stacked.seeds import (
    give_back,
    gradients_of,
    groups_of,
    non_finite,
    together,
    weights_of,
)
from probatum.studies.tamiyo.stacked.signals import RunSignals, layers_with, sort_samples
from probatum.studies.tamiyo.stacked.validation import accuracy, network_of, predict, validate


class Stack:
    """Runs of one batch size whose hosts are one stack.

    Args:
        runs: The runs.
        host: Their hosts, in the same order.
        images: The data.
    """

    def __init__(self, runs: Sequence[StackedRun], host: Stacked, images: CutImages) -> None:
        self.runs, self.host, self.images = list(runs), host, images
        self.telemetry = self.runs[0].telemetry

    @classmethod
    def of(cls, runs: Sequence[StackedRun], images: CutImages) -> Stack:
        """Return fresh runs."""
        return cls(runs, together([run.first_host() for run in runs]), images)

    def fork(self, index: int) -> Stack:
        """Return an exact copy of one run."""
        return Stack([self.runs[index].fork()], self.host.rows(torch.tensor([index])), self.images)

    def train_epoch(self) -> None:
        """Train and validate one epoch of every run, and tell it."""
        for run in self.runs:
            run.start_epoch()
        groups = groups_of(self.runs)
        prepare([self.host, *(group.seeds for group in groups)])
        network = network_of(self.host, self.runs)
        signals = [RunSignals(self.telemetry, self._layers(run), run.epoch) for run in self.runs]
        probed = [set(run.probed.steps(run.epoch)) for run in self.runs]
        taken = Taken(len(self.runs))
        batches = zip(*(run.batch_rows for run in self.runs), strict=True)
        for step, rows in enumerate(batches):
            places = [place for place, own in enumerate(probed) if step in own]
            self._step(network, groups, torch.stack(rows), signals, places, taken)
            for own in signals:
                own.now.steps += 1
        sort_samples(signals)
        broken = non_finite(self.runs, groups)
        give_back(self.runs, groups)
        self._conclude(network, groups, signals, taken, broken)

    def accuracies(self, split: str) -> list[float]:
        """Return the accuracy of every run on a split, in percent."""
        _, labels = self.images.of(split)
        logits, _ = predict(network_of(self.host, self.runs), groups_of(self.runs), self.images, split)
        return [accuracy(own, labels) for own in logits]

    def _layers(self, run: StackedRun) -> Layers:
        wanted = self.telemetry.gradients.layers
        facts = run.data.facts
        chosen = wanted if isinstance(wanted, str) else tuple(wanted)
        return layers_with(run.lifecycle.blueprint, facts["in_channels"], facts["classes"], chosen)

    def _step(
        self, network: StackedNetwork, groups: list[Group], rows: Tensor, signals: list[RunSignals],
        places: list[int], taken: Taken,
    ) -> None:  # fmt: skip
        """Take a step; the runs at `places` are probed."""
        patches, every = self.images.of("train")
        labels = every[rows]
        looks = bool(places) and self.telemetry.track_activation_stats
        watched = Watched(places) if looks else None
        logits, beside = network.train(patches[rows], groups, watched)
        losses, total = self._losses(logits, beside, labels, groups, taken)
        total.backward()
        logits, losses = logits.detach(), losses.detach()
        taken.note(losses, (logits.argmax(-1) == labels).sum(1))
        for place, run in enumerate(self.runs):
            if are_changed(run):
                change_gradients(run, gradients_of(self.host, groups, place))
        for place in places:
            seen = {} if watched is None else watched.outputs[place]
            gradients = gradients_of(self.host, groups, place)
            signals[place].record(losses[place], logits[place], labels[place], gradients, seen)
        self._descend(groups, signals, places)

    def _losses(
        self, logits: Tensor, beside: list[Tensor | None], labels: Tensor, groups: list[Group], taken: Taken
    ) -> tuple[Tensor, Tensor]:
        """Return every run's loss, and the sum of all with those of seeds that train aside."""
        weights = self._class_weights(logits)
        losses = cross_entropies(logits, labels, weights)
        total = losses.sum()
        for own, group in zip(beside, groups, strict=True):
            if own is not None:
                aside = cross_entropies(own, labels[group.places], weights[group.places]).sum()
                taken.violations[group.places] += self._reached(aside)
                total = total + aside
        return losses, total

    def _class_weights(self, logits: Tensor) -> Tensor:
        plain = logits.new_ones(logits.shape[-1])
        return torch.stack([plain if run.class_weights is None else run.class_weights for run in self.runs])

    def _reached(self, aside: Tensor) -> int:
        """Return how many of a host's parameters the seeds' own loss reaches."""
        weights = list(self.host.weights.values())
        found = torch.autograd.grad(aside, weights, retain_graph=True, allow_unused=True)
        return sum(gradient is not None for gradient in found)

    def _descend(self, groups: list[Group], signals: list[RunSignals], places: list[int]) -> None:
        """Take the optimisers' step, and note how far it went where that is asked for."""
        noted = places if self.telemetry.track_weight_norms else []
        before = {
            place: {name: own.clone() for name, own in weights_of(self.host, groups, place).items()}
            for place in noted
        }
        descend(self.host, groups, self.runs)
        for place, kept in before.items():
            signals[place].record_update(kept, weights_of(self.host, groups, place))

    def _conclude(
        self, network: StackedNetwork, groups: list[Group], signals: list[RunSignals],
        taken: Taken, broken: list[int],
    ) -> None:  # fmt: skip
        """Validate every run and let it note its epoch."""
        found = validate(network, groups, self.runs, self.images)
        train_losses, hits, steps = taken.read()
        for place, (run, own) in enumerate(zip(self.runs, found, strict=True)):
            metrics = {
                "train_loss": train_losses[place], "val_loss": own.loss, "val_accuracy": own.accuracy,
                "train_accuracy": ACCURACY_UPPER * hits[place] / len(run.rows),
            }  # fmt: skip
            told = signals[place].signals(steps[place], own.logits, own.labels, own.landscape)
            run.conclude(told, metrics, own.seed_accuracy, (int(taken.violations[place]), broken[place]))
