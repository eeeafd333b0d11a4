"""Signals of runs side by side, by the probe's own functions; what sorts is sorted for all runs at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from probatum.signals.activations import QUANTILES
from probatum.signals.assemble import Epoch, assemble, step_scalars
from probatum.signals.buffer import EpochBuffer
from probatum.signals.config import TelemetryConfig
from probatum.signals.epoch import EpochSignals
from probatum.signals.gradients import gradient_statistics
from probatum.signals.head_statistics import HeadStatisticsCollector
from probatum.signals.layers import Layers, select_layers
from probatum.signals.per_class import PerClassCollector
from probatum.signals.statistics import bounded_sample, flatten, joint_norm, mean_and_std, norms
from probatum.signals.weights import update_statistics
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.stacked.network import Tensors


class RunSignals:
    """One epoch of one run."""

    def __init__(self, telemetry: TelemetryConfig, layers: Layers, epoch: int) -> None:
        self.telemetry, self.layers = telemetry, layers
        self.now, self.buffer = Epoch(epoch), EpochBuffer()
        self.samples: list[tuple[str, str, Tensor]] = []  # what is to be sorted: signal, layer, values

    def record(
        self,
        loss: Tensor,
        outputs: Tensor,
        targets: Tensor,
        gradients: Mapping[str, Tensor],
        activations: Tensors,
    ) -> None:
        """Note a probed step; `gradients` are by the full names of parameters."""
        norm = self._gradients(gradients) if self.telemetry.gradients.enabled else None
        if self.telemetry.track_activation_stats:
            for layer in (name for name in activations if name in self.layers.parameters):
                self._activations(layer, activations[layer])
        if self.telemetry.track_head_statistics:
            self.buffer.add("heads", HeadStatisticsCollector().read(outputs))
        self.now.add_batch(1, targets)
        self.buffer.add("batch", step_scalars(self.now.steps, loss, norm))

    def record_update(self, before: Tensors, after: Tensors) -> None:
        """Note how far the optimizer's step moved the weights, by full names."""
        for layer, own in self.layers.parameters.items():
            pairs = [(before[name], after[name]) for name in _full(layer, own) if name in before]
            if pairs:
                found = update_statistics([old for old, _ in pairs], [new for _, new in pairs])
                self.buffer.add("weights", {layer: found})

    def signals(
        self, losses: list[float], predictions: Tensor, targets: Tensor, landscape: Any
    ) -> EpochSignals:
        """Return the epoch, after `sort`."""
        self.now.losses = losses
        self.buffer.settle()
        per_class: dict[str, Any] = {}
        if self.telemetry.per_class.enabled:
            per_class = PerClassCollector(self.telemetry.per_class).end_epoch(predictions, targets)
        return assemble(
            self.now, self.telemetry, self.buffer,
            layers=self.layers, per_class=per_class, landscape=landscape, missing={},
        )  # fmt: skip

    def _gradients(self, gradients: Mapping[str, Tensor]) -> Tensor | None:
        """Note the gradients of every layer and return the norm of all."""
        config = self.telemetry.gradients
        plain, parts = config.model_copy(update={"percentiles": []}), []
        for layer, own in self.layers.parameters.items():
            found = [gradients[name] for name in _full(layer, own) if name in gradients]
            if not found:
                continue
            statistics = gradient_statistics(found, plain)
            self.buffer.add("gradients", {layer: statistics})
            parts += [statistics["norm"]] if "norm" in statistics else norms(found)
            if config.percentiles:
                self.samples.append(("gradients", layer, bounded_sample(flatten(found)).abs()))
        parts += norms([gradients[name] for name in self.layers.uncovered if name in gradients])
        return joint_norm(parts) if parts else None

    def _activations(self, layer: str, outputs: Tensor) -> None:
        """Note a layer's outputs `(batch, height, width, channels)` or `(batch, units)`."""
        flat = outputs.reshape(-1)
        low, high = torch.aminmax(flat)
        found = {**mean_and_std(flat), "min": low, "max": high}
        found["norm"] = torch.linalg.vector_norm(flat) / len(outputs) ** 0.5
        self.buffer.add("activations", {layer: found})
        self.samples.append(("activations", layer, flat[_sampled(outputs.shape)]))


def sort_samples(runs: Sequence[RunSignals]) -> None:
    """Sort what waits, of all runs at once, and note the quantiles."""
    by_size: dict[int, list[tuple[RunSignals, str, str, Tensor]]] = {}
    for run in runs:
        for signal, layer, sample in run.samples:
            by_size.setdefault(len(sample), []).append((run, signal, layer, sample))
        run.samples = []
    for waiting in by_size.values():
        values = np.sort(torch.stack([sample for *_, sample in waiting]).numpy(), axis=1)
        for (run, signal, layer, _), row in zip(waiting, torch.from_numpy(values), strict=True):
            levels = _levels(signal, run.telemetry)
            found = quantiles_of_sorted(row, list(levels.values()))
            run.buffer.add(signal, {layer: dict(zip(levels, found, strict=True))})


def quantiles_of_sorted(values: Tensor, probabilities: Sequence[float]) -> Tensor:
    """Return quantiles of ascending values with linear interpolation; NaN, which sorts last, gives NaN.

    Example:
        >>> quantiles_of_sorted(torch.arange(101.0), [0.05, 0.5]).tolist()
        [5.0, 50.0]
    """
    places = torch.tensor(probabilities, dtype=values.dtype) * (len(values) - 1)
    below = places.floor().long()
    found = torch.lerp(values[below], values[places.ceil().long()], places - below)
    return found if not math.isnan(values[-1]) else torch.full_like(found, torch.nan)


@lru_cache(maxsize=8)
def layers_with(blueprint: str | None, in_channels: int, classes: int, wanted: Any) -> Layers:
    """Return the layers that a probe would choose on a network with that seed; its parameters hold no numbers."""
    network = GrowingNetwork.on_nothing(in_channels, classes)
    if blueprint is not None:
        with torch.device("meta"):
            network.plant(blueprint)
    return select_layers(network, wanted if isinstance(wanted, str) else list(wanted))


def _full(layer: str, own: Mapping[str, Any]) -> list[str]:
    return [f"{layer}.{short}" for short in own]


def _levels(signal: str, telemetry: TelemetryConfig) -> dict[str, float]:
    if signal == "activations":
        return QUANTILES
    return {f"p{percentile}": percentile / 100 for percentile in telemetry.gradients.percentiles}


@lru_cache(maxsize=64)
def _sampled(shape: torch.Size) -> Tensor:
    """Return where the probe's bounded sample of `(batch, channels, height, width)` lies with channels last."""
    count = math.prod(shape)
    order = torch.arange(count, dtype=torch.float64)
    if len(shape) == 4:
        order = order.view(shape).permute(0, 3, 1, 2)
    return bounded_sample(order).long()
