"""What an ICU model is given: hourly bins, what was observed in them, and who the patient is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class ICUBatch(NamedTuple):
    """A batch of stays on an hourly grid; B patients, T bins (index 0 is the oldest), C channels, S statics.

    Every variant of the model sees the same inputs. The mask is 0 or 1 and never normalised.

    Example:
        >>> import torch
        >>> batch = ICUBatch(
        ...     values=torch.zeros(2, 48, 3), mask=torch.ones(2, 48, 3), since=torch.zeros(2, 48, 3),
        ...     static=torch.zeros(2, 4), static_mask=torch.ones(2, 4), lengths=torch.tensor([48, 40]),
        ...     targets=torch.tensor([0.0, 1.0]), index=torch.tensor([0, 1]))
        >>> batch.to("cpu").values.shape
        torch.Size([2, 48, 3])
    """

    values: Tensor  # (B, T, C) float32, normalised; carried forward where unobserved, 0 before the first
    mask: Tensor  # (B, T, C) float32 in {0, 1}, 1 where the channel was observed in that bin
    since: Tensor  # (B, T, C) float32 hours since the channel's last observation; since admission before it
    static: Tensor  # (B, S) float32, normalised; 0 where missing
    static_mask: Tensor  # (B, S) float32 in {0, 1}, 1 where known
    lengths: Tensor  # (B,) int64, bins that belong to the stay
    targets: Tensor  # (B,) float32 in {0, 1}, 1 = died in hospital
    index: Tensor  # (B,) int64, row of the patient in its split

    def to(self, device: torch.device | str) -> ICUBatch:
        """Return the same batch on `device`."""
        return ICUBatch(*(tensor.to(device) for tensor in self))
