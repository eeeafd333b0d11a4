"""What a generation will carry out: every episode follows from one seed and its own number.

Episode i is the same whether the pack holds ten episodes or ten thousand, and whichever process carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from probatum._errors import UsageError
from probatum.packs.environment import EpisodeSettings
from probatum.policies.registry import make_policy

CAUSES = (
    "none", "vanishing_gradients", "sharp_minimum", "low_learning_rate", "underfitting", "class_imbalance",
)  # fmt: skip
GROWTH_MIX: Mapping[str, float] = {
    "heuristic": 1.0,
    "heuristic:eager": 1.0,
    "heuristic:brisk": 1.0,
    "heuristic:early": 0.5,
    "heuristic:strict": 0.5,
    "epsilon(heuristic, 0.2)": 2.0,
    "epsilon(heuristic:eager, 0.3)": 2.0,
    "random:family": 1.0,
    "fixed": 0.5,
    "no_growth": 0.5,
}  # shares of the behaviours where nothing else is asked for
DIAGNOSIS_MIX: Mapping[str, float] = {
    "random:sparse": 2.0,
    "random:family": 1.0,
    "epsilon(heuristic:eager, 0.3)": 1.0,
}  # every action is tried in every cause, and none because of its signals


@dataclass(frozen=True)
class PlannedEpisode:
    """One episode before it is carried out."""

    index: int
    episode_id: str
    settings: EpisodeSettings
    policy: str
    policy_seed: int


@dataclass(frozen=True)
class Plan:
    """A number of episodes with their shares of behaviours and hidden causes.

    Args:
        seed: Everything is drawn from it.
        episodes: How many.
        behaviours: Weights by policy name.
        causes: Weights by hidden cause.
        overrides: Of the study's parameters, for every episode.
        side_by_side: Episodes that go in one environment at once. A part of the plan, since numbers may depend
            on it in the last bits.
        first: Number of the first episode: another range of the same plan shares no episode with this one.

    Raises:
        UsageError: a number is out of range or a behaviour unknown.

    Example:
        >>> Plan(seed=1, episodes=2).episode(1) == Plan(seed=1, episodes=9).episode(1)
        True
    """

    seed: int
    episodes: int
    behaviours: Mapping[str, float] = field(default_factory=lambda: dict(GROWTH_MIX))
    causes: Mapping[str, float] = field(default_factory=lambda: {"none": 1.0})
    overrides: Mapping[str, Any] = field(default_factory=dict)
    side_by_side: int = 8
    first: int = 0

    def __post_init__(self) -> None:
        for name in ("episodes", "side_by_side"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, got {getattr(self, name)}.")
        for kind in ("behaviours", "causes"):
            weights = getattr(self, kind)
            if not weights or not all(0 <= weight < float("inf") for weight in weights.values()):
                raise UsageError(f"{kind} need weights of 0 or more, got {dict(weights)}.")
            if sum(weights.values()) <= 0:
                raise UsageError(f"{kind} need one positive weight, got {dict(weights)}.")
        for name in self.behaviours:
            make_policy(name)

    def episode(self, index: int) -> PlannedEpisode:
        """Return episode `index`, counted from 0."""
        source = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(index,)))
        seed, policy_seed = (int(value) for value in source.integers(2**31, size=2))
        cause = _drawn(self.causes, source.random())
        behaviour = _drawn(self.behaviours, source.random())
        settings = EpisodeSettings(seed, cause, dict(self.overrides))
        return PlannedEpisode(index, f"episode_{index:05d}", settings, behaviour, policy_seed)

    def groups(self, done: Iterable[str] = ()) -> list[list[PlannedEpisode]]:
        """Return the groups that go side by side and hold an episode that is not `done`.

        A group is whole, done episodes included, so that a continued generation computes the same numbers.
        """
        finished = set(done)
        numbers = range(self.first, self.first + self.episodes)
        cuts = range(0, len(numbers), self.side_by_side)
        groups = [[self.episode(index) for index in numbers[cut : cut + self.side_by_side]] for cut in cuts]
        return [group for group in groups if any(own.episode_id not in finished for own in group)]

    def as_record(self) -> dict[str, Any]:
        """Return what a pack keeps of the plan: all but the number of episodes, which may grow."""
        return {
            "seed": self.seed,
            "behaviours": dict(self.behaviours),
            "causes": dict(self.causes),
            "overrides": dict(self.overrides),
            "side_by_side": self.side_by_side,
            "first": self.first,
        }


def weights_of(words: Sequence[str], kind: str) -> dict[str, float]:
    """Return weights by name from words like `random=2`; a bare name weighs 1.

    Raises:
        UsageError: a weight is no number, or a name is given twice.

    Example:
        >>> weights_of(["epsilon(heuristic, 0.2)", "random=2"], "behaviour")
        {'epsilon(heuristic, 0.2)': 1.0, 'random': 2.0}
    """
    found: dict[str, float] = {}
    for word in words:
        name, equals, weight = word.rpartition("=")
        name = (name if equals else word).strip()
        try:
            value = float(weight) if equals else 1.0
        except ValueError:
            raise UsageError(f"--{kind} {word}: expected NAME=WEIGHT, got the weight {weight!r}.") from None
        if name in found:
            raise UsageError(f"--{kind} {name} is given twice.")
        found[name] = value
    return found


def _drawn(weights: Mapping[str, float], share: float) -> str:
    """Return the name at `share`, in [0, 1), of the weights laid end to end."""
    left = share * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    return next(name for name in reversed(list(weights)) if weights[name] > 0)
