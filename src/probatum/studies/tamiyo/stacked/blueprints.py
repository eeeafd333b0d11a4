"""The four blueprints for runs side by side; `blueprints` has the modules that they equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from probatum.studies.tamiyo.stacked.block import EPSILON, block, fixed_block

if TYPE_CHECKING:
    from probatum.studies.tamiyo.stacked.network import Look, Stacked

Seed = Callable[[Tensor, "Stacked", bool, "Look | None"], Tensor]


def conv_enhance(inputs: Tensor, seeds: Stacked, training: bool, look: Look | None) -> Tensor:
    """Return x + two rounds of convolution, batch normalisation, ReLU."""
    hidden = _round(inputs, seeds, "1", training, look)
    return inputs + _round(hidden, seeds, "2", training, look)


def attention(inputs: Tensor, seeds: Stacked, training: bool, look: Look | None) -> Tensor:
    """Return the channels scaled by what all channels' means say."""
    squeezed = _noted(look, "squeeze", torch.bmm(inputs.mean((2, 3)), seeds.weights["squeeze.weight"].mT))
    excited = _noted(look, "excite", torch.bmm(squeezed.relu(), seeds.weights["excite.weight"].mT))
    return inputs * excited.sigmoid()[:, :, None, None]


def norm(inputs: Tensor, seeds: Stacked, training: bool, look: Look | None) -> Tensor:
    """Return x + s * (group normalisation of x - x)."""
    runs, channels = len(inputs), inputs.shape[-1]
    groups = min(32, channels)
    split = inputs.unflatten(-1, (groups, channels // groups))  # (runs, batch, h, w, groups, channels of one)
    variance, mean = torch.var_mean(split, (2, 3, 5), correction=0, keepdim=True)
    normal = ((split - mean) * (variance + EPSILON).rsqrt()).flatten(-2)
    across = (runs, 1, 1, 1, -1)
    weights = seeds.weights
    normal = normal * weights["norm.weight"].view(across) + weights["norm.bias"].view(across)
    _noted(look, "norm", normal)
    return _noted(look, "", inputs + weights["scale"].view(across) * (normal - inputs))


def depthwise(inputs: Tensor, seeds: Stacked, training: bool, look: Look | None) -> Tensor:
    """Return x + ReLU of the batch normalised 1 x 1 convolution of a depthwise 3 x 3 one."""
    runs, batch, height, width, channels = inputs.shape
    images = inputs.permute(1, 0, 4, 2, 3).reshape(batch, runs * channels, height, width)
    kernels = seeds.weights["depthwise.weight"].flatten(0, 1)
    deep = conv2d(images, kernels, padding=1, groups=runs * channels)
    deep = deep.view(batch, runs, channels, height, width).permute(1, 0, 3, 4, 2)
    _noted(look, "depthwise", deep)
    rows = deep.reshape(runs, -1, channels)
    points = torch.bmm(rows, seeds.weights["pointwise.weight"].flatten(2).mT).view(inputs.shape)
    return inputs + _normal(_noted(look, "pointwise", points), seeds, training, look)


SEEDS: dict[str, Seed] = {
    "conv_enhance": conv_enhance,
    "attention": attention,
    "norm": norm,
    "depthwise": depthwise,
}


def _round(inputs: Tensor, seeds: Stacked, number: str, training: bool, look: Look | None) -> Tensor:
    names = (f"conv{number}.weight", f"norm{number}.weight", f"norm{number}.bias")
    weights, running = seeds.three(*names), seeds.running(f"norm{number}")
    if not training:
        return fixed_block(inputs, *weights, running, pools=False)
    take = None if look is None else look.block(f".conv{number}", f".norm{number}")
    return block(inputs, *weights, running, pools=False, take=take)


def _normal(inputs: Tensor, seeds: Stacked, training: bool, look: Look | None) -> Tensor:
    """Return ReLU of the batch normalised inputs of a depthwise seed."""
    across = (len(inputs), 1, 1, 1, -1)
    weight, bias = (seeds.weights[f"norm.{name}"].view(across) for name in ("weight", "bias"))
    running = seeds.running("norm")
    if training:
        variance, mean = torch.var_mean(inputs, (1, 2, 3), correction=0, keepdim=True)
        count = inputs[0].numel() // inputs.shape[-1]
        running.note(mean.detach().flatten(1), variance.detach().flatten(1), count)
    else:
        mean, variance = running.mean.view(across), running.variance.view(across)
    normal = (inputs - mean) * (variance + EPSILON).rsqrt() * weight + bias
    return _noted(look, "norm", normal).relu()


def _noted(look: Look | None, layer: str, outputs: Tensor) -> Tensor:
    if look is not None:
        look.layer(f".{layer}" if layer else "", outputs)
    return outputs
