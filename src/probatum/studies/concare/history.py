"""What has been observed of a channel so far: counted from the past alone, from what is left after thinning."""

from __future__ import annotations

import torch
from torch import Tensor

FEATURES = 4
FAR = 1e4  # beyond every normalised value


def history_features(values: Tensor, mask: Tensor) -> Tensor:
    """Return what hour t knows of the observations up to t, `(batch, steps, channels, 4)`.

    Half the logarithm of 1 + their number, then their mean, smallest and largest; 0, the training mean, before
    the first. Both variants read them. A recurrent encoder of a few units learns extremes slowly from some
    thousand stays, and extremes are what severity scores are made of (SAPS-I takes the worst value of a day).

    Args:
        values: `(batch, steps, channels)`, normalised; only observed ones are read.
        mask: `(batch, steps, channels)`, 1 where observed.

    Example:
        >>> values, mask = torch.tensor([[[2.0], [9.0], [4.0]]]), torch.tensor([[[1.0], [0.0], [1.0]]])
        >>> history_features(values, mask)[0, :, 0, 1:].tolist()
        [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0], [3.0, 2.0, 4.0]]
    """
    is_seen = mask > 0
    count = mask.cumsum(1)
    mean = torch.where(is_seen, values, 0.0).cumsum(1) / count.clamp(min=1)
    lowest = torch.where(is_seen, values, FAR).cummin(1).values
    highest = torch.where(is_seen, values, -FAR).cummax(1).values
    known = torch.stack([mean, lowest, highest], dim=-1) * (count > 0)[..., None]
    return torch.cat([torch.log1p(count)[..., None] / 2, known], dim=-1)
