"""Dropout whose masks cost little on a CPU.

torch draws a number for each feature there, one by one: a tenth of a training step of the published encoder. Here
one draw of 64 bits decides about four features, 16 bits each.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

LANES, LEVELS = 4, 2**16  # lanes of a draw, values of a lane


class Dropout(nn.Dropout):
    """Inverted dropout (Srivastava et al. 2014): each feature is 0 with probability p, the others are scaled up.

    On a CPU, p is rounded to a multiple of 2^-16 and the scale is that of the rounded one, so that the mean is
    kept. Elsewhere it is torch's own. Draws come from torch's global generator.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `input` itself, or with dropped features while training."""
        if not self.training or self.p == 0:
            return input
        if input.device.type != "cpu":
            return dropout(input, self.p)
        return input * keep_mask(input.shape, self.p, input.dtype)


def keep_mask(shape: torch.Size, p: float, dtype: torch.dtype) -> Tensor:
    """Return the factor of each feature: 0, or 1 / (1 - p).

    Example:
        >>> sorted(set(keep_mask(torch.Size([100]), 0.5, torch.float32).tolist()))
        [0.0, 2.0]
    """
    dropped = min(LEVELS - 1, round(p * LEVELS))
    count = shape.numel()
    draws = torch.empty(-(-count // LANES), dtype=torch.int64).random_(-(2**63), None)
    lanes = draws.view(torch.int16)[:count].view(shape)
    kept = lanes >= dropped - LEVELS // 2
    return kept.to(dtype).mul_(LEVELS / (LEVELS - dropped))
