"""What an intervention beside growth changes in a run: its learning rate, its gradients, its class weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from probatum.signals.layers import select_layers
from probatum.studies.tamiyo.actions import LEARNING_RATE_REACH, LEARNING_RATE_STEP
from probatum.studies.tamiyo.network import GrowingNetwork


@dataclass
class Mending:
    """What was done to a run so far."""

    learning_rate_factor: float = 1.0
    rescales_gradients: bool = False
    rebalances_classes: bool = False

    def refusal(self, action: str) -> str | None:
        """Return why `action` is not carried out now; None where it is."""
        if action == "RESCALE_GRADIENTS":
            return "the gradients are rescaled already" if self.rescales_gradients else None
        if action == "REBALANCE_CLASSES":
            return "the classes are weighted already" if self.rebalances_classes else None
        factor = self._moved(action)
        if 1 / LEARNING_RATE_REACH <= factor <= LEARNING_RATE_REACH:
            return None
        return (
            f"the learning rate would be {factor:g} times what it began with, at most "
            f"{LEARNING_RATE_REACH:g} times up or down is allowed"
        )

    def act(self, action: str) -> None:
        """Carry an intervention out."""
        if action == "RESCALE_GRADIENTS":
            self.rescales_gradients = True
        elif action == "REBALANCE_CLASSES":
            self.rebalances_classes = True
        else:
            self.learning_rate_factor = self._moved(action)

    def _moved(self, action: str) -> float:
        raised = action == "RAISE_LEARNING_RATE"
        factor = self.learning_rate_factor
        return round(factor * LEARNING_RATE_STEP if raised else factor / LEARNING_RATE_STEP, 9)

    def as_facts(self) -> Mapping[str, float]:
        """Return what a rule may know of it."""
        return {
            "learning_rate_factor": self.learning_rate_factor,
            "rescales_gradients": float(self.rescales_gradients),
            "rebalances_classes": float(self.rebalances_classes),
        }


def rescale_gradients(network: GrowingNetwork) -> None:
    """Give every layer's gradient the norm of the layer that has the largest; a layer of zeros keeps them.

    A layer is a module that owns parameters, as a probe sees it.
    """
    layers = select_layers(network).parameters.values()
    gradients = [[w.grad for w in layer.values() if w.grad is not None] for layer in layers]
    gradients = [own for own in gradients if own]
    norms = torch.stack(
        [torch.linalg.vector_norm(torch.cat([g.flatten() for g in own])) for own in gradients]
    )
    factors = torch.where(norms > 0, norms.max() / norms.clamp(min=torch.finfo(norms.dtype).tiny), 1.0)
    for own, factor in zip(gradients, factors, strict=True):
        for gradient in own:
            gradient.mul_(factor)
