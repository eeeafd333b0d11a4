"""How the three forms of a 3 x 3 convolution are computed for one run, chosen by measurement.

Activations have their channels last. On one core, batch 128, milliseconds a run for forward and backward; where no
number of runs is named, the same for 1, 4, 8 and 16 runs in one operation:

- 1 -> 32 on 8 x 8: torch's convolution 1.8, grouped 1.9, vmap 1.9; a product of patches that were cut before, one
  run after the other: 0.15 for 1 and 4 runs, 0.20 for 8 and 16, whose patches leave the cache (0.14 and 0.25 as
  one batched product);
- 32 -> 64 on 4 x 4: convolution 1.5 (channels last 1.35), grouped 1.4, vmap 1.4, a product of patches 3.1;
- 64 -> 128 on 2 x 2: convolution 1.6, grouped 1.7, vmap 1.8, a product of patches 2.7, one dense product 0.5,
  since on 2 x 2 every place sees every other, and five of the nine taps of each fall outside;
- maximum pooling of 32 x 8 x 8: torch 1.2, the greatest of four slices with channels last 0.03.

So runs side by side are not faster because they share an operation: a convolution fills a core by itself. What
helps is another form of the same sums, and to keep one run's data in the processor's cache from the convolution
to the pooling. What is small (loss, optimiser, signals, losses around the weights) is computed for all at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from probatum._onednn import product

DENSE_UP_TO = 2  # height and width where a 3 x 3 convolution is one dense product


def patches_of(images: Tensor) -> Tensor:
    """Return what a 3 x 3 convolution sees at every place, `(images, height * width, channels * 9)`.

    Example:
        >>> patches_of(torch.ones(2, 1, 4, 4)).shape, float(patches_of(torch.ones(1, 1, 4, 4))[0, 0].sum())
        (torch.Size([2, 16, 9]), 4.0)
    """
    around = pad(images, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1)  # (n, c, h, w, 3, 3)
    return around.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2).contiguous()


class Form(ABC):
    """One way to compute a convolution of one run, with what it must remember for the way back."""

    @abstractmethod
    def forward(self, inputs: Tensor, weight: Tensor) -> Tensor:
        """Return `(batch, height, width, out)`."""

    @abstractmethod
    def backward(
        self, outputs: Tensor, of_inputs: bool, of_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of inputs and weight from that of the outputs."""


class Direct(Form):
    """Torch's convolution with channels last."""

    def forward(self, inputs: Tensor, weight: Tensor) -> Tensor:
        """Return the outputs."""
        self.images = inputs.permute(0, 3, 1, 2)
        self.weight = weight.contiguous(memory_format=torch.channels_last)
        return conv2d(self.images, self.weight, padding=1).permute(0, 2, 3, 1)

    def backward(
        self, outputs: Tensor, of_inputs: bool, of_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return both gradients."""
        found: Any = torch.ops.aten.convolution_backward(
            outputs.permute(0, 3, 1, 2), self.images, self.weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1,
            [of_inputs, of_weight, False],
        )  # fmt: skip
        return found[0].permute(0, 2, 3, 1) if of_inputs else None, found[1]


class Dense(Form):
    """One product with the matrix that acts as the convolution does on images of at most 2 x 2."""

    def forward(self, inputs: Tensor, weight: Tensor) -> Tensor:
        """Return the outputs."""
        self.inputs, self.shape = inputs.contiguous(), weight.shape
        self.matrix = dense_weight(weight, *inputs.shape[1:3])
        return product(self.inputs.flatten(1), self.matrix).view(*inputs.shape[:3], -1)

    def backward(
        self, outputs: Tensor, of_inputs: bool, of_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return both gradients."""
        rows, back, weight = outputs.flatten(1), None, None
        if of_inputs:
            back = product(rows, self.matrix.T).view(self.inputs.shape)
        if of_weight:
            matrix = product(rows.T, self.inputs.flatten(1).T)
            weight = _folded(matrix, self.shape, *self.inputs.shape[1:3])
        return back, weight


def form_for(height: int, width: int) -> Form:
    """Return the form that is fastest for images of a size."""
    return Dense() if max(height, width) <= DENSE_UP_TO else Direct()


def dense_weight(weight: Tensor, height: int, width: int) -> Tensor:
    """Return the matrix that acts as a convolution does, `(height * width * out, height * width * in)`.

    Example:
        >>> dense_weight(torch.arange(9.0).view(1, 1, 3, 3), 1, 2).tolist()
        [[4.0, 5.0], [3.0, 4.0]]
    """
    places, (outputs, inputs) = height * width, weight.shape[:2]
    taps = weight.flatten(2).permute(2, 0, 1).contiguous()  # (9, out, in)
    matrix = weight.new_empty(places, outputs, places, inputs)
    for place, tap in enumerate(_taps(height, width)):
        matrix[place // places, :, place % places] = taps[tap]
    return matrix.view(places * outputs, places * inputs)


def _folded(matrix: Tensor, shape: torch.Size, height: int, width: int) -> Tensor:
    """Return the weight's gradient from that of the dense matrix."""
    places = height * width
    split = matrix.view(places, shape[0], places, shape[1])
    taps = matrix.new_zeros(9, shape[0], shape[1])
    for place, tap in enumerate(_taps(height, width)):
        taps[tap] += split[place // places, :, place % places]
    return taps.permute(1, 2, 0).reshape(shape)


@lru_cache(maxsize=8)
def _taps(height: int, width: int) -> list[int]:
    """Return for each pair of places (to, from) which tap of 3 x 3 joins them; on 2 x 2 one always does."""
    places = [(row, column) for row in range(height) for column in range(width)]
    return [(y - v + 1) * 3 + x - u + 1 for v, u in places for y, x in places]
