"""Imitation: the behaviour policy's own decisions, learned with rare actions weighed up.

Nine decisions of ten are WAIT; the loss weighs every action by its effective number of samples, and the epoch
is chosen by balanced accuracy (the mean recall over the actions that occur) on validation episodes.

Source: Y. Cui et al., Class-balanced loss based on effective number of samples, CVPR 2019; tamiyo.md, section 6.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probatum.policies.dataset import Batch, PackDataset
from probatum.policies.network import PolicyNetwork, masked


@dataclass(frozen=True)
class ImitationSettings:
    """What imitation is told."""

    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.1
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    batch_size: int = 64
    beta: float = 0.999  # of the effective number
    epochs: int = 200
    patience: int = 20  # epochs without a better balanced accuracy


@dataclass
class Trained:
    """A trained network and how it was chosen.

    Attributes:
        network: At the chosen moment.
        chosen: What was chosen and by which number on validation.
        history: The number at every moment that was looked at.
        kind: "logits" or "values", as `LearnedPolicy` takes it.
    """

    network: PolicyNetwork
    chosen: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)
    kind: str = "logits"


def class_weights(counts: Sequence[int], beta: float) -> Tensor:
    """Return (1 - beta) / (1 - beta^n) per class, scaled to mean 1 over the classes that occur; 0 for others.

    Example:
        >>> weights = class_weights([1000, 10, 0], 0.999)
        >>> [round(float(weight), 2) for weight in weights]
        [0.03, 1.97, 0.0]
    """
    raw = [(1 - beta) / (1 - beta**count) if count else 0.0 for count in counts]
    mean = sum(raw) / max(1, sum(weight > 0 for weight in raw))
    return torch.tensor([weight / mean if mean else 0.0 for weight in raw])


def train_imitation(data: PackDataset, settings: ImitationSettings, seed: int) -> Trained:
    """Return a network that decides as the pack's behaviour policies did.

    The global generators of torch are as before when this returns.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _train(data, settings, np.random.default_rng(seed))


def _train(data: PackDataset, settings: ImitationSettings, source: np.random.Generator) -> Trained:
    network = PolicyNetwork(len(data.names), len(data.actions), settings.hidden, settings.dropout)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    taken = data.batch(data.rows("train")).actions
    weights = class_weights(torch.bincount(taken, minlength=len(data.actions)).tolist(), settings.beta)
    loss_of = nn.CrossEntropyLoss(weight=weights)
    validation = data.batch(data.rows("validation"))
    best, held, history = -1.0, copy.deepcopy(network), []
    chosen = 0
    for epoch in range(1, settings.epochs + 1):
        network.train()
        for batch in data.batches("train", settings.batch_size, source):
            loss = loss_of(masked(network(batch.inputs), batch.allowed), batch.actions)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        reached = balanced_accuracy(confusion(network, validation))
        history.append({"epoch": epoch, "balanced_accuracy": reached})
        if reached > best:
            best, chosen, held = reached, epoch, copy.deepcopy(network)
        elif epoch - chosen >= settings.patience:
            break
    record = {"by": "balanced_accuracy", "value": best, "epoch": chosen, "settings": asdict(settings)}
    return Trained(held.eval(), record, history)


@torch.no_grad()
def confusion(network: PolicyNetwork, batch: Batch) -> np.ndarray:
    """Return how often each action (row) was answered by each (column)."""
    network.eval()
    answers = masked(network(batch.inputs), batch.allowed).argmax(-1)
    count = batch.allowed.shape[1]
    return torch.bincount(batch.actions * count + answers, minlength=count**2).reshape(count, count).numpy()


def recalls(table: np.ndarray) -> list[float | None]:
    """Return the share of each action that was answered by itself; None for one that does not occur.

    Example:
        >>> recalls(np.array([[3, 1], [0, 0]]))
        [0.75, None]
    """
    totals = table.sum(1)
    return [float(table[index, index] / total) if total else None for index, total in enumerate(totals)]


def balanced_accuracy(table: np.ndarray) -> float:
    """Return the mean recall over the actions that occur.

    Example:
        >>> balanced_accuracy(np.array([[3, 1], [0, 2]]))
        0.875
    """
    known = [recall for recall in recalls(table) if recall is not None]
    return sum(known) / len(known) if known else 0.0
