"""Online learning: proximal policy optimisation on batches of episodes, small enough for two cores.

Source: J. Schulman et al., Proximal policy optimization algorithms (2017); the advantages are those of J. Schulman
et al., High-dimensional continuous control using generalized advantage estimation (2016). Episodes have a fixed
budget, so rewards are not discounted; they are those of packs (`packs.rewards`): the change of validation accuracy
less the cost of the action. The test split is never read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from probatum.packs.environment import Environment, EpisodeSettings
from probatum.packs.normalisation import Normaliser
from probatum.packs.rewards import carried_forward, cost
from probatum.policies.behaviours import RandomPolicy
from probatum.policies.dataset import chosen_features, network_inputs
from probatum.policies.imitation import Trained
from probatum.policies.network import PolicyNetwork, masked
from probatum.policies.threads import one_thread


@dataclass(frozen=True)
class PPOSettings:
    """What the learner is told."""

    hidden: tuple[int, ...] = (64, 64)
    learning_rate: float = 1e-3
    batches: int = 40  # of episodes, `side_by_side` each
    side_by_side: int = 8
    random_batches: int = 2  # at the start, with random actions: the normaliser learns from them
    passes: int = 4  # over each batch
    minibatch: int = 64
    clip: float = 0.2
    trace: float = 0.95  # lambda of the advantages
    discount: float = 1.0
    entropy: float = 0.02  # at the start; falls to a tenth
    value_share: float = 0.5
    gradient_clip: float = 0.5
    patience_batches: int = 5  # batches over which the mean outcome chooses the best moment


@dataclass(frozen=True)
class _Episodes:
    """A batch of episodes as tensors, (steps, runs, ...)."""

    inputs: Tensor
    allowed: Tensor
    actions: Tensor
    logs: Tensor
    values: Tensor
    rewards: Tensor
    reached: float  # mean validation accuracy at the end, in percent


def train_ppo(
    environment: Environment,
    settings: PPOSettings,
    seed: int,
    *,
    features: str = "all",
    draw: Callable[[int], EpisodeSettings] = EpisodeSettings,
    report: Callable[[int, float], None] | None = None,
) -> tuple[Trained, Normaliser]:
    """Return the policy with the best mean outcome over some successive batches, and its normaliser.

    Args:
        environment: For up to `settings.side_by_side` runs.
        settings: What the learner is told.
        seed: Networks, episodes and actions follow from it.
        features: As `PackDataset` takes them.
        draw: Makes an episode's settings from its seed.
        report: Called after each batch with its number and mean final accuracy.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = _Learner(environment, settings, seed, features, draw)
        return learner.train(report), learner.normaliser


