"""Sums that are kept on the device during an epoch and read by the host once, at its end."""

from __future__ import annotations

import torch
from torch import Tensor


class EpochMeans:
    """Means over the batches of an epoch of named scalars, gathered without a device synchronisation.

    Of the names in `ranges`, the smallest and largest value are kept too, as `<name>_min` and `<name>_max`.

    Example:
        >>> means = EpochMeans(ranges=())
        >>> means.add({"a": torch.tensor(1.0)})
        >>> means.add({"a": torch.tensor(3.0)})
        >>> means.read()
        {'a': 2.0}
    """

    def __init__(self, *, ranges: tuple[str, ...]) -> None:
        """Start empty."""
        self.sums: dict[str, Tensor] = {}
        self.ends: dict[str, Tensor] = {}
        self.ranges = ranges
        self.batches = 0

    def add(self, values: dict[str, Tensor]) -> None:
        """Count one batch; the names must be the same for all batches of an epoch."""
        self.batches += 1
        for name, value in values.items():
            detached = value.detach().float()
            self.sums[name] = self.sums[name] + detached if name in self.sums else detached
            if name in self.ranges:
                low, high = f"{name}_min", f"{name}_max"
                self.ends[low] = torch.minimum(self.ends.get(low, detached), detached)
                self.ends[high] = torch.maximum(self.ends.get(high, detached), detached)

    def read(self) -> dict[str, float]:
        """Return the means and the ends of the ranges, in one transfer."""
        if not self.sums:
            return {}
        kept = {name: total / self.batches for name, total in self.sums.items()} | self.ends
        return dict(zip(kept, torch.stack(list(kept.values())).tolist(), strict=True))
