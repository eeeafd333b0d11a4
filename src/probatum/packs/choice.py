"""What a policy says when it decides: the action, how sure it is, and why not another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from probatum.packs.environment import Observed


@dataclass(frozen=True)
class Choice:
    """One decision of a policy.

    Attributes:
        action: The position of the chosen action among the environment's.
        probabilities: With what probability the policy would have taken each action: exact, exploration included.
        greedy: What it would have done without exploration.
        confidence: Between 0 and 1.
        reason: Why this action, with the numbers behind it.
        why_not: For the name of every other action that was allowed, why it was not taken.
    """

    action: int
    probabilities: tuple[float, ...]
    greedy: int
    confidence: float = 1.0
    reason: str = ""
    why_not: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_exploratory(self) -> bool:
        """Whether exploration made the choice."""
        return self.action != self.greedy


class Policy(Protocol):
    """Maps an observation to an intervention. A policy may remember: `begin` starts an episode."""

    name: str

    def begin(self, seed: int) -> None:
        """Forget the episode before; whatever is drawn from now on follows from `seed`."""
        ...

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return the decision at one observation; never an action that is not allowed."""
        ...
