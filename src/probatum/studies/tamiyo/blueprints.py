"""What can be grown: four modules that map the features at the injection point to features of the same shape.

Source: tamiyo.md, section 1. At 64 channels: 73,984, 2,048, 129 and 4,800 parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from probatum._errors import UnknownNameError
from probatum._names import unknown


class ConvEnhance(nn.Module):
    """x + two rounds of convolution 3 x 3, batch normalisation, ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        hidden = torch.relu(self.norm1(self.conv1(features)))
        return features + torch.relu(self.norm2(self.conv2(hidden)))


class Attention(nn.Module):
    """Squeeze and excite: every channel is scaled by what all channels' means say (Hu et al. 2018)."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // reduction, bias=False)
        self.excite = nn.Linear(channels // reduction, channels, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(features.mean(dim=(2, 3))))))
        return features * scale[:, :, None, None]


class Norm(nn.Module):
    """x + s * (group normalisation of x - x), with one learnt scalar s that starts at 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(min(32, channels), channels)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return features + self.scale * (self.norm(features) - features)


class Depthwise(nn.Module):
    """x + ReLU of the batch normalised 1 x 1 convolution of a depthwise 3 x 3 one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, kernel_size=3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, kernel_size=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return features + torch.relu(self.norm(self.pointwise(self.depthwise(features))))


BLUEPRINTS: dict[str, Callable[[int], nn.Module]] = {
    "conv_enhance": ConvEnhance,
    "attention": Attention,
    "norm": Norm,
    "depthwise": Depthwise,
}  # in the order of the actions GERMINATE_*


def build_seed(blueprint: str, channels: int) -> nn.Module:
    """Return a fresh seed; its weights are drawn from torch's global generator.

    Raises:
        UnknownNameError: there is no such blueprint.

    Example:
        >>> [sum(w.numel() for w in build_seed(name, 64).parameters()) for name in BLUEPRINTS]
        [73984, 2048, 129, 4800]
    """
    if blueprint not in BLUEPRINTS:
        raise UnknownNameError(unknown("blueprint", blueprint, BLUEPRINTS))
    return BLUEPRINTS[blueprint](channels)
