"""Sharpness of a run's loss, all perturbed weights at once; `signals.landscape` has the definition.

The same seed draws the same directions in every epoch, so that they are drawn once and kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from probatum._onednn import product
from probatum.signals.config import LossLandscapeConfig
from probatum.signals.landscape import standard_error
from probatum.studies.tamiyo.stacked.block import EPSILON
from probatum.studies.tamiyo.stacked.network import Group, Stacked, StackedNetwork, Tensors

PART_SIZE = 16  # of `signals.landscape.LandscapeSample.of`


def measure(
    network: StackedNetwork, seeds: Group | None, alone: Tensors, sample: tuple[Tensor, Tensor],
    config: LossLandscapeConfig, seed: int, kept: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return sharpness, its standard error and the root mean square of the slope, of one run.

    Args:
        network: The run's, as a stack of one.
        seeds: The seed that its slot lets through, if any.
        alone: Weights of a seed that the network does not hear; they draw directions and change nothing.
        sample: Patches as `cut_block` takes them, and labels.
        config: How many directions, and how far.
        seed: Of the directions.
        kept: Where they are kept between epochs.
    """
    pairs, step = config.perturbation_samples, config.perturbation_scale
    parts = len(sample[1]) // PART_SIZE
    patches, labels = (own[: parts * PART_SIZE] for own in sample)
    heard = {} if seeds is None else seeds.seeds.weights
    weights = {f"host.{name}": own[0] for name, own in network.host.weights.items()}
    weights |= {f"slot.seed.{name}": own[0] for name, own in (heard or alone).items()}
    weights = {name: own.detach() for name, own in weights.items() if own.ndim > 1}
    units = _directions(weights, parts * pairs, seed, kept)
    centre = _losses(network, seeds, {}, patches[None], labels[None]).view(parts, -1).mean(1, keepdim=True)
    around = []
    for part in range(parts):  # few weights at a time stay in the cache, and their memory is used again
        own, images = slice(part * pairs, (part + 1) * pairs), slice(part * PART_SIZE, (part + 1) * PART_SIZE)
        moved = {name: _moved(weight, units[name][own], step) for name, weight in weights.items()}
        copies = (
            patches[images].expand(2 * pairs, *[-1] * patches.ndim),
            labels[images].expand(2 * pairs, -1),
        )
        around.append(_losses(network, seeds, moved, *copies).mean(1).view(2, pairs))
    plus, minus = torch.stack(around, 1)
    bends = ((plus - centre) + (minus - centre)) / (2 * step**2)
    slopes = (plus - minus) / (2 * step)
    found: dict[str, Any] = {"base_loss": float(centre.mean()), "seed": seed, "missing": {}, "parts": parts}
    names = ("sharpness", "sharpness_se", "slope_rms")
    if not bends.isfinite().all():
        found["missing"]["sharpness"] = "the loss was not finite at some perturbed weights"
        return found | dict.fromkeys(names)
    values = (bends.mean().item(), standard_error(bends), slopes.square().mean().sqrt().item())
    return found | dict(zip(names, values, strict=True))


def _directions(weights: Tensors, count: int, seed: int, kept: dict[str, Any]) -> Tensors:
    """Return directions `(count, ...)` whose every filter has norm 1, in the order that the probe draws them."""
    signature = (count, seed, tuple((name, own.shape) for name, own in weights.items()))
    if kept.get("signature") != signature:
        generator = torch.Generator().manual_seed(seed)
        drawn = [
            {name: torch.randn(own.shape, generator=generator) for name, own in weights.items()}
            for _ in range(count)
        ]
        kept.clear()
        kept["signature"] = signature
        kept["units"] = {name: _unit(torch.stack([one[name] for one in drawn])) for name in weights}
    return kept["units"]


def _unit(drawn: Tensor) -> Tensor:
    lengths = torch.linalg.vector_norm(drawn, dim=tuple(range(2, drawn.ndim)), keepdim=True)
    return _as_factors(drawn / lengths.clamp_min(torch.finfo(torch.float32).tiny))


def _as_factors(kernels: Tensor) -> Tensor:
    """Return `(n, out, in, 3, 3)` as factors for patches, `(n, out, 9 * in)`; other weights as they are."""
    return kernels.permute(0, 1, 3, 4, 2).flatten(2) if _has_factors(kernels.shape[1:]) else kernels


