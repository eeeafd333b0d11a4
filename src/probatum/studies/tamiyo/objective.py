"""Cross-entropy of the network, and of a seed that trains aside; and the decisions about that seed."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from probatum.studies.tamiyo.images import ImageBatch
from probatum.studies.tamiyo.lifecycle import Lifecycle
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.parameters import TamiyoParameters
from probatum.studies.tamiyo.schedule import carry_out, decide, next_blueprint
from probatum.studies.tamiyo.single_run import isolation_violations, lifecycle_settings, non_finite_values
from probatum.studies.tamiyo.stages import LIVING
from probatum.training.study import Loss, Metrics, Objective

PLATEAU_POINTS = 0.5  # an epoch with a smaller rise of the accuracy belongs to a plateau


class GrowthObjective(Objective):
    """The objective of a launched run.

    It decides after an epoch's validation, and changes the network before the next one.
    """

    def __init__(self, parameters: TamiyoParameters) -> None:
        self.parameters = parameters
        self.life = Lifecycle(lifecycle_settings(parameters))
        self.decision: dict[str, str] = {"action": "WAIT", "reason": "", "blueprint": ""}
        self.accuracy = 0.0
        self.plateau_epochs = 0
        self.train_loss = 0.0
        self.told: dict[str, Any] = {}
        self._losses: list[Tensor] = []
        self._network: GrowingNetwork | None = None
        self._violations = 0

    def start_epoch(self, epoch: int) -> None:
        """Take the steps of the seed's life that nobody decides."""
        self.life.start_epoch()
        self._losses = []
        self._violations = 0

    def restructure(self, model: nn.Module) -> None:
        """Bring the slot in line with the seed's life; a new seed is drawn from the global generator."""
        network = cast(GrowingNetwork, model)
        slot, life = network.slot, self.life
        if slot.seed is not None and not life.has_seed:
            slot.uproot()
        elif slot.seed is None and life.blueprint is not None:
            network.plant(life.blueprint)
        slot.stage, slot.alpha = life.stage, life.alpha

    def __call__(self, model: nn.Module, batch: ImageBatch) -> Loss:
        """Return the cross-entropy, and that of the seed's own path where one trains aside."""
        network = cast(GrowingNetwork, model)
        logits, aside = network(batch.images, True)
        main = cross_entropy(logits, batch.labels)
        parts = {"main": main}
        if aside is not None:
            parts["seed"] = cross_entropy(aside, batch.labels)
            self._violations += isolation_violations(parts["seed"], network.host)
        self._losses.append(main.detach())
        self._network = network
        total = torch.stack(list(parts.values())).sum() if aside is not None else main
        return Loss(total, parts, logits.detach(), batch.labels, len(batch.labels))

    def end_epoch(self, epoch: int, validation: Metrics) -> None:
        """Note what the epoch was worth, and decide what is done before the next."""
        accuracy = 100.0 * float(validation["accuracy"] or 0.0)
        aside = validation["seed_accuracy"]
        self.train_loss = float(torch.stack(self._losses).double().mean())
        self.life.end_epoch(
            accuracy if aside is None else 100.0 * aside, self._violations, self._non_finite()
        )
        is_plateau = epoch > 1 and accuracy - self.accuracy < PLATEAU_POINTS
        self.plateau_epochs = self.plateau_epochs + 1 if is_plateau else 0
        self.accuracy = accuracy
        self.told = self._tell()
        decision = decide(self.parameters, self.life, epoch, self.plateau_epochs)
        blueprint = next_blueprint(self.parameters, self.life) if decision.action == "GERMINATE" else ""
        carry_out(self.life, decision, blueprint, accuracy)
        self.decision = {**decision._asdict(), "blueprint": blueprint}

    def trajectory(self) -> dict[str, Any]:
        """Return the epoch's slot, and what was decided after it."""
        return {"growth": {**self.told, **self.decision}}

    def sample_loss(self, model: nn.Module, batch: ImageBatch) -> Tensor:
        """Return the cross-entropy of a fixed batch."""
        return cross_entropy(model(batch.images), batch.labels)

    def state_dict(self) -> dict[str, Any]:
        """Return the seed's life and the plateau."""
        return {
            "life": self.life.state_dict(),
            "accuracy": self.accuracy,
            "plateau_epochs": self.plateau_epochs,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.life.load_state_dict(state["life"])
        self.accuracy, self.plateau_epochs = state["accuracy"], state["plateau_epochs"]

    def _non_finite(self) -> int:
        if self._network is None or self.life.stage not in LIVING:
            return 0
        return non_finite_values(self._network.slot.seed_parameters())

    def _tell(self) -> dict[str, Any]:
        life = self.life
        return {
            "stage": life.stage.name.lower(),
            "stage_code": int(life.stage),
            "epochs_in_stage": life.epochs_in_stage,
            "seed": life.blueprint,
            "alpha": life.alpha,
            "improvement": life.improvement,
            "total_improvement": life.total_improvement,
            "isolation_violations": life.isolation_violations,
            "created": life.created,
            "fossilized": life.fossilized,
            "culled": life.culled,
        }
