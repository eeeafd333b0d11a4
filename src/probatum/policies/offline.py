"""Offline reinforcement learning: better than the behaviour, from its episodes alone.

IQL learns the value of actions that were taken and never asks for others: an expectile of Q over the data's
actions stands for the maximum, and the policy is extracted by weighing the data's actions with exp(advantage).
CQL asks for every action and keeps the values of those that were not taken down. Rewards are not discounted: an
episode has a fixed budget, and its return is the accuracy it gains.

Source: I. Kostrikov et al., Offline reinforcement learning with implicit Q-learning (2021), equations 5 to 7;
A. Kumar et al., Conservative Q-learning for offline reinforcement learning, NeurIPS 2020, equation 4.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probatum.policies.dataset import Batch, PackDataset
from probatum.policies.imitation import Trained
from probatum.policies.network import REFUSED, PolicyNetwork, masked
from probatum.policies.offline_value import Baseline, offline_value


@dataclass(frozen=True)
class OfflineSettings:
    """What both learners are told; advantages and values are in units of the baseline's residual."""

    hidden: tuple[int, ...] = (64, 64)
    dropout: float = 0.0
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    batch_size: int = 128
    steps: int = 2000
    look_every: int = 200  # steps between two looks at the validation episodes
    discount: float = 1.0
    target_rate: float = 0.02
    expectile: float = 0.7  # IQL: 0.5 is the behaviour's own value, towards 1 the best action in the data
    temperature: float = 3.0  # IQL: of exp(temperature * advantage)
    largest_weight: float = 100.0  # IQL: of the same
    conservatism: float = 1.0  # CQL: alpha of the penalty


class _Twins(nn.Module):
    """Two Q networks and their slow copies; the smaller of two answers is believed."""

    def __init__(self, features: int, actions: int, settings: OfflineSettings) -> None:
        super().__init__()
        self.own = nn.ModuleList(
            PolicyNetwork(features, actions, settings.hidden, settings.dropout) for _ in range(2)
        )
        self.slow = copy.deepcopy(self.own).requires_grad_(False)

    def both(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two answers, (batch, actions) each."""
        return self.own[0](inputs), self.own[1](inputs)

    @torch.no_grad()
    def believed(self, inputs: Tensor) -> Tensor:
        """Return the smaller of the slow copies' answers."""
        return torch.minimum(self.slow[0](inputs), self.slow[1](inputs))

    @torch.no_grad()
    def follow(self, rate: float) -> None:
        """Move the slow copies towards the networks."""
        for slow, own in zip(self.slow.parameters(), self.own.parameters(), strict=True):
            slow.lerp_(own, rate)


def train_iql(data: PackDataset, settings: OfflineSettings, seed: int) -> Trained:
    """Return the policy that implicit Q-learning extracts, chosen by `offline_value` on validation episodes."""
    return _train(data, settings, seed, _IQL)


def train_cql(data: PackDataset, settings: OfflineSettings, seed: int) -> Trained:
    """Return the conservative Q network, whose outputs are points, chosen in the same way."""
    return _train(data, settings, seed, _CQL)


class _IQL:
    kind = "logits"

    def __init__(self, features: int, actions: int, settings: OfflineSettings) -> None:
        self.settings = settings
        self.twins = _Twins(features, actions, settings)
        self.value = PolicyNetwork(features, 1, settings.hidden, settings.dropout)
        self.policy = PolicyNetwork(features, actions, settings.hidden, settings.dropout)
        learnt = [*self.twins.own.parameters(), *self.value.parameters(), *self.policy.parameters()]
        self.optimiser = _optimiser(learnt, settings)

    def step(self, batch: Batch, unit: float) -> None:
        """Take one step of all three networks; their losses share no parameter."""
        given = self.settings
        chosen = batch.actions[:, None]
        value = self.value(batch.inputs)[:, 0]
        gap = self.twins.believed(batch.inputs).gather(1, chosen)[:, 0] - value
        advantage = gap.detach()
        side = torch.where(advantage > 0, given.expectile, 1 - given.expectile)
        loss = (side * gap**2).mean()
        with torch.no_grad():
            following = self.value(batch.next_inputs)[:, 0].masked_fill(batch.final, 0.0)
            goal = batch.rewards / unit + given.discount * following
            weights = (given.temperature * advantage).exp().clamp_max(given.largest_weight)
        for answer in self.twins.both(batch.inputs):
            loss = loss + ((answer.gather(1, chosen)[:, 0] - goal) ** 2).mean()
        logits = masked(self.policy(batch.inputs), batch.allowed).log_softmax(-1)
        loss = loss - (weights * logits.gather(1, chosen)[:, 0]).mean()
        _descend(self.optimiser, loss)
        self.twins.follow(given.target_rate)


class _CQL:
    kind = "values"

    def __init__(self, features: int, actions: int, settings: OfflineSettings) -> None:
        self.settings = settings
        self.twins = _Twins(features, actions, settings)
        self.policy: PolicyNetwork = self.twins.own[0]  # pyright: ignore[reportAttributeAccessIssue]
        self.optimiser = _optimiser([*self.twins.own.parameters()], settings)

    def step(self, batch: Batch, unit: float) -> None:
        """Take one step: double Q-learning with the conservative penalty."""
        given = self.settings
        chosen = batch.actions[:, None]
        answers = self.twins.both(batch.inputs)
        with torch.no_grad():
            best = masked(self.policy(batch.next_inputs), batch.next_allowed).argmax(-1, keepdim=True)
            following = self.twins.believed(batch.next_inputs).gather(1, best)[:, 0]
            goal = batch.rewards / unit + given.discount * following.masked_fill(batch.final, 0.0)
        loss = batch.inputs.new_zeros(())
        for answer in answers:
            taken = answer.gather(1, chosen)[:, 0]
            above = answer.masked_fill(~batch.allowed, REFUSED).logsumexp(-1) - taken
            loss = loss + ((taken - goal) ** 2).mean() + given.conservatism * above.mean()
        _descend(self.optimiser, loss)
        self.twins.follow(given.target_rate)


def _train(
    data: PackDataset,
    settings: OfflineSettings,
    seed: int,
    learner_type: Callable[[int, int, OfflineSettings], _IQL | _CQL],
) -> Trained:
    source = np.random.default_rng(seed)
    rows = data.rows("train")
    baseline = Baseline.fit(data.batch(rows))
    validation = data.batch(data.rows("validation"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = learner_type(len(data.names), len(data.actions), settings)
        best, held, chosen = -np.inf, copy.deepcopy(learner.policy), 0
        history: list[dict[str, Any]] = []
        for step in range(1, settings.steps + 1):
            learner.policy.train()
            learner.step(data.batch(source.choice(rows, settings.batch_size)), baseline.residual)
            if step % settings.look_every and step != settings.steps:
                continue
            found = offline_value(learner.policy, validation, baseline)
            history.append({"step": step, **asdict(found)})
            if found.points is not None and found.points > best:
                best, held, chosen = found.points, copy.deepcopy(learner.policy), step
    if learner.kind == "values":
        _in_points(held, baseline.residual)
    record = {
        "by": "offline_value",
        "value": None if np.isinf(best) else best,
        "step": chosen,
        "unit_points": baseline.residual,
        "settings": asdict(settings),
    }
    return Trained(held.eval(), record, history, learner.kind)


@torch.no_grad()
def _in_points(network: PolicyNetwork, unit: float) -> None:
    network.head.weight.mul_(unit)
    network.head.bias.mul_(unit)


def _optimiser(parameters: list[nn.Parameter], settings: OfflineSettings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
