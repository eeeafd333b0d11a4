"""What the growing network is told; the values stand in `defaults.yaml`.

The same parameters serve the study (`probatum launch tamiyo`) and the environment that policies act in.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from probatum.parameters import parameter
from probatum.training.parameters import TrainingParameters


class TamiyoParameters(TrainingParameters):
    """Data, the life of a seed, and who decides about it."""

    dataset: Literal["digits", "cifar10", "cifar10_sample"] = parameter(
        "data", "scikit-learn's digits, CIFAR-10, or a sample of it; the latter two from PROBATUM_DATA"
    )
    train_images: int = parameter(
        "data", "How many images train, the first of every class in equal shares; 0 takes all", ge=0
    )
    momentum: float = parameter(
        "growth", "Momentum of the environment's SGD; the study's optimizer has its own", ge=0, lt=1
    )
    blending_epochs: int = parameter(
        "growth", "Epochs over which alpha rises to 1: N of the sigmoid schedule", unit="epochs", ge=1
    )
    blending_temperature: float = parameter("growth", "Width T of the sigmoid schedule", unit="epochs", gt=0)
    embargo_epochs: int = parameter(
        "growth",
        "Epochs after a cull in which nothing may be germinated; one more resets the slot",
        unit="epochs",
        ge=0,
    )
    starts_training_itself: bool = parameter(
        "growth", "A germinated seed begins to train with the next epoch; off, it waits for an ADVANCE"
    )
    growth: Literal["none", "fixed", "heuristic"] = parameter(
        "growth", "Who decides in a launched run: nobody, a schedule by epoch, or rules on the plateau"
    )
    growth_blueprint: Literal["conv_enhance", "attention", "norm", "depthwise", "in_turn"] = parameter(
        "growth", "What is germinated; in_turn takes the four one after the other"
    )
    germinate_after: int = parameter(
        "growth", "Epochs of the host alone before a seed may be germinated", unit="epochs", ge=1
    )
    train_for: int = parameter("growth", "Epochs that a seed trains aside at least", unit="epochs", ge=1)
    plateau_for: int = parameter(
        "growth",
        "Epochs of a plateau after which the heuristic germinates: accuracy rose by less than half a point in each",
        unit="epochs",
        ge=1,
    )
    advance_at: float = parameter(
        "growth", "Improvement since training began at which the heuristic blends", unit="points", ge=0.5
    )
    cull_at: float = parameter(
        "growth",
        "Improvement below which the heuristic culls a seed that trained long enough",
        unit="points",
        le=0,
    )
    cull_after: int = parameter(
        "growth", "Epochs of training after which the heuristic may cull", unit="epochs", ge=1
    )

    @model_validator(mode="after")
    def _check_growth(self) -> TamiyoParameters:
        if self.growth != "none" and (self.strategy != "single" or self.ema_decay or self.mixed_precision):
            raise ValueError(
                f"`growth` {self.growth} adds parameters while the run goes on, which strategy {self.strategy}, "
                "ema_decay and mixed_precision do not follow. Use growth none, or strategy single, ema_decay 0 and "
                "mixed_precision off"
            )
        return self
