"""The knowledge-tracing studies: GainAKT2Exp, GainAKT3Exp, and the baselines beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from probatum.runs.metric import MetricDefinition
from probatum.studies.gainakt.ablation_modes import ABLATION_MODES
from probatum.studies.gainakt.parameters import (
    DKTParameters,
    GainAKT3Parameters,
    GainAKTParameters,
    PlainParameters,
)
from probatum.training.study import Metrics, Objective, Study

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from probatum.perturbations.task import PerturbationTask
    from probatum.studies.gainakt.data import TracingData

EVALUATION_BATCH_SIZE = 256
HEAD_STATISTICS = ("mastery_variance", "mastery_skew", "gain_variance", "gain_skew")
CONSISTENCY_KEYS = (
    "monotonicity_violation_rate",
    "negative_gain_rate",
    "bounds_violation_rate",
    "mastery_correlation",
    "gain_correlation",
)
PREDICTION_METRICS = (
    MetricDefinition(
        "val_auc", "Best Val AUC", True, 0.0, 1.0, 0.0002, 0.002, "", "Area under the ROC curve"
    ),
    MetricDefinition(
        "val_accuracy",
        "Best Val Accuracy",
        True,
        0.0,
        1.0,
        0.0002,
        0.002,
        "",
        "Share of right answers at 0.5",
    ),
)
SEMANTIC_METRICS = (
    MetricDefinition(
        "mastery_correlation",
        "Mastery Correlation",
        True,
        -1.0,
        1.0,
        0.0005,
        0.01,
        "",
        "Correlation of the mastery of the concept asked next with the response, mean over students",
    ),
    MetricDefinition(
        "gain_correlation",
        "Gain Correlation",
        True,
        -1.0,
        1.0,
        0.0005,
        0.01,
        "",
        "Correlation of the gain of the concept asked next with the response, mean over students",
    ),
)
SEMANTIC_COLUMNS = (
    "monotonicity_violation_rate", "negative_gain_rate", "bounds_violation_rate",
    "mastery_correlation", "mastery_ci_low", "mastery_ci_high",
    "gain_correlation", "gain_ci_low", "gain_ci_high",
    "step_null_corr", "practice_null_corr", "mastery_shuffled_null_corr", "gain_shuffled_null_corr",
    "global_alignment_mastery_corr", "global_alignment_gain_corr", "mastery_next_attempt_corr",
    "gain_next_attempt_corr", "mean_mastery_variance", "min_mastery_variance", "max_mastery_variance",
    "true_mastery_correlation",
    "main_loss_share", "constraint_loss_share", "alignment_loss_share", "lag_loss_share", "retention_loss_share",
)  # fmt: skip


class TracingStudy(Study):
    """What the knowledge-tracing studies have in common: data, prediction metrics, one sweep."""

    defaults_path: ClassVar[Path] = Path(__file__).with_name("defaults.yaml")
    metrics: ClassVar[tuple[MetricDefinition, ...]] = PREDICTION_METRICS
    primary_metric: ClassVar[str] = "val_auc"
    epoch_columns: ClassVar[tuple[str, ...]] = ("train_auc", "val_loss", "val_auc", "val_accuracy")
    unit: ClassVar[str] = "interactions"

    def load_data(self, parameters: Any) -> TracingData:
        """Return the splits by student."""
        from probatum.studies.gainakt.data import load_tracing_data

        return load_tracing_data(parameters)

    def training_metrics(self, scores: Tensor, targets: Tensor) -> Metrics:
        """Return the AUC of the epoch's training predictions."""
        from probatum.studies.gainakt.discrimination import auc

        return {"train_auc": auc(targets.cpu().numpy(), scores.float().cpu().numpy())}

    def evaluate(
        self, model: nn.Module, split: str, parameters: Any, data: Any, device: torch.device, *, final: bool
    ) -> Metrics:
        """Return loss, AUC, accuracy and the semantic metrics of one sweep over a split."""
        from probatum.studies.gainakt.head_statistics import HeadMoments
        from probatum.studies.gainakt.semantics import prediction_metrics

        semantics = data.semantics(split, parameters, final=final)
        collector = semantics.collector()
        moments = HeadMoments() if parameters.log_head_stats else None
        for batch in data.splits[split].evaluation_batches(EVALUATION_BATCH_SIZE):
            placed = batch.to(device)
            output = model(placed)
            collector.add(placed, output)
            if moments is not None:
                moments.add(output, placed.mask)
        collected = collector.collected()
        students = {"correlation_students": float(len(semantics.sample))}
        heads = moments.read() if moments is not None else {}
        return {**prediction_metrics(collected), **semantics.metrics(collected), **students, **heads}

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
        """Return the last answer of every window, to be predicted from a damaged history."""
        from probatum.studies.gainakt.perturbation import tracing_task

        return tracing_task(model, data.splits[split].sampled(samples), data.splits["train"], device)

    def epoch_row(self, training: Metrics, validation: Metrics, objective: Objective) -> dict[str, Any]:
        """Return the epoch's values; predictions carry the prefix `val_`."""
        predictions = {f"val_{name}": validation[name] for name in ("loss", "auc", "accuracy")}
        return {**training, **predictions, **validation, **_share_columns(objective.trajectory())}

    def evaluation_record(self, metrics: Mapping[str, Metrics]) -> dict[str, Any]:
        """Return the keys that `eval_results.json` has had since GainAKT: `test_auc`, `test_acc`, ..."""
        names = {"auc": "auc", "acc": "accuracy"}
        record: dict[str, Any] = {
            f"{split}_{short}": values[name]
            for split, values in metrics.items()
            for short, name in names.items()
        }
        for split, values in metrics.items():
            record |= {
                f"{split}_{name}": value for name, value in values.items() if name not in ("auc", "accuracy")
            }
        return record


