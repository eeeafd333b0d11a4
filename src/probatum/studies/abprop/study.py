"""Antibody properties: AbProp."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from probatum.runs.metric import MetricDefinition
from probatum.studies.abprop.parameters import AbPropParameters
from probatum.studies.abprop.presets import SIZES
from probatum.training.study import Metrics, Objective, Study, StudyData

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from probatum.runs.paths import RunPaths


class AbProp(Study):
    """Masked residues, CDR positions and liabilities of antibody sequences."""

    name: ClassVar[str] = "abprop"
    summary: ClassVar[str] = "Antibody residues, CDR positions and liabilities from one masked encoder"
    parameters: ClassVar[type[AbPropParameters]] = AbPropParameters
    defaults_path: ClassVar[Path] = Path(__file__).with_name("defaults.yaml")
    defaults_section: ClassVar[str | None] = "abprop"
    presets: ClassVar[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {"size": SIZES}
    metrics: ClassVar[tuple[MetricDefinition, ...]] = (
        MetricDefinition(
            "val_loss", "Best Val Loss", False, 0.0, None, 0.001, 0.01, "nats",
            "The weighted losses of the tasks; the same 15% of residues are hidden every time",
        ),
        MetricDefinition(
            "val_mlm_perplexity", "Best Val Perplexity", False, 1.0, None, 0.01, 0.1, "",
            "exp of the mean loss of hidden residues, seen from both sides",
        ),
        MetricDefinition(
            "val_cls_macro_f1", "Best Val CDR Macro F1", True, 0.0, 1.0, 0.001, 0.01, "",
            "Mean of the F1 of framework and of CDR residues",
        ),
        MetricDefinition(
            "val_reg_macro_r2", "Best Val Liability Macro R2", True, None, 1.0, 0.002, 0.02, "",
            "Mean over liability keys of R2, each key on its own",
        ),
    )  # fmt: skip
    # the sum of all tasks that are learned: defined whatever weights a plan gives them
    primary_metric: ClassVar[str] = "val_loss"
    epoch_columns: ClassVar[tuple[str, ...]] = (
        "train_mlm_loss", "train_cls_loss", "train_reg_loss", "train_cls_f1_cdr", "val_loss", "val_mlm_loss",
        "val_mlm_perplexity", "val_cls_loss", "val_cls_accuracy", "val_cls_f1_cdr", "val_cls_macro_f1",
        "val_reg_loss", "val_reg_macro_mse", "val_reg_macro_r2", "val_reg_macro_spearman", "mlm_loss_share",
        "cls_loss_share", "reg_loss_share",
    )  # fmt: skip
    unit: ClassVar[str] = "sequences"

    def inert_parameters(self, parameters: Any) -> Mapping[str, str]:
        """Return the parameters that cannot act beside the others, each with the reason."""
        from probatum.studies.abprop.inert import inert_parameters

        return inert_parameters(parameters)

    def inapplicable_metrics(self, parameters: Any) -> Mapping[str, str]:
        """Return the metrics of tasks that are not learned, each with the reason."""
        from probatum.studies.abprop.inert import inapplicable_metrics

        return inapplicable_metrics(parameters)

    def load_data(self, parameters: Any) -> StudyData:
        """Return the splits by clonotype."""
        from probatum.studies.abprop.data import load_antibody_data

        return load_antibody_data(parameters)

    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return a fresh encoder with its heads."""
        from probatum.studies.abprop.model import build_abprop

        return build_abprop(parameters, len(data.facts["rate_names"]))

    def build_objective(self, parameters: Any, data: Any) -> Objective:
        """Return the weighted sum of the tasks' losses."""
        from probatum.studies.abprop.objective import AbPropObjective

        return AbPropObjective(parameters, data.facts["rate_names"])

    def training_metrics(self, scores: Tensor, targets: Tensor) -> Metrics:
        """Return the F1 of CDR residues over the epoch, their neighbours partly masked."""
        from probatum.studies.abprop.metrics import f1

        return {"train_cls_f1_cdr": f1(targets.cpu().numpy() > 0.5, scores.float().cpu().numpy() > 0.5)}

    def evaluate(
        self, model: nn.Module, split: str, parameters: Any, data: Any, device: torch.device, *, final: bool
    ) -> Metrics:
        """Return every metric of one sweep; of the finished run, every baseline beside it."""
        from probatum.studies.abprop.prediction import evaluation, nulls

        names, part = data.facts["rate_names"], data.splits[split]
        found = evaluation(model, part, parameters, names, device)
        if not final:
            return found
        return {**found, **nulls(part, data.facts["baselines"], data.facts["rule_rates"][split], names)}

    def epoch_row(self, training: Metrics, validation: Metrics, objective: Objective) -> dict[str, Any]:
        """Return the epoch's values, the losses of the tasks and their shares among them."""
        told = objective.trajectory()
        return {
            **training,
            **{f"train_{task}_loss": loss for task, loss in told["task_losses"].items()},
            **{f"val_{name}": value for name, value in validation.items()},
            **{f"{task}_loss_share": share for task, share in told["loss_shares"].items()},
        }

    def write_logs(self, paths: RunPaths, seed: int, *, several: bool) -> None:
        """Write `logs/abprop-train.csv`, with several seeds one file each: `abprop-train_seed<N>.csv`."""
        from probatum.studies.abprop.training_log import write_training_log

        name = f"abprop-train_seed{seed}.csv" if several else "abprop-train.csv"
        write_training_log(paths.folder, seed, paths.logs / name)
