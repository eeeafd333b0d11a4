"""Fewer observations of the same stays: removed from the batch as if they had never been made."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from probatum.studies.concare.batch import ICUBatch


class Thinned(NamedTuple):
    """A batch with some observations removed, and how many."""

    batch: ICUBatch
    removed_share: Tensor  # (batch, channels) removed observations over hours


def thinned(batch: ICUBatch, *, lowest: float, highest: float, generator: torch.Generator) -> Thinned:
    """Return the batch with a share ~ U(lowest, highest) of each stay's observations removed at random.

    What is left is carried forward anew and the hours since the last observation are counted anew, so that
    nothing in the batch remembers a removed value.

    Example:
        >>> ones, zeros = torch.ones(1, 2, 1), torch.zeros(1, 2, 1)
        >>> stay = ICUBatch(ones, ones, zeros, torch.zeros(1, 1), torch.ones(1, 1), torch.tensor([2]),
        ...     torch.zeros(1), torch.zeros(1, dtype=torch.long))
        >>> thinned(stay, lowest=1.0, highest=1.0, generator=torch.Generator()).removed_share.tolist()
        [[1.0]]
    """
    shape = batch.mask.shape
    share = lowest + (highest - lowest) * torch.rand(shape[0], 1, 1, generator=generator)
    is_removed = (torch.rand(shape, generator=generator) < share).to(batch.mask.device)
    mask = batch.mask * ~is_removed
    values, since = carried_forward(batch.values, mask)
    removed = (batch.mask - mask).sum(1) / batch.lengths[:, None]
    return Thinned(batch._replace(values=values, mask=mask, since=since), removed)


def carried_forward(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the last observed value of every hour and the hours since, both `(batch, steps, channels)`.

    Before the first observation the value is 0, the training mean, and the time is that since admission,
    counted as `t + 1`.
    """
    steps = torch.arange(1, values.shape[1] + 1, device=values.device)[:, None]  # (steps, 1)
    last = torch.where(mask > 0, steps, 0).cummax(dim=1).values  # 1 + hour of the last observation; 0 if none
    carried = values.gather(1, (last - 1).clamp(min=0)) * (last > 0)
    return carried, (steps - last).to(values.dtype)