class Interpretable(TracingStudy):
    """A study with mastery and gain outputs, their losses and their trajectory."""

    metrics: ClassVar[tuple[MetricDefinition, ...]] = PREDICTION_METRICS + SEMANTIC_METRICS
    epoch_columns: ClassVar[tuple[str, ...]] = TracingStudy.epoch_columns + SEMANTIC_COLUMNS
    practised_only: ClassVar[bool]  # whether mastery moves by practice of its own concept only
    presets: ClassVar[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {"ablation_mode": ABLATION_MODES}

    def inapplicable_metrics(self, parameters: Any) -> dict[str, str]:
        """Return the correlations of outputs that the model is not built with, each with the reason."""
        if parameters.intrinsic_gain_attention:
            return {}  # the attention itself carries gains, and mastery is their sum
        reasons: dict[str, str] = {}
        if not parameters.use_mastery_head:
            reasons["mastery_correlation"] = "use_mastery_head is false"
        if not parameters.use_gain_head:
            reasons["gain_correlation"] = "use_gain_head is false"
            reasons.setdefault("mastery_correlation", "use_gain_head is false: mastery is the sum of gains")
        return reasons

    def build_objective(self, parameters: Any, data: Any) -> Objective:
        """Return cross-entropy with the constraint, alignment, lag and retention losses."""
        from probatum.studies.gainakt.objective import TracingObjective

        return TracingObjective(parameters, practised_only=self.practised_only)

    def trajectory(self, row: Mapping[str, Any], validation: Metrics, objective: Objective) -> dict[str, Any]:
        """Return the epoch's entry of `train_history.semantic_trajectory`, key by key as seed 002 lists them."""
        measured = {
            key: validation[key]
            for key in (
                "mastery_correlation", "gain_correlation", "global_alignment_mastery_corr",
                "global_alignment_gain_corr", "mean_mastery_variance", "min_mastery_variance",
                "max_mastery_variance", "step_null_corr", "practice_null_corr", "mastery_shuffled_null_corr",
                "gain_shuffled_null_corr", "true_mastery_correlation",
            )
        }  # fmt: skip
        heads = {key: validation[key] for key in HEAD_STATISTICS if key in validation}
        return {**objective.trajectory(), **measured, **({"head_stats": heads} if heads else {})}

    def results_record(
        self,
        history: list[dict[str, Any]],
        trajectory: list[dict[str, Any]],
        best_epoch: int,
        evaluation: Mapping[str, Metrics],
    ) -> dict[str, Any]:
        """Return consistency metrics and what the correlations were taken from."""
        rows = {row["epoch"]: row for row in history}
        last, best = history[-1], rows.get(best_epoch, history[-1])
        return {
            "final_consistency": {key: best[key] for key in CONSISTENCY_KEYS},
            "consistency_metrics": [{key: row[key] for key in CONSISTENCY_KEYS} for row in history],
            "correlation_sampling": {
                "deterministic": True,
                "epoch": last["epoch"],
                "local_mastery_corr": last["mastery_correlation"],
                "local_gain_corr": last["gain_correlation"],
                "global_mastery_corr": last["global_alignment_mastery_corr"],
                "global_gain_corr": last["global_alignment_gain_corr"],
                "notes": "students are drawn by the digest of the split: every seed and epoch sees the same ones",
            },
        }


class GainAKT2Exp(Interpretable):
    """Gain-based attention for knowledge tracing, second edition."""

    name: ClassVar[str] = "gainakt2exp"
    summary: ClassVar[str] = "Knowledge tracing with mastery and gain heads on a two-stream attention encoder"
    parameters: ClassVar[type[GainAKTParameters]] = GainAKTParameters
    defaults_section: ClassVar[str | None] = "gainakt2exp"
    practised_only: ClassVar[bool] = False

    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return a fresh GainAKT2Exp."""
        from probatum.studies.gainakt.build import build_gainakt2exp

        return build_gainakt2exp(parameters, data.facts["num_concepts"])


class GainAKT3Exp(Interpretable):
    """GainAKT whose mastery moves by practice and is compared with a threshold per concept."""

    name: ClassVar[str] = "gainakt3exp"
    summary: ClassVar[str] = (
        "GainAKT with mastery by practice, thresholds per concept, and mastery in the prediction"
    )
    parameters: ClassVar[type[GainAKTParameters]] = GainAKT3Parameters
    defaults_section: ClassVar[str | None] = "gainakt3exp"
    practised_only: ClassVar[bool] = True

    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return a fresh GainAKT3Exp."""
        from probatum.studies.gainakt.build import build_gainakt3exp

        return build_gainakt3exp(parameters, data.facts["num_concepts"])


class Baseline(TracingStudy):
    """A study that predicts and explains nothing."""

    def build_objective(self, parameters: Any, data: Any) -> Objective:
        """Return the cross-entropy."""
        from probatum.studies.gainakt.objective import PredictionObjective

        return PredictionObjective()


class DKT(Baseline):
    """Deep knowledge tracing: an LSTM."""

    name: ClassVar[str] = "dkt"
    summary: ClassVar[str] = "Knowledge tracing baseline: an LSTM over the interactions"
    parameters: ClassVar[type[DKTParameters]] = DKTParameters
    defaults_section: ClassVar[str | None] = "dkt"

    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return a fresh LSTM."""
        from probatum.studies.gainakt.build import build_dkt

        return build_dkt(parameters, data.facts["num_concepts"])


class Plain(Baseline):
    """A causal transformer."""

    name: ClassVar[str] = "plain"
    summary: ClassVar[str] = "Knowledge tracing baseline: a causal transformer over the interactions"
    parameters: ClassVar[type[DKTParameters]] = PlainParameters
    defaults_section: ClassVar[str | None] = "plain"

    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return a fresh transformer."""
        from probatum.studies.gainakt.build import build_plain

        return build_plain(parameters, data.facts["num_concepts"])


def _share_columns(trajectory: Mapping[str, Any]) -> dict[str, Any]:
    names = {"main": "main", "constraint": "constraint_total", "alignment": "alignment", "lag": "lag",
             "retention": "retention"}  # fmt: skip
    shares = trajectory.get("loss_shares")
    return {f"{short}_loss_share": shares[name] for short, name in names.items()} if shares else {}
