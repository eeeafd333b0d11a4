"""Policies that learn nothing: to compare with, and to see many situations when packs are generated.

The probabilities that a choice carries are exact, so that a learner may weigh by them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from probatum._errors import UsageError
from probatum.packs.actions import GERMINATE, WAIT, family
from probatum.packs.choice import Choice, Policy
from probatum.packs.environment import Observed
from probatum.policies.heuristic import BLENDING, FOSSILIZED, GERMINATED, TRAINING
from probatum.policies.probabilities import certain, uniform


class NoGrowth:
    """Never intervenes: what every other policy must beat."""

    name = "no_growth"

    def begin(self, seed: int) -> None:
        """Draw nothing."""

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return WAIT."""
        index = actions.index(WAIT)
        why_not = dict.fromkeys(_others(index, observed, actions), "this policy never intervenes")
        return Choice(index, certain(index, len(actions)), index, 1.0, "never intervenes", why_not)


@dataclass(frozen=True)
class Schedule:
    """When a fixed schedule acts, as shares of the budget; tamiyo.md, section 1: 10, 15 and 20 of 25 epochs."""

    germinate: float = 0.4
    blend: float = 0.6
    fossilize: float = 0.8
    blueprint: str = "CONV_ENHANCE"


class FixedSchedule:
    """Germinates, blends and fossilises at set epochs, whatever it sees; a step that is not allowed waits.

    Args:
        schedule: When.
        name: What records call it.
    """

    def __init__(self, schedule: Schedule | None = None, name: str = "fixed") -> None:
        self.schedule = schedule or Schedule()
        self.name = name

    def begin(self, seed: int) -> None:
        """Draw nothing."""

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return the step that is due, else WAIT."""
        budget = observed.epoch + observed.budget
        share, wanted = self._step(int(observed.slot.get("seed_stage", 0)))
        due = max(1, round(share * budget))
        name, reason = WAIT, f"{wanted} is due at epoch {due} of {budget}"
        if wanted == WAIT:
            reason = "the schedule is finished"
        elif observed.epoch >= due and wanted in actions and observed.allowed[actions.index(wanted)]:
            name = wanted
        elif observed.epoch >= due:
            reason = f"{reason}, and cannot be carried out now"
        index = actions.index(name)
        why_not = dict.fromkeys(_others(index, observed, actions), reason)
        return Choice(index, certain(index, len(actions)), index, 1.0, reason, why_not)

    def _step(self, stage: int) -> tuple[float, str]:
        """Return the next step of a slot, and when it is due as a share of the budget."""
        given = self.schedule
        steps = {
            GERMINATED: (given.germinate, "ADVANCE"),
            TRAINING: (given.blend, "ADVANCE"),
            BLENDING: (given.fossilize, "FOSSILIZE"),
            FOSSILIZED: (0.0, WAIT),
        }
        return steps.get(stage, (given.germinate, f"{GERMINATE}_{given.blueprint}"))


class RandomPolicy:
    """Takes every allowed action with equal probability; or every *family*, so that blueprints share one.

    Args:
        by_family: Give every family of actions the same probability.
        waiting: Probability of WAIT where anything else is allowed; None gives it no special place.
        name: What records call it.
    """

    def __init__(
        self, name: str = "random", *, by_family: bool = False, waiting: float | None = None
    ) -> None:
        self.name = name
        self.by_family, self.waiting = by_family, waiting
        self._random = random.Random(0)  # noqa: S311 - no secret is drawn

    def begin(self, seed: int) -> None:
        """Draw from `seed` on."""
        self._random = random.Random(seed)  # noqa: S311

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return a draw."""
        probabilities = self._probabilities(observed, actions)
        index = draw(probabilities, self._random)
        why_not = dict.fromkeys(_others(index, observed, actions), "the draw fell otherwise")
        reason = f"drawn with probability {probabilities[index]:.3g}"
        return Choice(index, probabilities, index, probabilities[index], reason, why_not)

    def _probabilities(self, observed: Observed, actions: Sequence[str]) -> tuple[float, ...]:
        if self.waiting is None or not any(observed.allowed[1:]):
            return self._shares(observed, actions)
        other = replace(observed, allowed=(False, *observed.allowed[1:]))
        acting = self._shares(other, actions)
        return (self.waiting, *((1 - self.waiting) * share for share in acting[1:]))

    def _shares(self, observed: Observed, actions: Sequence[str]) -> tuple[float, ...]:
        if not self.by_family:
            return uniform(observed.allowed)
        names = [
            family(name) if allowed else "" for name, allowed in zip(actions, observed.allowed, strict=True)
        ]
        families = {name for name in names if name}
        return tuple(1 / len(families) / names.count(name) if name else 0.0 for name in names)


class EpsilonGreedy:
    """Another policy that, with probability epsilon, takes any allowed action instead.

    The probabilities are those of the mixture: (1 - epsilon) times the policy's own, plus epsilon over the
    number of allowed actions, the policy's own choice included.

    Args:
        policy: What is followed otherwise.
        epsilon: In [0, 1].

    Raises:
        UsageError: epsilon is outside [0, 1].
    """

    def __init__(self, policy: Policy, epsilon: float) -> None:
        if not 0 <= epsilon <= 1:
            raise UsageError(f"epsilon must be in [0, 1], got {epsilon}.")
        self.policy, self.epsilon = policy, epsilon
        self.name = f"epsilon({policy.name}, {epsilon:g})"
        self._random = random.Random(0)  # noqa: S311

    def begin(self, seed: int) -> None:
        """Draw from `seed` on; the policy inside draws from a seed of its own."""
        self._random = random.Random(seed)  # noqa: S311
        self.policy.begin(self._random.getrandbits(63))

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return the policy's decision or an exploration; both know the exact probabilities of the mixture."""
        own = self.policy.choose(observed, actions)
        spread = uniform(observed.allowed)
        mixed = tuple(
            (1 - self.epsilon) * first + self.epsilon * second
            for first, second in zip(own.probabilities, spread, strict=True)
        )
        action = draw(spread, self._random) if self._random.random() < self.epsilon else own.action
        if action == own.action:
            return Choice(action, mixed, own.greedy, own.confidence, own.reason, own.why_not)
        reason = f"exploration (epsilon {self.epsilon:g}) instead of {actions[own.action]}: {own.reason}"
        why_not = dict.fromkeys(_others(action, observed, actions), "exploration drew another action")
        return Choice(action, mixed, own.greedy, mixed[action], reason, why_not)


def draw(probabilities: Sequence[float], source: random.Random) -> int:
    """Return an index with the probabilities given."""
    return source.choices(range(len(probabilities)), weights=probabilities)[0]


def _others(chosen: int, observed: Observed, actions: Sequence[str]) -> list[str]:
    """Return the names of the allowed actions that were not chosen."""
    return [name for index, name in enumerate(actions) if observed.allowed[index] and index != chosen]
