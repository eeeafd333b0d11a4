"""One epoch's readings put together as `EpochSignals`: plain numbers, with what is missing and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from probatum.signals.buffer import EpochBuffer, Values, mean_curve, tables
from probatum.signals.config import TelemetryConfig
from probatum.signals.epoch import EpochSignals, ProbedBatch, Statistic
from probatum.signals.layers import Layers
from probatum.signals.loss_noise import loss_noise
from probatum.signals.noise_scale import NO_PAIR, NOT_POSITIVE, in_examples, noise_ratio
from probatum.signals.statistics import HISTOGRAM_EDGES


@dataclass
class Epoch:
    """What the host knows of the epoch that is under way."""

    epoch: int
    steps: int = 0  # observed so far
    losses: list[float] = field(default_factory=list)  # those already read from the device
    batches: list[tuple[int, int | None]] = field(default_factory=list)  # step, passes (None: not counted)
    examples: list[int] = field(default_factory=list)  # of the probed batches whose targets were given

    def add_batch(self, passes: int | None, targets: Any) -> None:
        """Note that the present step was probed."""
        self.batches.append((self.steps, passes))
        has_length = bool(targets.dim()) if isinstance(targets, Tensor) else isinstance(targets, Sized)
        if has_length and not isinstance(targets, (Mapping, str)):
            self.examples.append(len(targets))

    def state_dict(self) -> dict[str, Any]:
        """Return plain numbers."""
        return {
            "epoch": self.epoch,
            "steps": self.steps,
            "losses": list(self.losses),
            "batches": [list(batch) for batch in self.batches],
            "examples": list(self.examples),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up an interrupted epoch."""
        self.epoch, self.steps = state["epoch"], state["steps"]
        self.losses, self.examples = list(state["losses"]), list(state["examples"])
        self.batches = [(step, passes) for step, passes in state["batches"]]


def step_scalars(step: int, loss: Tensor | float | None, norm: Tensor | None) -> dict[str, dict[str, Tensor]]:
    """Return a probed step's own numbers in the form of a reading, under the step's number."""
    scalars: dict[str, Tensor] = {}
    if loss is not None:
        scalars["loss"] = torch.as_tensor(loss).detach().reshape(())
    if norm is not None:
        scalars["gradient_norm"] = norm
    return {str(step): scalars}


def assemble(
    now: Epoch,
    config: TelemetryConfig,
    buffer: EpochBuffer,
    *,
    layers: Layers,
    per_class: Mapping[str, Any],
    landscape: Mapping[str, Any],
    missing: Mapping[str, str],
    own: Sequence[str] = (),
) -> EpochSignals:
    """Return the epoch's signals from a settled buffer."""
    totals, reasons = _totals(now, config, buffer)
    gradients, weights = tables(buffer.of("gradients")), _without_empty_ratios(buffer.of("weights"))
    if config.gradients.enabled and now.batches and "gradients" not in missing:
        reasons |= {
            f"gradients: {name}": "no gradient in any probed step"
            for name in layers.parameters
            if name not in gradients
        }
    return EpochSignals(
        epoch=now.epoch,
        gradients=gradients,
        weights=weights,
        activations=tables(buffer.of("activations")),
        attention=tables(buffer.of("attention")),
        lag_curves=_lag_curves(buffer.of("attention")),
        histograms=_histograms(buffer.of("gradients")),
        heads=tables(buffer.of("heads")),
        totals=totals,
        own={name: found for name in own if (found := tables(buffer.of(name)))},
        per_class=per_class,
        landscape=landscape,
        batches=_batches(now, buffer.of("batch")),
        missing={**reasons, **missing},
        uncovered=layers.uncovered,
    )


def _totals(
    now: Epoch, config: TelemetryConfig, buffer: EpochBuffer
) -> tuple[dict[str, Statistic], dict[str, str]]:
    """Return the numbers of the whole network, and why some are missing."""
    totals: dict[str, Statistic] = {}
    missing: dict[str, str] = {}
    norms = [norm for own in buffer.of("batch").values() for norm in own.get("gradient_norm", ())]
    if norms:
        totals["gradient_norm"] = Statistic.of(norms)
    if now.losses:
        totals["loss"] = Statistic.of(now.losses)
    noise = loss_noise(now.losses)
    if noise is not None:
        totals["loss_noise"] = noise
    else:
        missing["loss_noise"] = f"needs three finite losses given to observe(), got {len(now.losses)}"
    if config.gradients.noise_scale:
        _add_noise_scale(now, buffer.of("noise").get("", {}), totals, missing)
    return totals, missing


def _add_noise_scale(
    now: Epoch, moments: Mapping[str, list[float]], totals: dict[str, Statistic], missing: dict[str, str]
) -> None:
    products, squares = moments.get("product", []), moments.get("square", [])
    if not products:
        missing["gradient_noise_scale"] = NO_PAIR
        return
    totals["gradient_product"] = Statistic.of(products)  # estimates |G|²; may be averaged over epochs
    totals["gradient_square"] = Statistic.of(squares)  # estimates |G|² + tr(Σ) / B
    ratio = noise_ratio(products, squares)
    if ratio is None:
        missing["gradient_noise_scale"] = NOT_POSITIVE
        return
    totals["gradient_noise_batches"] = ratio
    if now.examples:
        totals["gradient_noise_scale"] = in_examples(ratio, math.fsum(now.examples) / len(now.examples))
    else:
        missing["gradient_noise_scale"] = (
            "in batches only (gradient_noise_batches): give observe() the targets, whose length is the batch size"
        )


def _without_empty_ratios(values: Values) -> dict[str, dict[str, Statistic]]:
    """Return the weights' statistics; a layer whose norm is 0 has no update ratio, which is no NaN to report."""
    kept: Values = {}
    for layer, own in values.items():
        ratios = [
            ratio
            for ratio, norm in zip(own["update_ratio"], own["norm"], strict=True)
            if norm != 0 or not math.isnan(ratio)
        ]
        kept[layer] = {name: found for name, found in own.items() if name != "update_ratio"}
        kept[layer] |= {"update_ratio": ratios} if ratios else {}
    return tables(kept)


def _lag_curves(values: Values) -> dict[str, Any]:
    return {layer: mean_curve(own["lag_curve"]) for layer, own in values.items() if "lag_curve" in own}


def _histograms(values: Values) -> dict[str, dict[str, Any]]:
    """Return the summed counts of each layer's gradient magnitudes: within the edges, below and above them."""
    found: dict[str, dict[str, Any]] = {}
    for layer, own in values.items():
        if "histogram" in own:
            counts = [int(sum(bin_counts)) for bin_counts in zip(*own["histogram"], strict=True)]
            found[layer] = {
                "of": "|gradient|",
                "edges": list(HISTOGRAM_EDGES),
                "counts": counts[1:-1],
                "below": counts[0],
                "above": counts[-1],
                "n": sum(counts),
            }
    return found


def _batches(now: Epoch, scalars: Values) -> list[ProbedBatch]:
    found: list[ProbedBatch] = []
    for step, passes in now.batches:
        own = scalars.get(str(step), {})
        loss, norm = (_finite(own.get(name, [None])[0]) for name in ("loss", "gradient_norm"))
        found.append(ProbedBatch(step, passes or 0, loss, norm))
    return found


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
