"""The rules of the heuristic Tamiyo, each decision with its numbers and why nothing else was done.

Source: tamiyo.md, section 3. ADVANCE leads a seed from germinated to training and from training to blending,
FOSSILIZE ends blending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probatum.packs.actions import GERMINATE, WAIT, family
from probatum.packs.choice import Choice
from probatum.packs.environment import Observed
from probatum.policies.probabilities import certain

GERMINATED, TRAINING, BLENDING, FOSSILIZED = 2, 3, 4, 7  # codes of `seed_stage`


@dataclass(frozen=True)
class Thresholds:
    """Every number of the rules; the defaults are the source's.

    Accuracies and improvements are in percentage points.
    """

    first_epoch: int = 5  # no germination before it
    plateau_epochs: int = 3  # epochs without half a point that call for a seed
    sure_plateau: int = 5  # a plateau this long gives confidence 1
    least_training_epochs: int = 3
    blend_improvement: float = 1.0  # since the stage began, to enter blending
    sure_improvement: float = 5.0  # gives confidence 1
    cull_training_epochs: int = 5
    cull_improvement: float = -2.0  # below it a seed in training is culled
    blending_epochs: int = 5
    blueprints: tuple[str, ...] = ("CONV_ENHANCE", "ATTENTION", "NORM", "DEPTHWISE")  # in turn


@dataclass(frozen=True)
class _State:
    """What the rules look at."""

    epoch: int
    plateau: int
    has_seed: bool
    stage: int
    in_stage: int
    improvement: float
    total: float

    @classmethod
    def of(cls, observed: Observed) -> _State:
        slot = observed.slot
        return cls(
            observed.epoch,
            observed.snapshot.plateau_epochs or 0,
            bool(slot.get("has_active_seed", 0)),
            int(slot.get("seed_stage", 0)),
            int(slot.get("seed_epochs_in_stage", 0)),
            float(slot.get("seed_improvement", 0.0)),
            float(observed.facts.get("total_improvement", slot.get("seed_improvement", 0.0))),
        )


@dataclass(frozen=True)
class _Wish:
    family: str
    reason: str
    confidence: float = 1.0


class Heuristic:
    """The rules as a policy; blueprints are taken in turn within an episode.

    Args:
        thresholds: The numbers of the rules.
        name: What records call it.

    Example:
        >>> Heuristic().name
        'heuristic'
    """

    def __init__(self, thresholds: Thresholds | None = None, name: str = "heuristic") -> None:
        self.thresholds = thresholds or Thresholds()
        self.name = name
        self._turn = 0

    def begin(self, seed: int) -> None:
        """Start with the first blueprint; nothing is drawn."""
        self._turn = 0

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return the decision of the rules; WAIT where what they want is not allowed."""
        state = _State.of(observed)
        wish = self._wish(state)
        name = self._action(wish.family, actions)
        reason = wish.reason
        if name is None or not observed.allowed[actions.index(name)]:
            reason = f"{reason}; {wish.family} cannot be carried out now"
            name = WAIT
        if family(name) == GERMINATE:
            self._turn += 1
        index = actions.index(name)
        why_not = {
            other: self._against(other, wish, state)
            for other, allowed in zip(actions, observed.allowed, strict=True)
            if allowed and other != name
        }
        sure = wish.confidence if name != WAIT or wish.family == WAIT else 1.0
        return Choice(index, certain(index, len(actions)), index, sure, reason, why_not)

    def _action(self, wished: str, actions: Sequence[str]) -> str | None:
        """Return the action's full name: the blueprint whose turn it is; None where there is no such action."""
        if wished != GERMINATE:
            return wished if wished in actions else None
        named = [f"{GERMINATE}_{blueprint}" for blueprint in self.thresholds.blueprints]
        known = [name for name in named if name in actions]
        return known[self._turn % len(known)] if known else None

    def _wish(self, state: _State) -> _Wish:
        if not state.has_seed:
            return self._without_seed(state)
        rules = {GERMINATED: self._germinated, TRAINING: self._training, FOSSILIZED: self._fossilized}
        return rules.get(state.stage, self._blending)(state)

    def _without_seed(self, state: _State) -> _Wish:
        given = self.thresholds
        if state.epoch < given.first_epoch:
            return _Wish(WAIT, f"epoch {state.epoch} is before epoch {given.first_epoch}")
        if state.plateau < given.plateau_epochs:
            return _Wish(
                WAIT, f"{_epochs(state.plateau)} without progress, a seed needs {given.plateau_epochs}"
            )
        sure = min(1.0, state.plateau / given.sure_plateau)
        return _Wish(
            GERMINATE,
            f"{_epochs(state.plateau)} without half a point (at least {given.plateau_epochs})",
            sure,
        )

    def _germinated(self, state: _State) -> _Wish:
        return _Wish("ADVANCE", "the seed has germinated and can train")

    def _training(self, state: _State) -> _Wish:
        given = self.thresholds
        if state.in_stage < given.least_training_epochs:
            return _Wish(
                WAIT,
                f"the seed has trained {state.in_stage} of at least {given.least_training_epochs} epochs",
            )
        gained = f"{state.improvement:+.2f} points since training began"
        if state.improvement >= given.blend_improvement:
            sure = min(1.0, state.improvement / given.sure_improvement)
            return _Wish("ADVANCE", f"{gained} (at least {given.blend_improvement:+.2f})", sure)
        if state.in_stage >= given.cull_training_epochs and state.improvement < given.cull_improvement:
            return _Wish(
                "CULL", f"{gained} after {state.in_stage} epochs (below {given.cull_improvement:+.2f})"
            )
        return _Wish(WAIT, f"{gained}: blending needs {given.blend_improvement:+.2f}")

    def _blending(self, state: _State) -> _Wish:
        if state.in_stage < self.thresholds.blending_epochs:
            return _Wish(WAIT, f"blended for {state.in_stage} of {self.thresholds.blending_epochs} epochs")
        gained = f"{state.total:+.2f} points in all after {state.in_stage} epochs of blending"
        return _Wish("FOSSILIZE" if state.total > 0 else "CULL", gained)

    def _fossilized(self, state: _State) -> _Wish:
        return _Wish(WAIT, "the seed is part of the network")

    def _against(self, name: str, wish: _Wish, state: _State) -> str:
        """Return why an allowed action was not taken."""
        if name == WAIT:
            return f"an intervention is due: {wish.reason}"
        reasons = {
            GERMINATE: self._against_germination,
            "ADVANCE": self._against_advance,
            "CULL": self._against_cull,
            "FOSSILIZE": self._against_fossilisation,
        }
        against = reasons.get(family(name))
        return "the rules know no occasion for it" if against is None else against(wish, state)

    def _against_germination(self, wish: _Wish, state: _State) -> str:
        return "another blueprint's turn" if wish.family == GERMINATE else wish.reason

    def _against_advance(self, wish: _Wish, state: _State) -> str:
        if wish.family != WAIT:
            return wish.reason
        return f"too early: {wish.reason}"

    def _against_cull(self, wish: _Wish, state: _State) -> str:
        given = self.thresholds
        if state.stage == TRAINING:
            return (
                f"{state.improvement:+.2f} points after {_epochs(state.in_stage)}; culled are seeds below "
                f"{given.cull_improvement:+.2f} after {given.cull_training_epochs}"
            )
        if state.stage == GERMINATED:
            return "the seed has not trained yet"
        return (
            f"{state.total:+.2f} points in all; seeds at or below 0 after {given.blending_epochs} are culled"
        )

    def _against_fossilisation(self, wish: _Wish, state: _State) -> str:
        return wish.reason if wish.family != WAIT else f"too early: {wish.reason}"


VARIANTS: Mapping[str, Thresholds] = {
    "eager": Thresholds(first_epoch=3, plateau_epochs=1, least_training_epochs=1, blend_improvement=0.2,
                        blending_epochs=3),
    "patient": Thresholds(first_epoch=8, plateau_epochs=5, least_training_epochs=4, cull_training_epochs=8),
    "early": Thresholds(first_epoch=2, plateau_epochs=0),
    "strict": Thresholds(blend_improvement=2.0, cull_training_epochs=4, cull_improvement=0.0),
    "lenient": Thresholds(blend_improvement=-1.0, cull_improvement=-5.0),
    "brisk": Thresholds(least_training_epochs=2, cull_training_epochs=3, blending_epochs=3),
    "conv": Thresholds(blueprints=("CONV_ENHANCE",)),
    "light": Thresholds(blueprints=("NORM", "DEPTHWISE")),
}  # fmt: skip
"""Other numbers for the same rules, by name: behaviours that see other situations."""


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' * (count != 1)}"
