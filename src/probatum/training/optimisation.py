"""The optimiser, its learning rate over the run, and the averaged weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from probatum.training.parameters import TrainingParameters

SGD_MOMENTUM = 0.9


def make_optimizer(parameters: TrainingParameters, weights: Iterable[nn.Parameter]) -> Optimizer:
    """Return the optimiser that `parameters` name; one fused pass over the weights where torch has it."""
    common: dict[str, Any] = {"lr": parameters.learning_rate, "weight_decay": parameters.weight_decay}
    if parameters.optimizer == "SGD":
        return torch.optim.SGD(weights, momentum=SGD_MOMENTUM, fused=True, **common)
    kind = torch.optim.AdamW if parameters.optimizer == "AdamW" else torch.optim.Adam
    return kind(weights, fused=True, **common)


def follow_model(optimizer: Optimizer, model: nn.Module) -> None:
    """Take up the parameters that the model has and the optimiser does not, as a group; forget those that are gone.

    A group that loses one of its parameters loses all: what appears together goes together.
    """
    present = {id(weight): weight for weight in model.parameters()}
    kept = []
    for group in optimizer.param_groups:
        if all(id(own) in present for own in group["params"]):
            kept.append(group)
        else:
            for own in group["params"]:
                optimizer.state.pop(own, None)
    optimizer.param_groups[:] = kept
    known = {id(own) for group in optimizer.param_groups for own in group["params"]}
    if new := [weight for key, weight in present.items() if key not in known]:
        optimizer.add_param_group({"params": new})


class LearningRate:
    """The learning rate over the run: linear warm-up, then constant, a half cosine, or halved on a plateau.

    Cosine: lr(s) = lr_max * (1 + cos(pi * s / S)) / 2 for step s of the S that `epochs` allow.
    """

    def __init__(self, parameters: TrainingParameters, optimizer: Optimizer, steps_per_epoch: int) -> None:
        self.optimizer = optimizer
        self.kind = parameters.lr_schedule
        self.highest = parameters.learning_rate
        self.warmup_steps = parameters.lr_warmup_steps
        self.total_steps = steps_per_epoch * parameters.epochs
        self.factor = parameters.lr_plateau_factor
        self.plateau_patience = parameters.lr_plateau_patience
        self.step_number = 0
        self.scale = 1.0
        self.phase_factor = 1.0  # what the objective asks for in a phase of its own, such as pretraining
        self.epochs_without_better = 0

    def before_step(self) -> None:
        """Set the rate of the coming optimiser step."""
        self.step_number += 1
        rate = self.highest * self.phase_factor * self.scale * self._shape(self.step_number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def after_epoch(self, *, is_better: bool) -> None:
        """Lower the rate where the primary metric has stayed on a plateau."""
        self.epochs_without_better = 0 if is_better else self.epochs_without_better + 1
        if self.kind == "plateau" and self.epochs_without_better > self.plateau_patience:
            self.scale *= self.factor
            self.epochs_without_better = 0

    def _shape(self, step: int) -> float:
        if step <= self.warmup_steps:
            return step / self.warmup_steps
        if self.kind != "cosine":
            return 1.0
        done = (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps + 1)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` continues from."""
        return {"step": self.step_number, "scale": self.scale, "waited": self.epochs_without_better}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.step_number = state["step"]
        self.scale = state["scale"]
        self.epochs_without_better = state["waited"]


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Return the model of exponentially averaged weights: w <- decay * w + (1 - decay) * w_step."""
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
