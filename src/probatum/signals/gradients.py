"""Gradients of each layer, after the backward pass and before anything clips them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from probatum.signals.collector import Readings
from probatum.signals.config import GradientConfig
from probatum.signals.layers import Layers
from probatum.signals.statistics import (
    SAMPLE_SIZE,
    flatten,
    joint_norm,
    magnitude_histogram,
    mean_and_std,
    norms,
    quantiles,
    share_above,
    share_below,
)


def gradient_statistics(gradients: Sequence[Tensor], config: GradientConfig) -> dict[str, Tensor]:
    """Return statistics over all elements of one layer's gradients, `()` each, on their device.

    `norm` is the L2 norm; `mean` and `std` (sample) keep the sign; `vanishing_share` and `exploding_share` are
    the shares 0..1 of |g| below and above the thresholds; `p50` is the percentile 50 of |g| over a bounded
    sample; `histogram` counts |g| of that sample, `(bins,)`; `nan_count` and `inf_count` are always there.

    Args:
        gradients: the gradients of the layer's own parameters, dense or sparse, of any float type.
        config: which statistics, and the thresholds.

    Source: seed 004 (GradientConfig).

    Example:
        >>> found = gradient_statistics([torch.tensor([3.0, 4.0])], GradientConfig(percentiles=[50]))
        >>> {name: round(float(value), 3) for name, value in found.items() if name in ("norm", "mean", "p50")}
        {'norm': 5.0, 'mean': 3.5, 'p50': 3.5}
    """
    values = flatten(gradients)
    magnitudes = values.abs()
    found = {
        "nan_count": values.isnan().count_nonzero(),
        "inf_count": magnitudes.isinf().count_nonzero(),
    }
    if config.track_norm:
        found["norm"] = torch.linalg.vector_norm(values)
    if config.track_std:
        found |= mean_and_std(values)
    if config.detect_vanishing:
        found["vanishing_share"] = share_below(magnitudes, config.vanishing_threshold)
    if config.detect_exploding:
        found["exploding_share"] = share_above(magnitudes, config.exploding_threshold)
    if config.percentiles:
        levels = quantiles(magnitudes, [percentile / 100 for percentile in config.percentiles])
        found |= {
            f"p{percentile}": level for percentile, level in zip(config.percentiles, levels, strict=True)
        }
    if config.full_histogram:
        found["histogram"] = magnitude_histogram(magnitudes)
    return found


def scaled_gradient(parameter: nn.Parameter, inverse_scale: Tensor | float | None) -> Tensor | None:
    """Return a parameter's gradient, divided by the loss scale where there is one; None where there is none.

    The gradient itself is never changed.
    """
    gradient = parameter.grad
    if gradient is None or inverse_scale is None:
        return gradient
    dense = gradient.to_dense() if gradient.layout is not torch.strided else gradient
    wide = dense.float() if dense.dtype in (torch.float16, torch.bfloat16) else dense
    return wide * inverse_scale


class GradientCollector:
    """Reads the gradients of the chosen layers on a probed step."""

    signal = "gradients"

    def __init__(self, config: GradientConfig, *, is_scaled: bool = False) -> None:
        """Read what `config` says; `is_scaled` tells that a loss scale is divided out."""
        self.config = config
        self.missing: dict[str, str] = {}
        self.taken = {
            "when": "after backward, before clipping and the optimizer's step",
            "scale": "loss scale divided out" if is_scaled else "as found: no loss scale was given",
            "axis": "all elements of the layer's own trainable parameters",
            "spread": "over the probed batches of the epoch",
            "percentiles": f"of |gradient|, a fixed sample of at most {SAMPLE_SIZE} elements",
        }

    def read(
        self, layers: Layers, inverse_scale: Tensor | float | None = None
    ) -> tuple[Readings, Tensor | None]:
        """Return the statistics of each layer, and the L2 norm `()` of every trainable parameter's gradient.

        A layer without a gradient is absent. The norm is None where nothing has a gradient.
        """
        self.missing.clear()
        readings: Readings = {}
        parts: list[Tensor] = []
        for name, own in layers.parameters.items():
            gradients = _present(list(own.values()), inverse_scale)
            if gradients and self.config.enabled:
                readings[name] = gradient_statistics(gradients, self.config)
            parts += [readings[name]["norm"]] if "norm" in readings.get(name, {}) else norms(gradients)
        parts += norms(_present(layers.others, inverse_scale))
        if not parts:
            self.missing["gradients"] = (
                "no parameter had a gradient: call observe() after backward() and before zero_grad()"
            )
        return readings, joint_norm([part.to(parts[0].device) for part in parts]) if parts else None


def _present(parameters: Sequence[nn.Parameter], inverse_scale: Tensor | float | None) -> list[Tensor]:
    found = [scaled_gradient(parameter, inverse_scale) for parameter in parameters]
    return [gradient for gradient in found if gradient is not None and gradient.numel()]
