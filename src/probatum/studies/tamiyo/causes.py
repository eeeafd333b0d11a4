"""Hidden causes: faults of a run that all look like a slow plateau, and that different interventions mend.

An observation never names the cause. What is injected leaves the shapes of all tensors and the number of steps
as they are, so that no count gives it away.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from probatum._errors import UnknownNameError
from probatum._names import unknown
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.randomness import generator_for

RARE_RATIO = 20  # images of a frequent class for each of a rare one
NARROW_CHANNELS = 1  # of 64 that pass the injection point


@dataclass(frozen=True)
class Cause:
    """A fault as numbers."""

    name: str
    meaning: str
    mended_by: tuple[str, ...]  # actions
    learning_rate_factor: float = 1.0
    gradient_factor: float = 1.0  # on every gradient but the classifier's
    jitter: float = 0.0  # noise in every gradient, in units of the spread that its weights began with
    is_narrow: bool = False
    is_imbalanced: bool = False


CAUSES: dict[str, Cause] = {
    cause.name: cause
    for cause in (
        Cause("none", "nothing is wrong", ("WAIT",)),
        Cause(
            "vanishing_gradients",
            "the gradients before the classifier are a hundred thousand times too small",
            ("RESCALE_GRADIENTS",),
            gradient_factor=1e-5,
        ),
        Cause(
            "sharp_minimum",
            "steps jump from wall to wall of a valley that is too sharp for them",
            ("LOWER_LEARNING_RATE",),
            jitter=5.0,
        ),
        Cause(
            "low_learning_rate",
            "steps two hundred times too short",
            ("RAISE_LEARNING_RATE",),
            learning_rate_factor=0.005,
        ),
        Cause(
            "underfitting",
            "one of the 64 channels at the injection point passes",
            (
                "GERMINATE_CONV_ENHANCE",
                "GERMINATE_NORM",
                "GERMINATE_DEPTHWISE",
            ),  # attention only scales what passes
            is_narrow=True,
        ),
        Cause(
            "class_imbalance",
            "half of the classes come once for twenty times that the others do",
            ("REBALANCE_CLASSES",),
            is_imbalanced=True,
        ),
    )
}


def cause_called(name: str) -> Cause:
    """Return a cause by name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in CAUSES:
        raise UnknownNameError(unknown("cause", name, CAUSES))
    return CAUSES[name]


def narrow(network: GrowingNetwork) -> None:
    """Let few of the channels at the injection point pass; a seed reads them all.

    What comes after has no weights for the others until a seed fills them.
    """
    network.slot.narrow(NARROW_CHANNELS)
    with torch.no_grad():
        network.host.block3.conv.weight[:, NARROW_CHANNELS:] = 0.0


def weaken(network: GrowingNetwork, factor: float) -> None:
    """Scale every gradient but the classifier's: it faded on its way back from there, through the slot too."""
    for name, weight in network.named_parameters():
        if weight.grad is not None and not name.startswith("host.classifier"):
            weight.grad.mul_(factor)


def jitter(network: GrowingNetwork, strength: float, generator: torch.Generator) -> None:
    """Add noise to the gradient of every weight of two axes or more, as steps across a valley that is too sharp.

    Its standard deviation is `strength` times that of the initial weights, 1 / sqrt(3 * inputs of a unit).
    """
    for weight in network.parameters():
        if weight.grad is not None and weight.ndim > 1:
            noise = torch.randn(weight.shape, generator=generator)
            weight.grad.add_(noise, alpha=strength * initial_spread(weight))


def initial_spread(weight: Tensor) -> float:
    """Return the standard deviation of torch's initial values of a convolution or linear layer's weight."""
    return (3 * weight[0].numel()) ** -0.5


def imbalanced_rows(labels: Tensor, seed: int) -> Tensor:
    """Return as many rows as there are, half of the classes twenty times rarer than the others.

    Which classes are rare, and which of their images are left, follows from `seed`. Images of frequent classes
    come more than once.

    Example:
        >>> rows = imbalanced_rows(torch.arange(1050) % 10, seed=1)
        >>> len(rows), sorted(set(torch.bincount((torch.arange(1050) % 10)[rows]).tolist()))
        (1050, [10, 200])
    """
    generator = generator_for(seed, "imbalance")
    classes = int(labels.max()) + 1
    order = torch.randperm(classes, generator=generator).tolist()
    rare = set(order[: classes // 2])
    frequent_count = round(len(labels) * RARE_RATIO / (len(rare) + (classes - len(rare)) * RARE_RATIO))
    counts = [
        max(1, round(frequent_count / RARE_RATIO)) if c in rare else frequent_count for c in range(classes)
    ]
    counts[order[-1]] += len(labels) - sum(counts)  # rounding, to a frequent class
    return torch.cat([_drawn(labels, c, count, generator) for c, count in enumerate(counts)])


def _drawn(labels: Tensor, label: int, count: int, generator: torch.Generator) -> Tensor:
    """Return `count` rows of a class: all of them in a random order, over and over."""
    mine = (labels == label).nonzero()[:, 0]
    mine = mine[torch.randperm(len(mine), generator=generator)]
    return mine.repeat(count // len(mine) + 1)[:count]


def inverse_frequency(labels: Tensor, classes: int) -> Tensor:
    """Return one weight per class, inverse to how often it comes, with mean 1 over the images: `(classes,)`."""
    counts = torch.bincount(labels, minlength=classes).clamp(min=1)
    return len(labels) / (classes * counts)