def _moved(weight: Tensor, units: Tensor, step: float) -> Tensor:
    """Return the weights at + step and - step along every direction, `(2 * count, ...)`."""
    own = _as_factors(weight[None])
    lengths = torch.linalg.vector_norm(weight.flatten(1), dim=1).view(1, -1, *[1] * (own.ndim - 2))
    found = own.new_empty(2, *units.shape)
    torch.addcmul(own, units, lengths * step, out=found[0])
    torch.sub(2 * own, found[0], out=found[1])
    return found.flatten(0, 1)


def _losses(
    network: StackedNetwork,
    seeds: Group | None,
    moved: Tensors,
    patches: Tensor,
    labels: Tensor,
) -> Tensor:
    """Return the losses of each copy's images in evaluation mode, in float64: `(copies, images)`."""
    copies = len(patches)
    host = network.host

    def weight(name: str) -> Tensor:
        if (own := moved.get(f"host.{name}")) is not None:
            return own
        return _as_factors(host.weights[name].detach()).expand(
            copies, *[-1] * (_axes(host.weights[name]) - 1)
        )

    cut = torch.bmm(patches.flatten(1, -2), weight("block1.conv.weight").flatten(2).mT)
    four = cut.view(*patches.shape[:-1], cut.shape[-1]).unbind(2)
    hidden = _normalised(host, "block1", list(four))
    features = _normalised(host, "block2", _quarters(_products(hidden, weight("block2.conv.weight"))))
    passed = features if network.through is None else features * network.through[0]
    if seeds is not None:
        passed = _blended(seeds, moved, features, passed)
    hidden = _normalised(host, "block3", _quarters(_products(passed, weight("block3.conv.weight"))))
    logits = (
        torch.bmm(hidden.mean((2, 3)), weight("classifier.weight").mT)
        + host.weights["classifier.bias"].detach()
    )
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.view(copies, -1).double()


def _axes(weight: Tensor) -> int:
    return 3 if _has_factors(weight.shape[1:]) else weight.ndim


def _has_factors(shape: torch.Size) -> bool:
    """Return whether a weight is that of a full 3 x 3 convolution of several channels."""
    return len(shape) == 4 and shape[1] > 1 and shape[2] == 3


def _blended(seeds: Group, moved: Tensors, features: Tensor, passed: Tensor) -> Tensor:
    from probatum.studies.tamiyo.stacked.blueprints import SEEDS

    copies, own = len(features), seeds.seeds
    weights = {
        name: _as_kernels(moved[f"slot.seed.{name}"], one)
        if f"slot.seed.{name}" in moved
        else one.detach().expand(copies, *one.shape[1:])
        for name, one in own.weights.items()
    }
    buffers = {name: one.expand(copies, *one.shape[1:]) for name, one in own.buffers.items()}
    outputs = SEEDS[seeds.blueprint](features, Stacked(weights, buffers), False, None)
    alpha = float(seeds.alpha[0])
    return outputs if alpha == 1.0 else alpha * outputs + (1.0 - alpha) * passed


def _as_kernels(moved: Tensor, like: Tensor) -> Tensor:
    if moved.ndim == like.ndim:
        return moved
    return moved.view(len(moved), like.shape[1], 3, 3, like.shape[2]).permute(0, 1, 4, 2, 3).contiguous()


def _products(inputs: Tensor, factors: Tensor) -> Tensor:
    """Return the convolutions as products of patches: fastest for few images and many weights."""
    copies, images, height, width, channels = inputs.shape
    around = pad(inputs, (0, 0, 1, 1, 1, 1))
    image, row, place = around.stride()[1:4]
    taps = around.as_strided(  # three places in a row, with all their channels, lie together
        (copies, images, height, width, 3, 3 * channels), (around.stride(0), image, row, place, row, 1)
    )
    rows = taps.reshape(copies, images * height * width, 9 * channels)
    found = torch.stack(
        [product(own, matrix) for own, matrix in zip(rows, factors.contiguous(), strict=True)]
    )
    return found.view(copies, images, height, width, -1)


def _normalised(host: Stacked, name: str, four: list[Tensor]) -> Tensor:
    """Return a block's outputs from the four places of each 2 x 2 of its convolution's."""
    running = host.running(f"{name}.norm")
    factor = host.weights[f"{name}.norm.weight"].detach() * (running.variance + EPSILON).rsqrt()
    offset = host.weights[f"{name}.norm.bias"].detach() - running.mean * factor
    normal = [torch.addcmul(offset[0], one, factor[0]) for one in four]
    return torch.maximum(torch.maximum(normal[0], normal[1]), torch.maximum(normal[2], normal[3])).relu_()


def _quarters(values: Tensor) -> list[Tensor]:
    return [values[:, :, down::2, right::2] for down in (0, 1) for right in (0, 1)]
