"""Norms of the weights of each layer, and how far one optimizer step moves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from probatum.signals.collector import Readings
from probatum.signals.layers import Layers
from probatum.signals.statistics import joint_norm, norms, upcast


def update_statistics(before: Sequence[Tensor], after: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return a layer's `norm` before an update, `update_norm`, and `update_ratio` = update norm / norm, `()` each.

    The ratio is NaN where the norm is 0.

    Example:
        >>> found = update_statistics([torch.tensor([3.0, 4.0])], [torch.tensor([3.0, 4.5])])
        >>> float(found["norm"]), round(float(found["update_ratio"]), 6)
        (5.0, 0.1)
    """
    old, new = [upcast(one) for one in before], [upcast(one) for one in after]
    norm = joint_norm(norms(old))
    update = joint_norm(norms([one - two for one, two in zip(new, old, strict=True)]))
    return {"norm": norm, "update_norm": update, "update_ratio": (update / norm).where(norm > 0, torch.nan)}


class WeightCollector:
    """Copies the weights on a probed step and compares them when the optimizer has stepped."""

    signal = "weights"

    def __init__(self) -> None:
        """Begin with nothing copied."""
        self.missing: dict[str, str] = {}
        self.taken = {
            "when": "norm before the optimizer's step; update from there to the next observe() or end_epoch()",
            "axis": "all elements of the layer's own trainable parameters",
            "spread": "over the probed batches of the epoch",
        }
        self._copies: dict[str, dict[str, Tensor]] = {}
        self._owners: Mapping[str, Mapping[str, nn.Parameter]] = {}

    @property
    def is_pending(self) -> bool:
        """Return whether weights are copied and not yet compared."""
        return bool(self._copies)

    def remember(self, layers: Layers) -> None:
        """Copy the weights of the chosen layers."""
        self._owners = layers.parameters
        self._copies = {
            name: {short: parameter.detach().clone() for short, parameter in own.items()}
            for name, own in layers.parameters.items()
        }

    def compare(self) -> Readings:
        """Return norm and update of each layer since `remember`, and forget the copies."""
        readings: Readings = {}
        for name, copies in self._copies.items():
            own = self._owners.get(name, {})
            pairs = [
                (copy, own[short].detach())
                for short, copy in copies.items()
                if short in own and own[short].shape == copy.shape and own[short].device == copy.device
            ]
            if pairs:
                readings[name] = update_statistics([old for old, _ in pairs], [new for _, new in pairs])
        self._copies, self._owners = {}, {}
        return readings

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Return the copies: empty unless taken between a probed step and the next."""
        return {name: dict(copies) for name, copies in self._copies.items()}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]], layers: Layers) -> None:
        """Take up copies made before an interruption."""
        self._copies = {name: dict(copies) for name, copies in state.items()}
        self._owners = layers.parameters
