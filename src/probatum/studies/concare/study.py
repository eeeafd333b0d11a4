"""ICU mortality: ConCare, with or without awareness of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from probatum.runs.metric import MetricDefinition
from probatum.studies.concare.parameters import ConCareParameters
from probatum.training.study import Metrics, Objective, Study, StudyData

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from probatum.perturbations.task import PerturbationTask

EVALUATION_BATCH_SIZE = 256


def _metric(name: str, label: str, description: str, *, strict: float, standard: float) -> MetricDefinition:
    return MetricDefinition(name, label, True, 0.0, 1.0, strict, standard, "", description)


class ConCare(Study):
    """Mortality in hospital from the first 48 hours in intensive care."""

    name: ClassVar[str] = "concare"
    summary: ClassVar[str] = "ICU mortality from irregular series, with an attention aware of missing values"
    parameters: ClassVar[type[ConCareParameters]] = ConCareParameters
    defaults_path: ClassVar[Path] = Path(__file__).with_name("defaults.yaml")
    defaults_section: ClassVar[str | None] = "concare"
    metrics: ClassVar[tuple[MetricDefinition, ...]] = (
        _metric("val_auroc", "Best Val AUROC", "Area under the ROC curve", strict=0.0002, standard=0.002),
        _metric("val_auprc", "Best Val AUPRC", "Average precision", strict=0.0005, standard=0.005),
        _metric(
            "val_min_se_ppv",
            "Best Val min(Se, P+)",
            "The best over all thresholds of the smaller of sensitivity and precision",
            strict=0.001,
            standard=0.01,
        ),
    )
    # not the average precision: with some hundred deaths to validate on, its error is more than twice as large,
    # and the best of 15 epochs would be the luckiest one
    primary_metric: ClassVar[str] = "val_auroc"
    epoch_columns: ClassVar[tuple[str, ...]] = (
        "train_auroc", "val_loss", "val_auroc", "val_auprc", "val_min_se_ppv", "val_f1", "val_brier",
        "val_calibration_error", "main_loss_share", "decov_loss_share", "auxiliary_loss_share",
    )  # fmt: skip
    unit: ClassVar[str] = "stays"

    def inert_parameters(self, parameters: Any) -> Mapping[str, str]:
        """Return the flags that cannot act beside the others, each with the reason."""
        from probatum.studies.concare.inert import inert_flags

        return inert_flags(parameters)

    def load_data(self, parameters: Any) -> StudyData:
        """Return the splits by patient."""
        from probatum.studies.concare.data import load_icu_data

        return load_icu_data(parameters)

    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return a fresh ConCare."""
        from probatum.studies.concare.build import build_concare

        return build_concare(parameters, data.facts)

    def build_objective(self, parameters: Any, data: Any) -> Objective:
        """Return cross-entropy with DeCov, and latent pretraining where the parameters ask for it."""
        from probatum.studies.concare.objective import ConCareObjective

        return ConCareObjective(parameters)

    def training_metrics(self, scores: Tensor, targets: Tensor) -> Metrics:
        """Return the AUROC of the epoch's training predictions."""
        from probatum.studies.concare.metrics import auroc

        return {"train_auroc": auroc(targets.cpu().numpy(), scores.float().cpu().numpy())}

    def evaluate(
        self, model: nn.Module, split: str, parameters: Any, data: Any, device: torch.device, *, final: bool
    ) -> Metrics:
        """Return loss and every mortality metric of one sweep."""
        from probatum.studies.concare.metrics import mortality_metrics
        from probatum.studies.concare.prediction import cross_entropy, predicted_logits, probabilities

        part = data.splits[split]
        logits = predicted_logits(model, part.evaluation_batches(EVALUATION_BATCH_SIZE), device)
        targets = part.observations.targets
        return {"loss": cross_entropy(targets, logits), **mortality_metrics(targets, probabilities(logits))}

    def perturbation_task(
        self,
        model: nn.Module,
        split: str,
        parameters: Any,
        data: Any,
        device: torch.device,
        *,
        samples: int | None,
    ) -> PerturbationTask:
        """Return the raw observations of a split; what is dropped is imputed and normalised anew."""
        from probatum.studies.concare.prediction import icu_task

        return icu_task(model, data.splits[split], samples, EVALUATION_BATCH_SIZE, device)

    def epoch_row(self, training: Metrics, validation: Metrics, objective: Objective) -> dict[str, Any]:
        """Return the epoch's values, the shares of the loss's parts among them."""
        shares = objective.trajectory().get("loss_shares") or {}
        columns = {f"{name}_loss_share": shares.get(name) for name in ("main", "decov", "auxiliary")}
        return {**training, **{f"val_{name}": value for name, value in validation.items()}, **columns}

    def evaluation_record(self, metrics: Mapping[str, Metrics]) -> dict[str, Any]:
        """Return the keys of `eval_results.json`: `test_auroc`, `test_auprc`, ..."""
        return {
            f"{split}_{name}": value for split, values in metrics.items() for name, value in values.items()
        }
