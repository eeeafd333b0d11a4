"""What a run's hidden cause, and what mends it, do to its own gradients among those of runs side by side."""

from __future__ import annotations

import torch

from probatum.signals.layers import Layers
from probatum.studies.tamiyo.causes import initial_spread
from probatum.studies.tamiyo.stacked.network import Tensors
from probatum.studies.tamiyo.stacked.run import StackedRun
from probatum.studies.tamiyo.stacked.signals import layers_with


def are_changed(run: StackedRun) -> bool:
    """Return whether anything changes a run's gradients."""
    return run.cause.gradient_factor != 1.0 or bool(run.cause.jitter) or run.mending.rescales_gradients


def change_gradients(run: StackedRun, gradients: Tensors) -> None:
    """Do in place, in this order, what `causes.weaken`, `causes.jitter` and `mending.rescale_gradients` do."""
    own = run.cause
    for name, gradient in gradients.items():
        if own.gradient_factor != 1.0 and not name.startswith("host.classifier"):
            gradient.mul_(own.gradient_factor)
    for gradient in gradients.values():
        if own.jitter and gradient.ndim > 1:
            noise = torch.randn(gradient.shape, generator=run.noise)
            gradient.add_(noise, alpha=own.jitter * initial_spread(gradient))
    if run.mending.rescales_gradients:
        facts = run.data.facts
        _rescale(
            gradients, layers_with(run.lifecycle.blueprint, facts["in_channels"], facts["classes"], "all")
        )


def _rescale(gradients: Tensors, layers: Layers) -> None:
    """Give every layer's gradient the largest norm of any layer; a layer of zeros keeps them."""
    names = [[f"{layer}.{short}" for short in own] for layer, own in layers.parameters.items()]
    found = [[gradients[name] for name in own if name in gradients] for own in names]
    found = [own for own in found if own]
    norms = torch.stack([torch.linalg.vector_norm(torch.cat([g.flatten() for g in own])) for own in found])
    factors = torch.where(norms > 0, norms.max() / norms.clamp(min=torch.finfo(norms.dtype).tiny), 1.0)
    for own, factor in zip(found, factors, strict=True):
        for gradient in own:
            gradient.mul_(factor)
