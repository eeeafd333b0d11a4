"""Gradient descent with momentum of runs side by side, each with its own learning rate and weight decay."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from probatum.studies.tamiyo.stacked.network import Group, Stacked
from probatum.studies.tamiyo.stacked.run import StackedRun


def prepare(stacks: Sequence[Stacked]) -> None:
    """Let all weights ask for gradients, and have momenta."""
    for stacked in stacks:
        for name, weight in stacked.weights.items():
            weight.requires_grad_()
            stacked.momenta.setdefault(name, torch.zeros_like(weight, requires_grad=False))


@torch.no_grad()
def descend(host: Stacked, groups: Sequence[Group], runs: Sequence[StackedRun]) -> None:
    """Take one step of SGD, as `torch.optim.SGD` does, and let go of the gradients."""
    _move(host, runs)
    for group in groups:
        _move(group.seeds, [runs[place] for place in group.places.tolist()])


def _move(stacked: Stacked, runs: Sequence[StackedRun]) -> None:
    rates = torch.tensor([-run.learning_rate for run in runs])
    keeps = torch.tensor([run.parameters.momentum for run in runs])
    decays = torch.tensor([run.parameters.weight_decay for run in runs])
    decays_at_all = any(run.parameters.weight_decay for run in runs)
    for name, weight in stacked.weights.items():
        if weight.grad is None:
            continue
        across = (-1, *[1] * (weight.ndim - 1))
        momentum = stacked.momenta[name]
        if decays_at_all:
            weight.grad.addcmul_(weight, decays.view(across))
        momentum.mul_(keeps.view(across)).add_(weight.grad)
        weight.addcmul_(momentum, rates.view(across))
        stacked.last[name], weight.grad = weight.grad, None
