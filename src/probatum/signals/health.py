"""Gradient health: one number in [0, 1] that compares every layer with its own past.

Fixed limits alone never fire on an ordinary network, and a layer whose gradients are all NaN passes every
comparison: both are answered here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pvariance
from typing import Any

Layers = Mapping[str, Mapping[str, float | None]]  # {layer: {statistic's name: mean over the probed batches}}


@dataclass(frozen=True)
class HealthLimits:
    """The limits of gradient health; the shares are those of seed 004's tracker."""

    vanishing_share: float = 0.5  # of a layer's gradients: from here on it counts as vanishing
    exploding_share: float = 0.01
    free_decades: float = 1.0  # a norm may wander this far from its own median at no cost
    full_decades: float = 3.0  # from here on the layer is fully ill
    min_epochs: int = 3  # of history before a layer is compared with itself


LIMITS = HealthLimits()
HALF_WAY = 0.5  # of the drift between free and fully ill


def gradient_health(
    layers: Layers,
    history: Sequence[Layers] = (),
    total_norm: float | None = None,
    limits: HealthLimits = LIMITS,
) -> dict[str, Any] | None:
    """Return the health of an epoch's gradients, None where none was measured.

    Badness of a layer, in [0, 1], is the largest of what was measured of it::

        non-finite   share of probed batches whose gradient holds NaN or Inf
        vanishing    (vanishing_share - 0.5) / 0.5, not below 0
        exploding    exploding_share / 0.01, not above 1
        fading       (log10(own median over the history / norm) - 1) / 2, in [0, 1]
        growing      (log10(norm / own median over the history) - 1) / 2, in [0, 1]

    and `score = 1 - (mean badness + largest badness) / 2`: one layer that is wholly ill cannot hide among
    many healthy ones. Vanishing layers are those past the share of 0.5 or more than half way to fully faded
    (two decades); exploding layers likewise.

    Args:
        layers: `norm`, `vanishing_share`, `exploding_share`, `non_finite_share` of each layer, where measured.
        history: The same of earlier epochs, oldest first.
        total_norm: The global L2 norm; else the root of the layers' summed squares.
        limits: The limits above.

    Source: seed 004, DiagnosticTracker; the relative part and the NaN part are this project's.

    Example:
        >>> health = gradient_health({"a": {"norm": 1.0}, "b": {"norm": None, "non_finite_share": 1.0}})
        >>> health["score"], health["non_finite_layers"]
        (0.25, ['b'])
    """
    if not layers:
        return None
    signs = {
        name: _signs(own, [past.get(name, {}).get("norm") for past in history], limits)
        for name, own in layers.items()
    }
    measured = [max(sign.values()) for sign in signs.values() if sign]
    norms = [norm for own in layers.values() if (norm := own.get("norm")) is not None]
    total = math.sqrt(math.fsum(norm**2 for norm in norms)) if norms else None
    return {
        "score": 1.0 - (fmean(measured) + max(measured)) / 2 if measured else None,
        "overall_norm": total if total_norm is None else total_norm,
        "norm_variance": pvariance(norms) if norms else None,
        "vanishing_layers": [
            name
            for name, own in signs.items()
            if own.get("vanishing", 0.0) > 0 or own.get("fading", 0.0) > HALF_WAY
        ],
        "exploding_layers": [
            name
            for name, own in signs.items()
            if own.get("exploding", 0.0) >= 1 or own.get("growing", 0.0) > HALF_WAY
        ],
        "non_finite_layers": [name for name, own in signs.items() if own.get("non_finite", 0.0) > 0],
    }


def _signs(
    own: Mapping[str, float | None], past: Sequence[float | None], limits: HealthLimits
) -> dict[str, float]:
    """Return how ill a layer is, by each sign that was measured."""
    signs: dict[str, float] = {}
    if (share := own.get("non_finite_share")) is not None:
        signs["non_finite"] = _unit(share)
    if (share := own.get("vanishing_share")) is not None:
        signs["vanishing"] = _unit((share - limits.vanishing_share) / (1 - limits.vanishing_share))
    if (share := own.get("exploding_share")) is not None:
        signs["exploding"] = _unit(share / limits.exploding_share)
    if (norm := own.get("norm")) is not None:
        decades = _decades(norm, past, limits)
        span = limits.full_decades - limits.free_decades
        signs["fading"] = _unit((-decades - limits.free_decades) / span)
        signs["growing"] = _unit((decades - limits.free_decades) / span)
    return signs


def _decades(norm: float, past: Sequence[float | None], limits: HealthLimits) -> float:
    """Return log10 of a norm over its own median: 0 without enough history, -inf for a norm of 0."""
    positive = [value for value in past if value]
    if len(positive) < limits.min_epochs:
        return 0.0
    return math.log10(norm / median(positive)) if norm > 0 else -math.inf


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
