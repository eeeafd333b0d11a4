"""The growing network as a study that can be launched: digits or CIFAR-10."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from probatum.runs.metric import MetricDefinition
from probatum.studies.tamiyo.parameters import TamiyoParameters
from probatum.training.study import Metrics, Objective, Study, StudyData

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from probatum.packs.environment import Environment

EVALUATION_BATCH_SIZE = 512
OF_GROWTH = (
    "germinate_after",
    "growth_blueprint",
    "train_for",
    "blending_epochs",
    "blending_temperature",
    "starts_training_itself",
)
OF_CULLS = ("embargo_epochs", "plateau_for", "advance_at", "cull_at", "cull_after")


class Tamiyo(Study):
    """A convolutional network that may grow one seed in its slot."""

    name: ClassVar[str] = "tamiyo"
    summary: ClassVar[str] = "Images from a network that grows: seeds trained aside, blended in, fossilized"
    parameters: ClassVar[type[TamiyoParameters]] = TamiyoParameters
    defaults_path: ClassVar[Path] = Path(__file__).with_name("defaults.yaml")
    defaults_section: ClassVar[str | None] = "tamiyo"
    metrics: ClassVar[tuple[MetricDefinition, ...]] = (
        MetricDefinition(
            "val_accuracy", "Best Val Accuracy", True, 0.0, 1.0, 0.001, 0.01, "", "Share of images put right"
        ),
        MetricDefinition("val_loss", "Val Loss", False, 0.0, None, 0.001, 0.01, "nats", "Mean cross-entropy"),
    )
    primary_metric: ClassVar[str] = "val_accuracy"
    epoch_columns: ClassVar[tuple[str, ...]] = (
        "train_accuracy", "val_loss", "val_accuracy", "val_seed_accuracy", "seed_stage", "seed_epochs_in_stage",
        "seed_alpha", "seed_improvement", "isolation_violations",
    )  # fmt: skip
    unit: ClassVar[str] = "images"

    def inert_parameters(self, parameters: Any) -> Mapping[str, str]:
        """Return the parameters that cannot act beside the others, each with the reason."""
        found = {"momentum": "a launched run has the momentum of its optimizer, 0.9"}
        if parameters.growth == "none":
            found |= dict.fromkeys((*OF_GROWTH, *OF_CULLS), "growth is none")
        elif parameters.growth == "fixed":
            found |= dict.fromkeys(OF_CULLS, "growth is fixed: one seed, never culled")
        return found

    def load_data(self, parameters: Any) -> StudyData:
        """Return the splits."""
        from probatum.studies.tamiyo.images import load_images

        return load_images(parameters.dataset, parameters.train_images)

    def growth_environment(
        self, parameters: Any, *, runs: int, profile: str, diagnosis: bool = False
    ) -> Environment:
        """Return runs to intervene in: side by side in one stack where that is faster, else single ones."""
        from probatum.studies.tamiyo.stacked.growth import make_growth_environment

        return make_growth_environment(parameters, runs, diagnosis=diagnosis, telemetry_profile=profile)

    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return the host with an empty slot."""
        from probatum.studies.tamiyo.network import GrowingNetwork

        return GrowingNetwork(data.facts["in_channels"], data.facts["classes"])

    def build_objective(self, parameters: Any, data: Any) -> Objective:
        """Return the cross-entropy with the decisions about the seed."""
        from probatum.studies.tamiyo.objective import GrowthObjective

        return GrowthObjective(parameters)

    def training_metrics(self, scores: Tensor, targets: Tensor) -> Metrics:
        """Return the accuracy of the epoch's training predictions, `scores` being logits `(images, classes)`."""
        return {"train_accuracy": float((scores.argmax(1) == targets).float().mean())}

    def evaluate(
        self, model: nn.Module, split: str, parameters: Any, data: Any, device: torch.device, *, final: bool
    ) -> Metrics:
        """Return loss and accuracy of one sweep, and the accuracy with the seed in place while it trains aside."""
        import torch
        from torch.nn.functional import cross_entropy

        batches = data.splits[split].evaluation_batches(EVALUATION_BATCH_SIZE)
        pairs, labels = [model(batch.images.to(device), True) for batch in batches], data.splits[split].labels
        logits = torch.cat([own for own, _ in pairs]).float().cpu()
        aside = [own for _, own in pairs if own is not None]
        seed = torch.cat(aside).cpu() if aside else None
        return {
            "loss": float(cross_entropy(logits, labels)),
            "accuracy": _accuracy(logits, labels),
            "seed_accuracy": None if seed is None else _accuracy(seed, labels),
        }

    def epoch_row(self, training: Metrics, validation: Metrics, objective: Objective) -> dict[str, Any]:
        """Return the epoch's values; `train_loss` is the network's, without a seed's own."""
        row = super().epoch_row(training, validation, objective)
        told = objective.trajectory()["growth"]
        return {
            **row,
            "train_loss": objective.train_loss,  # pyright: ignore[reportAttributeAccessIssue]
            "seed_stage": int(told["stage_code"]),
            "seed_epochs_in_stage": told["epochs_in_stage"],
            "seed_alpha": told["alpha"],
            "seed_improvement": told["improvement"],
            "isolation_violations": told["isolation_violations"],
        }

    def evaluation_record(self, metrics: Mapping[str, Metrics]) -> dict[str, Any]:
        """Return the keys of `eval_results.json`: `test_accuracy`, `test_loss`, ..."""
        kept = ("accuracy", "loss")
        return {f"{split}_{name}": own[name] for split, own in metrics.items() for name in kept}


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return int((logits.argmax(1) == labels).sum()) / len(labels)