class _Learner:
    def __init__(
        self,
        environment: Environment,
        settings: PPOSettings,
        seed: int,
        features: str,
        draw: Callable[[int], EpisodeSettings],
    ) -> None:
        self.environment, self.settings, self.draw = environment, settings, draw
        self.source = np.random.default_rng(seed)
        schema = environment.schema
        self.names = chosen_features(schema.as_record(), features)
        self.columns = np.array([schema.index[name] for name in self.names])
        self.normaliser = Normaliser(self.names)
        count, width = len(environment.actions), len(self.names)
        self.policy = PolicyNetwork(width, count, settings.hidden)
        self.value = PolicyNetwork(width, 1, settings.hidden)
        self.optimiser = torch.optim.Adam(
            [*self.policy.parameters(), *self.value.parameters()], lr=settings.learning_rate, fused=True
        )
        self.unit = 1.0  # points: rewards are told in their own spread

    def train(self, report: Callable[[int, float], None] | None) -> Trained:
        """Learn, and return the network at its best moment."""
        self._look_around()
        given = self.settings
        history: list[dict[str, Any]] = []
        best, held, chosen = -np.inf, copy.deepcopy(self.policy), 0
        for number in range(1, given.batches + 1):
            before = copy.deepcopy(self.policy)
            episodes = self._play()
            self._learn(episodes, given.entropy * (1 - 0.9 * number / given.batches))
            history.append({"batch": number, "val_accuracy": episodes.reached})
            recent = [own["val_accuracy"] for own in history[-given.patience_batches :]]
            mean = sum(recent) / len(recent)
            if len(recent) == min(given.patience_batches, given.batches) and mean > best:
                best, held, chosen = mean, before, number
            if report:
                report(number, episodes.reached)
        record = {
            "by": f"mean val_accuracy of {given.patience_batches} batches",
            "value": float(best),
            "batch": chosen,
            "episodes": (given.batches + given.random_batches) * given.side_by_side,
            "settings": asdict(given),
        }
        return Trained(held.eval(), record, history)

    def _begin(self) -> Sequence[Any]:
        seeds = self.source.integers(2**31, size=self.settings.side_by_side)
        return self.environment.reset([self.draw(int(own)) for own in seeds])

    def _look_around(self) -> None:
        """Play at random: the normaliser and the unit of rewards are learnt from these batches, then fixed."""
        rewards = []
        for _ in range(self.settings.random_batches):
            policies = [RandomPolicy(by_family=True, waiting=0.7) for _ in range(self.settings.side_by_side)]
            for policy in policies:
                policy.begin(int(self.source.integers(2**31)))
            observed = self._begin()
            while not observed[0].is_last:
                values, mask = self._features(observed)
                self.normaliser.update(values, mask)
                before = [own.snapshot.val_accuracy for own in observed]
                choices = [
                    policy.choose(own, self.environment.actions)
                    for policy, own in zip(policies, observed, strict=True)
                ]
                observed = self.environment.step([choice.action for choice in choices])
                rewards += self._rewards(before, observed, [choice.action for choice in choices])
        self.unit = max(float(np.std(rewards)), 1e-6)

    def _play(self) -> _Episodes:
        rows: dict[str, list[Tensor]] = {
            name: [] for name in ("inputs", "allowed", "actions", "logs", "values", "rewards")
        }
        observed = self._begin()
        while not observed[0].is_last:
            values, mask = self._features(observed)
            inputs = network_inputs(self.normaliser, values, mask)
            allowed = torch.tensor([own.allowed for own in observed])
            with torch.no_grad():
                logs = masked(self.policy(inputs), allowed).log_softmax(-1)
                expected = self.value(inputs)[:, 0]
            actions = torch.tensor([self._drawn(row) for row in logs.exp().double().numpy()])
            before = [own.snapshot.val_accuracy for own in observed]
            observed = self.environment.step(actions.tolist())
            earned = torch.tensor(self._rewards(before, observed, actions.tolist())) / self.unit
            seen = (inputs, allowed, actions, logs.gather(1, actions[:, None])[:, 0], expected, earned)
            for name, own in zip(rows, seen, strict=True):
                rows[name].append(own)
        final = [own.snapshot.val_accuracy or 0.0 for own in observed]
        return _Episodes(
            **{name: torch.stack(own) for name, own in rows.items()}, reached=float(np.mean(final))
        )

    def _drawn(self, shares: np.ndarray) -> int:
        return int(self.source.choice(len(shares), p=shares / shares.sum()))

    def _features(self, observed: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        vectors = [self.environment.schema.vector(own.recent, own.slot) for own in observed]
        values = np.array([vector.values for vector in vectors], dtype=np.float32)[:, self.columns]
        mask = np.array([vector.mask for vector in vectors], dtype=np.uint8)[:, self.columns]
        return values, mask

    def _rewards(
        self, before: Sequence[float | None], after: Sequence[Any], actions: Sequence[int]
    ) -> list[float]:
        pairs = [
            carried_forward([first, own.snapshot.val_accuracy])
            for first, own in zip(before, after, strict=True)
        ]
        paid = [cost(self.environment.actions[action]) for action in actions]
        return [second - first - own for (first, second), own in zip(pairs, paid, strict=True)]

    def _learn(self, episodes: _Episodes, entropy: float) -> None:
        advantages = _advantages(episodes, self.settings)
        goals = (advantages + episodes.values).flatten()
        flat = {
            name: getattr(episodes, name).flatten(0, 1) for name in ("inputs", "allowed", "actions", "logs")
        }
        scaled = advantages.flatten()
        scaled = (scaled - scaled.mean()) / (scaled.std() + 1e-8)
        for _ in range(self.settings.passes):
            order = torch.from_numpy(self.source.permutation(len(scaled)))
            for part in order.split(self.settings.minibatch):
                own = {name: column[part] for name, column in flat.items()}
                self._descend(own, scaled[part], goals[part], entropy)

    def _descend(self, own: dict[str, Tensor], advantages: Tensor, goals: Tensor, entropy: float) -> None:
        given = self.settings
        logs = masked(self.policy(own["inputs"]), own["allowed"]).log_softmax(-1)
        ratio = (logs.gather(1, own["actions"][:, None])[:, 0] - own["logs"]).exp()
        clipped = ratio.clamp(1 - given.clip, 1 + given.clip)
        gained = torch.minimum(ratio * advantages, clipped * advantages).mean()
        spread = -(logs.exp() * logs).sum(-1).mean()
        error = ((self.value(own["inputs"])[:, 0] - goals) ** 2).mean()
        loss = given.value_share * error - gained - entropy * spread
        self.optimiser.zero_grad()
        loss.backward()
        for network in (self.policy, self.value):
            torch.nn.utils.clip_grad_norm_(network.parameters(), given.gradient_clip)
        self.optimiser.step()


def _advantages(episodes: _Episodes, settings: PPOSettings) -> Tensor:
    """Return the generalised advantages, (steps, runs); nothing follows the last step."""
    found = torch.zeros_like(episodes.rewards)
    following = torch.zeros_like(episodes.rewards[0])
    carried = torch.zeros_like(following)
    for step in reversed(range(len(episodes.rewards))):
        surprise = episodes.rewards[step] + settings.discount * following - episodes.values[step]
        carried = surprise + settings.discount * settings.trace * carried
        found[step], following = carried, episodes.values[step]
    return found
