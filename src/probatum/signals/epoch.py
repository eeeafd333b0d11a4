"""What a probe saw in one epoch: plain numbers, without torch, from which everything else is derived.

Snapshots, red flags, features, comparisons and pictures read an `EpochSignals` and nothing of the model. What
was not measured is absent and stands in `missing` with its reason; it is never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Statistic:
    """A statistic over the probed batches of one epoch; values that are not finite are counted, not averaged.

    Example:
        >>> Statistic.of([1.0, 3.0, float("nan")])
        Statistic(mean=2.0, std=1.4142135623730951, min=1.0, max=3.0, n=2, se=1.0, non_finite=1)
    """

    mean: float | None  # None where no value was finite
    std: float | None  # sample standard deviation over batches; None below two
    min: float | None
    max: float | None
    n: int  # finite values: probed batches
    se: float | None  # std / sqrt(n)
    non_finite: int = 0

    @classmethod
    def of(cls, values: Sequence[float]) -> Statistic:
        """Return the statistic of one value per probed batch."""
        finite = [value for value in values if math.isfinite(value)]
        count = len(finite)
        if not count:
            return cls(None, None, None, None, 0, None, len(values))
        mean = math.fsum(finite) / count
        std = math.sqrt(math.fsum((x - mean) ** 2 for x in finite) / (count - 1)) if count > 1 else None
        se = None if std is None else std / math.sqrt(count)
        return cls(mean, std, min(finite), max(finite), count, se, len(values) - count)

    def as_record(self) -> dict[str, Any]:
        """Return the statistic as it stands in the artifact."""
        return dict(self.__dict__)


Table = Mapping[str, Mapping[str, Statistic]]  # {layer: {statistic's name: statistic}}


@dataclass(frozen=True)
class ProbedBatch:
    """One probed batch: where it stood in the epoch and its own global numbers."""

    step: int  # counted from 0 within the epoch
    forward_passes: int  # of the probed module in train mode during the step; layers report the first
    loss: float | None
    gradient_norm: float | None  # global L2 norm, before clipping, unscaled


@dataclass(frozen=True)
class EpochSignals:
    """One epoch as a probe saw it."""

    epoch: int  # counted from 1
    gradients: Table = field(default_factory=dict)  # norm, std, mean, vanishing_share, p50, nan_count, ...
    weights: Table = field(default_factory=dict)  # norm, update_ratio
    activations: Table = field(
        default_factory=dict
    )  # mean, std, q05, q50, q95, saturated_share, dead_share, norm
    attention: Table = field(default_factory=dict)  # mean, entropy, head_agreement
    lag_curves: Mapping[str, Sequence[float]] = field(default_factory=dict)  # {layer: mass by distance back}
    histograms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # {layer: {edges, counts}}
    heads: Table = field(default_factory=dict)  # variance, skew of each output head
    totals: Mapping[str, Statistic] = field(
        default_factory=dict
    )  # gradient_norm, loss, gradient_noise_scale, ...
    own: Mapping[str, Table] = field(default_factory=dict)  # {signal: table} of collectors given to the probe
    per_class: Mapping[str, Any] = field(default_factory=dict)  # accuracy, loss, confusion, counts
    landscape: Mapping[str, Any] = field(default_factory=dict)  # sharpness, sharpness_se, eigenvalue, ...
    batches: Sequence[ProbedBatch] = ()
    missing: Mapping[str, str] = field(default_factory=dict)  # {signal: why it was not measured}
    uncovered: Sequence[str] = ()  # trainable parameters that no chosen layer covers
    overhead_seconds: float | None = None  # what the probe itself cost this epoch
