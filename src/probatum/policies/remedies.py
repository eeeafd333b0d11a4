"""What to do about a cause: which flags point to it, and which action of an environment mends it.

The same table serves the rules that act (`FlagRules`) and the advisor that only speaks (`advisor`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probatum.packs.actions import GERMINATE, WAIT, family
from probatum.packs.choice import Choice
from probatum.packs.environment import Observed
from probatum.policies.heuristic import Heuristic
from probatum.policies.probabilities import certain
from probatum.signals.snapshot import Snapshot


@dataclass(frozen=True)
class Remedy:
    """A hidden cause, the red flags that point to it, and the action that mends it."""

    cause: str
    flags: tuple[str, ...]
    action: str  # a name, or the family GERMINATE
    advice: str


REMEDIES = (
    Remedy("vanishing_gradients", ("vanishing_gradients", "poor_gradient_health"), "RESCALE_GRADIENTS",
           "normalise gradients per layer, add normalisation or a skip connection"),
    Remedy("class_imbalance", ("class_count_imbalance", "severe_class_imbalance"), "REBALANCE_CLASSES",
           "weigh the classes by their inverse frequency, or resample the weak ones"),
    Remedy("sharp_minimum", ("sharp_minimum",), "LOWER_LEARNING_RATE",
           "lower the learning rate, or average weights"),
    Remedy("low_learning_rate", ("update_to_weight_ratio",), "RAISE_LEARNING_RATE",
           "raise the learning rate tenfold"),
    Remedy("underfitting", ("sustained_plateau",), GERMINATE,
           "give the network more capacity: a wider layer, a seed, fewer penalties"),
)  # fmt: skip
"""In the order in which they are asked: what explains most comes first."""

RIGHT_ACTION: Mapping[str, str] = {remedy.cause: remedy.action for remedy in REMEDIES}
"""The action, or its family, that mends each hidden cause; none mends `none`."""


def remedy_for(shot: Snapshot) -> tuple[Remedy, tuple[str, ...]] | None:
    """Return the first remedy whose flags are up at a snapshot, with the evidence; None where there is none.

    Example:
        >>> remedy_for(Snapshot(3)) is None
        True
    """
    for remedy in REMEDIES:
        found = [finding.wording for finding in shot.findings if _points(remedy, finding.name, finding.rule)]
        if found:
            return remedy, tuple(found)
    return None


def _points(remedy: Remedy, flag: str, rule: str) -> bool:
    if remedy.cause == "low_learning_rate":  # the flag covers steps that are too large as well
        return rule == "update_ratio_small"
    return flag in remedy.flags


class FlagRules:
    """Applies the remedy that the red flags name, each once; growth itself is led by the heuristic.

    A person's reading of the flags, as a policy: what a learned one with the same signals should not fall behind.
    """

    name = "flags"

    def __init__(self) -> None:
        self._growth = Heuristic()
        self._tried: set[str] = set()

    def begin(self, seed: int) -> None:
        """Forget what was tried; nothing is drawn."""
        self._tried = set()
        self._growth.begin(seed)

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return the remedy of the first flag that has one not tried yet, else the heuristic's decision."""
        found = remedy_for(observed.snapshot)
        if found is None or found[0].action == GERMINATE:
            return self._growth.choose(observed, actions)
        remedy, evidence = found
        if remedy.action not in actions or remedy.action in self._tried:
            return self._growth.choose(observed, actions)
        index = actions.index(remedy.action)
        if not observed.allowed[index]:
            return self._growth.choose(observed, actions)
        self._tried.add(remedy.action)
        reason = f"{remedy.cause}: {'; '.join(evidence)}"
        why_not = {
            name: "the flags come first" if name == WAIT else f"does not mend {remedy.cause}"
            for name, allowed in zip(actions, observed.allowed, strict=True)
            if allowed and name != remedy.action
        }
        return Choice(index, certain(index, len(actions)), index, 1.0, reason, why_not)


def is_right(cause: str, action: str) -> bool:
    """Return whether an action mends a hidden cause.

    Example:
        >>> is_right("underfitting", "GERMINATE_NORM"), is_right("none", "WAIT"), is_right("none", "CULL")
        (True, True, False)
    """
    return RIGHT_ACTION.get(cause, WAIT) in (action, family(action))
