"""Small models and loops that the probe's tests share."""

from __future__ import annotations

import torch
from torch import nn


def small_model(dropout=0.3):
    """Return a convolutional network with batch norm and dropout for (n, 1, 6, 6) images and 3 classes."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(dropout), nn.Flatten(), nn.Linear(64, 3)
    )


class Attending(nn.Module):
    """A model with an embedding, attention, a layer norm and a head, for (n, 5) tokens."""

    def __init__(self, sparse=False):
        super().__init__()
        self.embed = nn.Embedding(11, 8, sparse=sparse)
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens):
        states = self.embed(tokens)
        states = self.norm(states + self.attention(states, states, states)[0])
        return self.head(states.mean(1))


def images(step, size=8):
    """Return the batch of a step, drawn by a generator of its own."""
    own = torch.Generator().manual_seed(step)
    return torch.randn(size, 1, 6, 6, generator=own), torch.randint(3, (size,), generator=own)


def tokens(step, size=8):
    """Return the batch of a step, drawn by a generator of its own."""
    own = torch.Generator().manual_seed(step)
    return torch.randint(11, (size, 5), generator=own), torch.randint(3, (size,), generator=own)


def train_epoch(model, optimizer, probe=None, *, steps=5, batch=images, end=True, first=0):
    """Train an epoch and return the losses as floats and the signals."""
    losses = []
    for step in range(first, first + steps):
        inputs, targets = batch(step)
        outputs = model(inputs)
        loss = nn.functional.cross_entropy(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        if probe is not None:
            probe.observe(loss, outputs, targets)
        optimizer.step()
        losses.append(loss.item())
    return losses, probe.end_epoch() if probe is not None and end else None


def hook_count(model):
    """Return how many hooks there are in a model."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    own = sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)
    return own + sum(len(parameter._backward_hooks or ()) for parameter in model.parameters())
