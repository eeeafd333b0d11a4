"""How much the training loss jumps from batch to batch, beside how it drifts over the epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from probatum.signals.epoch import Statistic

_BLOCK = 1024  # losses kept in one device tensor


def loss_noise(losses: Sequence[float]) -> Statistic | None:
    """Return the standard deviation of the batch losses about their trend, as a statistic with standard error.

    sqrt(Σ (xₜ₊₁ − xₜ)² / (2 (n − 1))): a loss that falls steadily over the epoch has a large standard deviation
    and no noise. The standard error is that of normal noise, about noise × sqrt(3 / (4 n)). None below three
    finite losses.

    Source: von Neumann 1941 (mean square successive difference).

    Example:
        >>> loss_noise([1.0, 2.0, 1.0, 2.0, 1.0]).mean
        0.7071067811865476
    """
    finite = [loss for loss in losses if math.isfinite(loss)]
    if len(finite) < 3:
        return None
    squares = math.fsum((two - one) ** 2 for one, two in pairwise(finite))
    noise = math.sqrt(squares / (2 * (len(finite) - 1)))
    error = noise * math.sqrt(3 / (4 * len(finite)))
    return Statistic(noise, None, None, None, len(finite), error, len(losses) - len(finite))


def _widest(device: torch.device) -> torch.dtype:
    """Return the widest float of a device: Apple's has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


class LossCollector:
    """Keeps every batch loss of an epoch on its device."""

    signal = "loss_noise"

    def __init__(self) -> None:
        """Begin an empty epoch."""
        self.missing: dict[str, str] = {}
        self.taken = {"when": "every observed step", "axis": "steps of the epoch", "mode": "train"}
        self._blocks: list[Tensor] = []
        self._count = 0  # in the last block
        self._plain: list[float] = []

    def add(self, loss: Tensor | float) -> None:
        """Keep one batch loss: a number or a tensor of one element; no host read."""
        if not isinstance(loss, Tensor):
            self._settle()
            self._plain.append(float(loss))
            return
        if not self._blocks or self._count == _BLOCK or self._blocks[-1].device != loss.device:
            self._settle_last()
            self._blocks.append(torch.empty(_BLOCK, dtype=_widest(loss.device), device=loss.device))
            self._count = 0
        self._blocks[-1][self._count] = loss.detach().reshape(())
        self._count += 1

    def tensors(self) -> list[Tensor]:
        """Return the losses that are still on the device, in order, for the epoch's one host read."""
        self._settle_last()
        return self._blocks

    def take(self, values: Sequence[float]) -> list[float]:
        """Return the epoch's losses, given those of `tensors()` as numbers, and forget them."""
        losses = [*self._plain, *values]
        self._blocks, self._count, self._plain = [], 0, []
        return losses

    def put_back(self, losses: Sequence[float]) -> None:
        """Keep losses as numbers: after a state was read, or taken up."""
        self._plain = list(losses)

    def _settle_last(self) -> None:
        if self._blocks:
            self._blocks[-1] = self._blocks[-1][: self._count]

    def _settle(self) -> None:
        """Read what is on the device, so that numbers and tensors keep their order: only for mixed losses."""
        if self._blocks:
            self.put_back(self.take([value for block in self.tensors() for value in block.tolist()]))
