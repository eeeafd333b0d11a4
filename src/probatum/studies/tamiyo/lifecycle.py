"""The life of a seed: what moved it from stage to stage, what it was worth, and the gates before each step.

It holds numbers alone and no tensor: one per run, also where many runs train in one batched model.

Source: tamiyo.md, section 1; the defects of its section 8.1 are what the tests of this module are about.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from probatum._errors import UsageError
from probatum.studies.tamiyo.gates import GATES, Gate
from probatum.studies.tamiyo.stages import LIVING, TRANSITIONS, Stage


@dataclass(frozen=True)
class LifecycleSettings:
    """What the lifecycle is told."""

    blending_epochs: int = 5  # N of the schedule
    blending_temperature: float = 1.0  # T of the schedule
    embargo_epochs: int = 1  # epochs after a cull in which nothing may be germinated, before the reset
    starts_training_itself: bool = True  # a germinated seed begins with the next epoch, without an ADVANCE


def alpha_at(step: int, epochs: int = 5, temperature: float = 1.0) -> float:
    """Return the share of the seed in blending: 0 at step 0, 1 from step `epochs` on, a sigmoid between.

    alpha(s) = 1 / (1 + exp(-(s - N/2) / T)).

    Example:
        >>> [round(alpha_at(step), 3) for step in range(6)]
        [0.0, 0.182, 0.378, 0.622, 0.818, 1.0]
    """
    if step <= 0:
        return 0.0
    if step >= epochs:
        return 1.0
    return 1.0 / (1.0 + math.exp(-(step - epochs / 2) / temperature))


@dataclass
class Lifecycle:
    """The state of a slot and of the seed in it. Accuracies are in percent, on validation data.

    A seed's accuracy is that of the network with the seed fully in place while it trains aside, and that of the
    network as it is from blending on. Call `start_epoch` before an epoch's first step and `end_epoch` after its
    validation; actions come between two epochs.
    """

    settings: LifecycleSettings = field(default_factory=LifecycleSettings)
    stage: Stage = Stage.DORMANT
    blueprint: str | None = None
    alpha: float = 0.0
    epochs_total: int = 0  # of this seed
    epochs_in_stage: int = 0
    initial_accuracy: float = 0.0  # of the network when the seed was germinated
    stage_start_accuracy: float = 0.0
    current_accuracy: float = 0.0
    best_accuracy: float = 0.0
    isolation_violations: int = 0  # host parameters that the seed's own loss reached, summed over steps
    non_finite: int = 0  # values of the seed's weights or gradients that were NaN or infinite
    created: int = 0
    fossilized: int = 0
    culled: int = 0

    @property
    def improvement(self) -> float:
        """Points gained since the stage began."""
        return self.current_accuracy - self.stage_start_accuracy if self.has_seed else 0.0

    @property
    def total_improvement(self) -> float:
        """Points gained since the seed was germinated."""
        return self.current_accuracy - self.initial_accuracy if self.has_seed else 0.0

    @property
    def has_seed(self) -> bool:
        """Whether a seed sits in the slot, a fossilized one included."""
        return self.stage in LIVING or self.stage == Stage.FOSSILIZED

    def refusals(self, to: Stage) -> list[str]:
        """Return why the step to stage `to` is not taken now; none where it may be."""
        if to not in TRANSITIONS.get(self.stage, ()):
            return [f"{self.stage.name.lower()} does not lead to {to.name.lower()}"]
        return [reason for gate in self.gates(to) for reason in gate.refusals(self.measured())]

    def gates(self, to: Stage) -> list[Gate]:
        """Return the gates before stage `to`."""
        return [gate for gate in GATES if gate.to == to]

    def measured(self) -> dict[str, float]:
        """Return what the gates ask for."""
        return {
            "available_slots": float(self.stage == Stage.DORMANT),
            "non_finite": self.non_finite,
            "epochs_in_stage": self.epochs_in_stage,
            "alpha": self.alpha,
            "improvement": self.improvement,
            "total_improvement": self.total_improvement,
            "isolation_violations": self.isolation_violations,
        }

    def germinate(self, blueprint: str, accuracy: float) -> None:
        """Begin a seed's life at the network's present accuracy."""
        self._require(Stage.GERMINATED)
        self.blueprint, self.alpha = blueprint, 0.0
        self.epochs_total = self.epochs_in_stage = self.isolation_violations = self.non_finite = 0
        self.initial_accuracy = self.current_accuracy = self.best_accuracy = accuracy
        self.created += 1
        self._enter(Stage.GERMINATED)

    def advance(self) -> None:
        """Go on to training, or to blending."""
        self._move(Stage.TRAINING if self.stage == Stage.GERMINATED else Stage.BLENDING)

    def fossilize(self) -> None:
        """Keep the seed for good, at alpha 1."""
        self._move(Stage.FOSSILIZED)
        self.alpha = 1.0
        self.fossilized += 1

    def cull(self) -> None:
        """Throw the seed out."""
        self._move(Stage.CULLED)
        self.alpha, self.blueprint = 0.0, None
        self.culled += 1

    def start_epoch(self) -> None:
        """Take the steps that nobody decides, and set the alpha of the coming epoch."""
        own = self.settings
        if (
            self.stage == Stage.GERMINATED
            and own.starts_training_itself
            and not self.refusals(Stage.TRAINING)
        ):
            self._enter(Stage.TRAINING)
        elif self.stage == Stage.CULLED:
            self._enter(Stage.EMBARGOED if own.embargo_epochs else Stage.RESETTING)
        elif self.stage == Stage.EMBARGOED and self.epochs_in_stage >= own.embargo_epochs:
            self._enter(Stage.RESETTING)
        elif self.stage == Stage.RESETTING and self.epochs_in_stage >= 1:
            self._enter(Stage.DORMANT)
        if self.stage == Stage.BLENDING:
            self.alpha = alpha_at(self.epochs_in_stage + 1, own.blending_epochs, own.blending_temperature)

    def end_epoch(self, accuracy: float, isolation_violations: int = 0, non_finite: int = 0) -> None:
        """Note the epoch's validation accuracy, and what was measured on the seed."""
        self.epochs_in_stage += 1
        if not self.has_seed:
            return
        self.epochs_total += 1
        self.current_accuracy = accuracy
        self.best_accuracy = max(self.best_accuracy, accuracy)
        self.isolation_violations += isolation_violations
        self.non_finite = non_finite

    def slot_state(self) -> dict[str, float]:
        """Return the slot by the names of `signals.features.SEED_STATE`."""
        return {
            "has_active_seed": float(self.stage in LIVING),
            "seed_stage": float(self.stage),
            "seed_epochs_in_stage": float(self.epochs_in_stage if self.has_seed else 0),
            "seed_alpha": self.alpha,
            "seed_improvement": self.improvement,
            "available_slots": float(self.stage == Stage.DORMANT),
        }

    def state_dict(self) -> dict[str, Any]:
        """Return plain numbers from which `load_state_dict` continues exactly."""
        state = asdict(self)
        del state["settings"]
        return {**state, "stage": int(self.stage)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        for name, value in state.items():
            setattr(self, name, Stage(value) if name == "stage" else value)

    def _move(self, to: Stage) -> None:
        self._require(to)
        self._enter(to)

    def _enter(self, to: Stage) -> None:
        self.stage = to
        self.stage_start_accuracy = self.current_accuracy
        self.epochs_in_stage = 0

    def _require(self, to: Stage) -> None:
        if reasons := self.refusals(to):
            raise UsageError(
                f"the slot does not go from {self.stage.name} to {to.name}: {'; '.join(reasons)}."
            )
