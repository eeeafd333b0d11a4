"""The network that grows: the host, and a slot at its injection point."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor, nn

from probatum.studies.tamiyo.host import INJECTION_CHANNELS, Host
from probatum.studies.tamiyo.slot import Slot
from probatum.studies.tamiyo.stages import Stage


class GrowingNetwork(nn.Module):
    """The host with its slot.

    Example:
        >>> network = GrowingNetwork(1, 10).eval()
        >>> network.slot.plant("norm")
        >>> images = torch.ones(2, 1, 8, 8)
        >>> bool((network(images) == network.host(images)).all())
        True
    """

    def __init__(self, in_channels: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.host = Host(in_channels, classes)
        self.slot = Slot(INJECTION_CHANNELS)

    @classmethod
    def on_nothing(cls, in_channels: int, classes: int) -> GrowingNetwork:
        """Return a network without weights, to ask for names and shapes; no generator is moved."""
        with torch.device("meta"):
            return cls(in_channels, classes)

    @property
    def trains_aside(self) -> bool:
        """Whether a seed learns in isolation now."""
        return self.slot.seed is not None and self.slot.stage == Stage.TRAINING

    def plant(self, blueprint: str) -> None:
        """Put a fresh seed into the slot, where the host is; its weights are drawn from the global generator."""
        self.slot.plant(blueprint, self.host.classifier.weight.device)

    @overload
    def forward(self, images: Tensor) -> Tensor: ...

    @overload
    def forward(self, images: Tensor, aside: bool) -> tuple[Tensor, Tensor | None]: ...

    def forward(self, images: Tensor, aside: bool = False) -> Tensor | tuple[Tensor, Tensor | None]:
        """Return logits, `(batch, classes)`.

        With `aside`, return also the logits as they would be with the seed fully in place, which only a seed in
        training has. They reach the seed's weights and nothing else: its input is cut from the host, and the rest
        of the host serves with its present weights and is not changed, running statistics included.
        """
        features = self.host.to_injection(images)
        logits = self.host.from_injection(self.slot(features))
        if not aside:
            return logits
        seed = self.slot.seed
        if seed is None or not self.trains_aside:
            return logits, None
        return logits, self.host.from_injection_untouched(seed(features.detach()))
