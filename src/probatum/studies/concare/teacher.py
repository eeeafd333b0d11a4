"""The averaged copy of a model that pretraining learns from."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from probatum.studies.concare.batch import ICUBatch


class Teacher:
    """An exponential average of a model's weights, always in evaluation mode, never trained.

    w_teacher <- decay w_teacher + (1 - decay) w_model, once before every step.
    """

    def __init__(self, decay: float) -> None:
        """Wait for the model: the copy is made when it is first seen."""
        self.decay = decay
        self.model: nn.Module | None = None
        self._waiting: dict[str, Any] | None = None

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        """Take one step towards the model's present weights."""
        raw = unwrapped(model)
        if self.model is None:
            self.model = copy.deepcopy(raw).requires_grad_(False).eval()
            if self._waiting is not None:
                self.model.load_state_dict(self._waiting)
                self._waiting = None
        for own, other in zip(self.model.parameters(), raw.parameters(), strict=True):
            own.lerp_(other, 1 - self.decay)

    @torch.no_grad()
    def context(self, batch: ICUBatch) -> Tensor:
        """Return the contexts of whole stays, `(batch, channels + 1, width)`."""
        assert self.model is not None  # noqa: S101 - `follow` comes first in every step
        return self.model.encode(batch)[0]  # type: ignore[operator]

    def state_dict(self) -> dict[str, Tensor] | None:
        """Return the averaged weights; None before the first step."""
        return self._waiting if self.model is None else self.model.state_dict()

    def load_state_dict(self, state: dict[str, Tensor] | None) -> None:
        """Continue from what `state_dict` returned."""
        self._waiting = state
        self.model = None


def unwrapped(model: Any) -> nn.Module:
    """Return the model inside the wrappers of mixed precision and data parallel training."""
    while isinstance(model, nn.Module) and isinstance(getattr(model, "module", None), nn.Module):
        model = model.module
    return model
