"""The objective of knowledge tracing: cross-entropy, six constraints, alignment, lag and retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput
from probatum.studies.gainakt.losses.alignment import alignment_correlations, boost, capped_weight, residual
from probatum.studies.gainakt.losses.lag import lag_correlations, lag_gain
from probatum.studies.gainakt.losses.masked import masked_mean, masked_variance, mean_correlation
from probatum.studies.gainakt.losses.penalties import constraint_losses
from probatum.studies.gainakt.losses.retention import retention
from probatum.studies.gainakt.losses.schedules import cosine_ramp, linear_ramp
from probatum.studies.gainakt.losses.state import ObjectiveState
from probatum.studies.gainakt.losses.tracked import EpochMeans
from probatum.studies.gainakt.losses.trajectory import ADDED, trajectory_entry
from probatum.studies.gainakt.mastery import of_concept
from probatum.training.study import Loss, Objective

if TYPE_CHECKING:
    from probatum.studies.gainakt.parameters import GainAKTParameters


def prediction_loss(output: TracingOutput, batch: SequenceBatch) -> Tensor:
    """Return the mean cross-entropy of the next response over real steps, in nats."""
    losses = functional.binary_cross_entropy_with_logits(
        output.logits, batch.next_responses.to(output.logits.dtype), reduction="none"
    )
    return masked_mean(losses, batch.mask)


def finish(parts: dict[str, Tensor], output: TracingOutput, batch: SequenceBatch) -> Loss:
    """Return the loss whose total is the sum of `parts`, with the batch's predictions."""
    scores = torch.sigmoid(output.logits.detach()[batch.mask])  # (steps,)
    targets = batch.next_responses[batch.mask]  # (steps,)
    return Loss(torch.stack(list(parts.values())).sum(), parts, scores, targets, len(scores))


class PredictionObjective(Objective):
    """Cross-entropy alone: what the baselines minimise."""

    def __call__(self, model: nn.Module, batch: SequenceBatch) -> Loss:
        """Return the loss of `batch`."""
        output = model(batch)
        return finish({"main": prediction_loss(output, batch)}, output, batch)

    def sample_loss(self, model: nn.Module, batch: SequenceBatch) -> Tensor:
        """Return the cross-entropy of `batch`."""
        return prediction_loss(model(batch), batch)


