"""What runs side by side lose and hit, each by itself."""

from __future__ import annotations

import torch
from torch import Tensor


class Taken:
    """What the steps of an epoch gave, kept as tensors and read once."""

    def __init__(self, runs: int) -> None:
        self.losses: list[Tensor] = []
        self.hits: list[Tensor] = []
        self.violations = torch.zeros(runs, dtype=torch.long)

    def note(self, losses: Tensor, hits: Tensor) -> None:
        """Note a step's mean losses and hits, `(runs,)` each."""
        self.losses.append(losses)
        self.hits.append(hits)

    def read(self) -> tuple[list[float], list[int], list[list[float]]]:
        """Return each run's mean loss, hits, and losses step by step."""
        losses = torch.stack(self.losses, 1).double()
        return losses.mean(1).tolist(), torch.stack(self.hits).sum(0).tolist(), losses.tolist()


def cross_entropies(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return each run's mean cross-entropy, weighted by class: `(runs,)`.

    Args:
        logits: `(runs, images, classes)`.
        labels: `(runs, images)`.
        weights: `(runs, classes)`.

    Example:
        >>> cross_entropies(torch.zeros(1, 2, 4), torch.tensor([[0, 3]]), torch.ones(1, 4)).tolist()
        [1.3862943649291992]
    """
    own = weights.gather(1, labels)
    lost = -logits.log_softmax(-1).gather(2, labels[..., None])[..., 0]
    return (lost * own).sum(1) / own.sum(1)
