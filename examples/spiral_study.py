"""A study in one file: two spirals, a small network, cross-entropy.

    probatum launch examples/spiral_study.py --title first
    probatum launch examples/spiral_study.py --seeds 1 2 3 --hidden 16

The loop, seeds, checkpoints, resume, records and the reproduction are the workbench's; a study gives
parameters, data, a model, an objective and metrics. The values of the parameters stand in `spiral_study.yaml`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from probatum import Loss, MetricDefinition, Objective, Study, StudyData, TrainingParameters, parameter


class SpiralParameters(TrainingParameters):
    """What the study is told beyond what every study is told."""

    points: int = parameter("data", "Points per split", unit="points", ge=10)
    noise: float = parameter("data", "Standard deviation of the points around their spiral", ge=0)
    data_seed: int = parameter("data", "Seed of the points", ge=0)
    hidden: int = parameter("model_config", "Width of the hidden layers", unit="features", ge=1)
    dropout: float = parameter("model_config", "Share of features dropped while training", ge=0, lt=1)


class Points:
    """One split: points in the plane and the spiral that each belongs to."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        self.inputs, self.labels = inputs, labels  # (points, 2), (points,)

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.labels)

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[PointBatch]:
        """Yield the points in an order drawn from `generator`."""
        for chosen in torch.randperm(self.count, generator=generator).split(batch_size):
            yield PointBatch(self.inputs[chosen], self.labels[chosen])

    def evaluation_batches(self, batch_size: int) -> Iterator[PointBatch]:
        """Yield the points in their own order."""
        for inputs, labels in zip(self.inputs.split(batch_size), self.labels.split(batch_size), strict=True):
            yield PointBatch(inputs, labels)


class PointBatch:
    """Some points."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        self.inputs, self.labels = inputs, labels

    def to(self, device: torch.device | str) -> PointBatch:
        """Return the points on `device`."""
        return PointBatch(self.inputs.to(device), self.labels.to(device))


class CrossEntropy(Objective):
    """Binary cross-entropy, one part."""

    def __call__(self, model: nn.Module, batch: PointBatch) -> Loss:
        """Return the mean cross-entropy of the batch."""
        logits = model(batch.inputs)[:, 0]
        loss = binary_cross_entropy_with_logits(logits, batch.labels.float())
        return Loss(loss, {"main": loss}, logits.detach(), batch.labels, len(batch.labels))


def spirals(points: int, noise: float, generator: torch.Generator) -> Points:
    """Return points on two interleaved spirals of one and a half turns."""
    labels = torch.arange(points) % 2
    along = torch.rand(points, generator=generator).sqrt() * 3 * math.pi
    angle = along + math.pi * labels
    inputs = torch.stack([along * angle.cos(), along * angle.sin()], dim=1) / (3 * math.pi)
    return Points(inputs + noise * torch.randn(inputs.shape, generator=generator), labels)


class Spiral(Study):
    """Two spirals."""

    name = "spiral"
    summary = "Two interleaved spirals, a small network"
    parameters = SpiralParameters
    defaults_path = Path(__file__).with_suffix(".yaml")
    metrics = (
        MetricDefinition(
            "val_accuracy",
            "Best Val Accuracy",
            True,
            0.0,
            1.0,
            0.0002,
            0.002,
            "",
            "Share of points put right",
        ),
    )
    primary_metric = "val_accuracy"
    epoch_columns = ("train_accuracy", "val_loss", "val_accuracy")
    unit = "points"

    def load_data(self, parameters: Any) -> StudyData:
        """Return three splits drawn from the data seed."""
        generator = torch.Generator().manual_seed(parameters.data_seed)
        splits = {
            name: spirals(parameters.points, parameters.noise, generator)
            for name in ("train", "valid", "test")
        }
        record = {
            "name": "two spirals",
            "source": f"embedded, seed {parameters.data_seed}",
            "files": [],
            "splits": {
                name: {
                    "points": part.count,
                    "sha256": hashlib.sha256(part.inputs.numpy().tobytes()).hexdigest(),
                }
                for name, part in splits.items()
            },
        }
        return StudyData(splits, record)

    def build_model(self, parameters: Any, data: StudyData) -> nn.Module:
        """Return a network with two hidden layers."""
        width = parameters.hidden
        return nn.Sequential(
            nn.Linear(2, width),
            nn.Tanh(),
            nn.Dropout(parameters.dropout),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Linear(width, 1),
        )

    def build_objective(self, parameters: Any, data: StudyData) -> Objective:
        """Return the cross-entropy."""
        return CrossEntropy()

    def training_metrics(self, scores: Tensor, targets: Tensor) -> dict[str, float | None]:
        """Return the accuracy of the epoch's training predictions."""
        return {"train_accuracy": float(((scores > 0) == (targets > 0)).float().mean())}

    def evaluate(
        self,
        model: nn.Module,
        split: str,
        parameters: Any,
        data: StudyData,
        device: torch.device,
        *,
        final: bool,
    ) -> dict[str, float | None]:
        """Return loss and accuracy of one sweep."""
        losses, right, count = 0.0, 0, 0
        for batch in data.splits[split].evaluation_batches(1024):
            placed = batch.to(device)
            logits = model(placed.inputs)[:, 0].float()
            losses += float(binary_cross_entropy_with_logits(logits, placed.labels.float(), reduction="sum"))
            right += int(((logits > 0) == (placed.labels > 0)).sum())
            count += len(placed.labels)
        return {"loss": losses / count, "accuracy": right / count}
