"""Who decides in a launched run: nobody, a schedule by epoch, or rules on the plateau.

The rules are those of the original's heuristic; `probatum.policies` has policies that learn. All act through the
gates: a step that a gate refuses waits.

Source: tamiyo.md, sections 1 and 3.
"""

from __future__ import annotations

from typing import NamedTuple

from probatum.studies.tamiyo.blueprints import BLUEPRINTS
from probatum.studies.tamiyo.lifecycle import Lifecycle
from probatum.studies.tamiyo.parameters import TamiyoParameters
from probatum.studies.tamiyo.stages import Stage


class Decision(NamedTuple):
    """What is done after an epoch."""

    action: str  # WAIT, GERMINATE, ADVANCE, CULL or FOSSILIZE
    reason: str


def decide(parameters: TamiyoParameters, life: Lifecycle, epoch: int, plateau_epochs: int) -> Decision:
    """Return what is done after `epoch`."""
    if parameters.growth == "none":
        return Decision("WAIT", "this run does not grow")
    if life.stage == Stage.DORMANT:
        return _empty(parameters, life, epoch, plateau_epochs)
    if life.stage == Stage.GERMINATED:
        return _through_gates(life, Stage.TRAINING, "ADVANCE", "the seed has germinated")
    if life.stage == Stage.TRAINING:
        return _training(parameters, life)
    if life.stage == Stage.BLENDING:
        return _blending(parameters, life)
    return Decision("WAIT", f"the slot is {life.stage.name.lower()}")


def next_blueprint(parameters: TamiyoParameters, life: Lifecycle) -> str:
    """Return what is germinated next."""
    names = list(BLUEPRINTS)
    own = parameters.growth_blueprint
    return names[life.created % len(names)] if own == "in_turn" else own


def carry_out(life: Lifecycle, decision: Decision, blueprint: str, accuracy: float) -> None:
    """Change the lifecycle as decided."""
    if decision.action == "GERMINATE":
        life.germinate(blueprint, accuracy)
    elif decision.action == "ADVANCE":
        life.advance()
    elif decision.action == "CULL":
        life.cull()
    elif decision.action == "FOSSILIZE":
        life.fossilize()


def _empty(parameters: TamiyoParameters, life: Lifecycle, epoch: int, plateau_epochs: int) -> Decision:
    if epoch < parameters.germinate_after:
        return Decision("WAIT", f"epoch {epoch} of {parameters.germinate_after} of the host alone")
    if parameters.growth == "fixed":
        if life.created:
            return Decision("WAIT", "the schedule has one seed")
        return Decision("GERMINATE", f"the schedule germinates after epoch {parameters.germinate_after}")
    if plateau_epochs >= parameters.plateau_for:
        return Decision("GERMINATE", f"a plateau of {plateau_epochs} epochs")
    return Decision("WAIT", f"a plateau of {plateau_epochs} epochs, {parameters.plateau_for} are asked for")


def _training(parameters: TamiyoParameters, life: Lifecycle) -> Decision:
    gain = f"{life.improvement:+.2f} points in {life.epochs_in_stage} epochs of training"
    if life.epochs_in_stage < parameters.train_for:
        return Decision("WAIT", f"{gain}; it trains for {parameters.train_for}")
    if parameters.growth == "fixed":
        return _through_gates(life, Stage.BLENDING, "ADVANCE", gain)
    if life.improvement >= parameters.advance_at:
        return _through_gates(life, Stage.BLENDING, "ADVANCE", gain)
    if life.epochs_in_stage >= parameters.cull_after and life.improvement < parameters.cull_at:
        return Decision("CULL", gain)
    return Decision("WAIT", f"{gain}; {parameters.advance_at:g} would advance it")


def _blending(parameters: TamiyoParameters, life: Lifecycle) -> Decision:
    gain = f"{life.total_improvement:+.2f} points since it germinated, alpha {life.alpha:.2f}"
    if life.epochs_in_stage < parameters.blending_epochs:
        return Decision("WAIT", gain)
    if parameters.growth == "heuristic" and life.total_improvement <= 0:
        return Decision("CULL", gain)
    return _through_gates(life, Stage.FOSSILIZED, "FOSSILIZE", gain)


def _through_gates(life: Lifecycle, to: Stage, action: str, reason: str) -> Decision:
    refusals = life.refusals(to)
    return Decision("WAIT", "; ".join(refusals)) if refusals else Decision(action, reason)
