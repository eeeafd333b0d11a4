"""The host: three convolution blocks with an injection point after the second.

Source: tamiyo.md, section 1; 94,762 parameters on images of 3 x 32 x 32 and 10 classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import linear, max_pool2d

WIDTHS = (32, 64, 128)
INJECTION_CHANNELS = WIDTHS[1]


class Block(nn.Module):
    """Convolution 3 x 3, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return `(batch, channels_out, height, width)`."""
        return torch.relu(self.norm(self.conv(inputs)))


class Host(nn.Module):
    """The network without its slot.

    Args:
        in_channels: Of the images: 1 for digits, 3 for colour.
        classes: The number of classes.

    Example:
        >>> sum(weight.numel() for weight in Host(3, 10).parameters())
        94762
    """

    def __init__(self, in_channels: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.block1 = Block(in_channels, WIDTHS[0])
        self.block2 = Block(WIDTHS[0], WIDTHS[1])
        self.block3 = Block(WIDTHS[1], WIDTHS[2])
        self.classifier = nn.Linear(WIDTHS[2], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, `(batch, classes)`, of the host alone."""
        return self.from_injection(self.to_injection(images))

    def to_injection(self, images: Tensor) -> Tensor:
        """Return the features where a seed sits, `(batch, 64, height / 4, width / 4)`."""
        return max_pool2d(self.block2(max_pool2d(self.block1(images), 2)), 2)

    def from_injection(self, features: Tensor) -> Tensor:
        """Return logits from the features at the injection point."""
        return self.classifier(_pooled(self.block3(features)))

    def from_injection_untouched(self, features: Tensor) -> Tensor:
        """Return the same logits, but nothing of the host gets a gradient or changes its running statistics.

        What a seed learns from: it sees the rest of the network as it stands.
        """
        own = {name: weight.detach() for name, weight in self.block3.named_parameters()}
        own |= {name: buffer.clone() for name, buffer in self.block3.named_buffers()}
        outputs = functional_call(self.block3, own, (features,))
        return linear(_pooled(outputs), self.classifier.weight.detach(), self.classifier.bias.detach())


def _pooled(features: Tensor) -> Tensor:
    return max_pool2d(features, 2).mean(dim=(2, 3))
