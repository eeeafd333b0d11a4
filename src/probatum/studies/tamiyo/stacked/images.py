"""The splits as the patches that a stack's first layer multiplies, cut once for all epochs and runs."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from probatum.studies.tamiyo.stacked.block import by_quarters
from probatum.studies.tamiyo.stacked.kernels import patches_of
from probatum.training.study import StudyData


class CutImages:
    """Patches and labels by split."""

    def __init__(self, data: StudyData) -> None:
        self.data = data
        self._cut: dict[str, Tensor] = {}

    def of(self, split: str) -> tuple[Tensor, Tensor]:
        """Return patches `(images, 4, height / 2, width / 2, channels * 9)` and labels of a split."""
        own: Any = self.data.splits[split]
        if split not in self._cut:
            self._cut[split] = by_quarters(patches_of(own.images).unflatten(1, own.images.shape[2:]))
        return self._cut[split], own.labels