class TracingObjective(Objective):
    """total = BCE + ramp · Σ w_i constraint_i − w_a (ρ_m + ρ_g) − w_l S_lag + w_r relu(peak − δ − ρ_m).

    ρ are mean within-window correlations of the mastery and gain of the concept asked next with the
    answer. `enhanced_constraints` off leaves the cross-entropy alone, to the bit. Deviations from the
    published code, which the terms' own modules explain: every average is over real steps; the warm-up
    ramps all six constraints; lag and retention act from the first epoch that can feel them and have a
    gradient; the variance floor counts epochs; the share cap never raises a weight.
    """

    def __init__(self, parameters: GainAKTParameters, *, practised_only: bool) -> None:
        """Read the weights; `practised_only` says that mastery moves by practice only (GainAKT3Exp)."""
        self.parameters = parameters
        self.practised_only = practised_only
        self.state = ObjectiveState(
            alignment_weight=parameters.alignment_weight,
            consistency_weight=parameters.consistency_loss_weight,
            sparsity_weight=parameters.sparsity_loss_weight,
        )
        self.epoch = 1
        self.means = EpochMeans(ranges=("variance",))
        self.last: dict[str, float] = {}

    def start_epoch(self, epoch: int) -> None:
        """Set the ramps of epoch `epoch` and begin its means."""
        self.epoch = epoch
        self.means = EpochMeans(ranges=("variance",))

    @property
    def warmup_scale(self) -> float:
        """The factor on the six constraints, in [0, 1]."""
        p = self.parameters
        if p.enable_cosine_perf_schedule:
            return cosine_ramp(self.epoch, p.epochs)
        return linear_ramp(self.epoch, p.warmup_constraint_epochs)

    def constraint_weights(self) -> dict[str, float]:
        """Return the six weights of this epoch."""
        p = self.parameters
        base = {
            "non_negative": p.non_negative_loss_weight,
            "monotonicity": p.monotonicity_loss_weight,
            "mastery_performance": p.mastery_performance_loss_weight,
            "gain_performance": p.gain_performance_loss_weight,
            "sparsity": self.state.sparsity_weight,
            "consistency": self.state.consistency_weight,
        }
        return {name: self.warmup_scale * weight for name, weight in base.items()}

    def __call__(self, model: nn.Module, batch: SequenceBatch) -> Loss:
        """Return the loss of `batch` and its named parts."""
        output: TracingOutput = model(batch)
        parts = {"main": prediction_loss(output, batch)}
        seen: dict[str, Tensor] = {}
        if self.parameters.enhanced_constraints and output.gains is not None:
            parts |= constraint_losses(
                output.gains,
                output.mastery,
                batch,
                self.constraint_weights(),
                practised_only=self.practised_only,
            )
            added, seen = self.semantic_losses(output, batch, output.gains)
            parts |= added
        self.means.add({**parts, **seen})
        return finish(parts, output, batch)

    def sample_loss(self, model: nn.Module, batch: SequenceBatch) -> Tensor:
        """Return the cross-entropy of `batch`: the schedules and what is told of them stay as they are."""
        return prediction_loss(model(batch), batch)

    def semantic_losses(
        self, output: TracingOutput, batch: SequenceBatch, gains: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the alignment, lag and retention terms that are on, and what is told about them."""
        p, mask = self.parameters, batch.mask
        raw = batch.next_responses.to(gains.dtype)  # (batch, length)
        answers = residual(raw, mask, p.alignment_residual_window) if p.use_residual_alignment else raw
        asked_gain = of_concept(gains, batch.next_concepts)  # (batch, length)
        asked = None if output.mastery is None else of_concept(output.mastery, batch.next_concepts)
        rho_m, rho_g = alignment_correlations(asked, asked_gain, answers, mask)
        variance = masked_variance(asked, mask) if asked is not None else torch.zeros_like(rho_m)
        seen = {"rho_m": rho_m, "rho_g": rho_g, "variance": variance}
        parts: dict[str, Tensor] = {}
        if p.enable_alignment_loss:
            weight = self.alignment_weight(rho_m) * (asked is None or variance >= p.variance_floor)
            parts["alignment"] = -weight * (rho_m + rho_g)
            seen["weight"] = torch.as_tensor(weight, device=rho_m.device)
        if p.enable_lag_gain_loss:
            found = lag_correlations(
                of_concept(gains, batch.concepts), batch.concepts, batch.next_concepts, batch.next_responses,
                mask, p.lag_max_lag,
            )  # fmt: skip
            lagged = lag_gain(found, self.lag_weights())
            parts["lag"] = -p.lag_gain_weight * self.alignment_ramp * lagged
            seen["lagged"] = lagged
            seen |= {f"lag{i}": r for i, (r, _) in enumerate(found, 1)}
            seen["lag_count"] = torch.stack([count for _, count in found]).sum()
        if p.enable_retention_loss and asked is not None:
            plain = mean_correlation(asked, raw, mask)[0]  # the peak was measured on raw answers
            parts["retention"] = p.retention_weight * retention(plain, self.state.peak, p.retention_delta)
        return parts, seen

    @property
    def alignment_ramp(self) -> float:
        """The factor on alignment and lag, in [0, 1]."""
        return linear_ramp(self.epoch, self.parameters.alignment_warmup_epochs)

    def alignment_weight(self, batch_correlation: Tensor) -> Tensor:
        """Return the weight of the alignment for this batch, boosted where the correlation is too low."""
        p = self.parameters
        weight = torch.as_tensor(
            self.state.alignment_weight * self.alignment_ramp, dtype=batch_correlation.dtype
        ).to(batch_correlation.device)
        if not p.adaptive_alignment or self.alignment_ramp < 1:
            return weight
        known = self.state.global_correlation
        reference = batch_correlation if known is None else torch.full_like(batch_correlation, known)
        return weight * boost(reference, p.alignment_min_correlation)

    def lag_weights(self) -> list[float]:
        """Return the weights of lags 1..`lag_max_lag`."""
        p = self.parameters
        return [p.lag_l1_weight, p.lag_l2_weight, p.lag_l3_weight][: p.lag_max_lag]

    def end_epoch(self, epoch: int, validation: dict[str, Any]) -> None:
        """Read the epoch's means, then let the weights react to them and to validation."""
        p, state = self.parameters, self.state
        self.last = self.means.read()
        if "lag_count" in self.last:
            self.last["lag_count"] *= self.means.batches  # a count is a sum, not a mean
        self.last["warmup_scale"] = self.warmup_scale
        total = sum(self.last.get(name, 0.0) for name in ("main", *self.constraint_weights(), *ADDED))
        self.last["total"] = total
        current = validation.get("global_alignment_mastery_corr") if p.enable_global_alignment_pass else None
        known = state.global_correlation
        rise = None if current is None or known is None else current - known
        if p.enable_alignment_loss and total:
            state.alignment_weight = capped_weight(
                state.alignment_weight, share=self.last.get("alignment", 0.0) / total,
                share_cap=p.alignment_share_cap, factor=p.alignment_share_decay_factor, rise=rise,
            )  # fmt: skip
        if current is not None:
            state.global_correlation = current
            state.peak = current if state.peak is None else max(state.peak, current)
        reached = current if current is not None else self.last.get("rho_m")
        if epoch >= p.consistency_rebalance_epoch and reached is not None:
            state.rebalance(reached, p.consistency_rebalance_threshold, p.consistency_rebalance_new_weight)
        if "variance" in self.last and not p.freeze_sparsity:
            is_low = self.last["variance"] < p.variance_floor
            state.watch_variance(
                is_low=is_low, patience=p.variance_floor_patience, factor=p.variance_floor_reduce_factor
            )

    def state_dict(self) -> dict[str, Any]:
        """Return plain numbers from which training continues exactly."""
        return {**self.state.as_dict(), "last": dict(self.last), "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.state = ObjectiveState.from_dict(state)
        self.last, self.epoch = dict(state["last"]), state["epoch"]

    def trajectory(self) -> dict[str, Any]:
        """Return the epoch's entry of the semantic trajectory; what was not measured is None."""
        return trajectory_entry(self.last, self.state, self.lag_weights())
