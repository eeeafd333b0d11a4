"""The objective of ConCare: cross-entropy, decorrelation, and knowing the whole from the parts.

Phases, by epoch: first `missing_aware_pretrain_epochs` of latent pretraining; then
`missing_aware_freeze_epochs` in which the head alone learns; then everything.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from probatum.studies.concare.batch import ICUBatch
from probatum.studies.concare.output import ConCareOutput
from probatum.studies.concare.parameters import ConCareParameters
from probatum.studies.concare.teacher import Teacher, unwrapped
from probatum.studies.concare.thinning import thinned
from probatum.training.study import Loss, Metrics, Objective


class ConCareObjective(Objective):
    """BCE + ramp · lambda · DeCov + w · latent loss; in pretraining the latent loss alone.

    Deviations from the code behind the study: the teacher of the auxiliary loss is the averaged one, without
    dropout, not the model itself; the auxiliary loss removes shares of the whole range and not of its lower
    end; what is removed is imputed anew and leaks nowhere.

    Source:
        Ma et al. 2020 (ConCare); Yu et al. 2024 (SMART), NeurIPS; fact sheet 1.2 and 1.3.
    """

    def __init__(self, parameters: ConCareParameters) -> None:
        """Read the weights; the draws of what is removed get a generator of their own."""
        self.parameters = parameters
        seed = int(torch.randint(2**62, ()))  # from the seeded global generator: one stream per training seed
        self.generator = torch.Generator().manual_seed(seed)
        self.teacher = Teacher(parameters.missing_aware_ema_decay) if self._needs_teacher() else None
        self.epoch = 1
        self.sums: dict[str, Tensor] = {}
        self.shares: dict[str, float] = {}
        self._is_prepared = False

    def _needs_teacher(self) -> bool:
        p = self.parameters
        return p.missing_aware_extension and (
            p.missing_aware_pretrain_epochs > 0 or p.missing_aware_aux_weight > 0
        )

    @property
    def pretraining_epochs(self) -> int:
        """The epochs of the first phase."""
        p = self.parameters
        return p.missing_aware_pretrain_epochs if p.missing_aware_extension else 0

    @property
    def is_pretraining(self) -> bool:
        """Whether this epoch is one of them."""
        return self.epoch <= self.pretraining_epochs

    @property
    def is_frozen(self) -> bool:
        """Whether this epoch trains the head alone."""
        since = self.epoch - self.pretraining_epochs
        return (
            self.parameters.missing_aware_extension
            and 0 < since <= self.parameters.missing_aware_freeze_epochs
        )

    def start_epoch(self, epoch: int) -> None:
        """Enter the phase of `epoch` and begin its sums."""
        self.epoch = epoch
        self.sums = {}
        self._is_prepared = False

    def selectable(self, epoch: int) -> bool:
        """Return whether the epoch trains the prediction."""
        return epoch > self.pretraining_epochs

    def learning_rate_factor(self, epoch: int) -> float:
        """Return the pretraining's learning rate over the other, in its epochs."""
        p = self.parameters
        return p.missing_aware_pretrain_lr / p.learning_rate if epoch <= self.pretraining_epochs else 1.0

    def __call__(self, model: nn.Module, batch: ICUBatch) -> Loss:
        """Return the loss of `batch` and its named parts."""
        if not self._is_prepared:
            self._prepare(model)
        if self.teacher is not None:
            self.teacher.follow(model)
        parts = self._latent_parts(model, batch) if self.is_pretraining else None
        if parts is not None:
            return self._finish(parts, None, batch)
        output: ConCareOutput = model(batch)
        parts = {"main": binary_cross_entropy_with_logits(output.logits, batch.targets)}
        if self.parameters.decov_weight > 0:
            parts["decov"] = self.parameters.decov_weight * self.decov_ramp * output.decov
        if self.teacher is not None and self.parameters.missing_aware_aux_weight > 0:
            parts["auxiliary"] = self.parameters.missing_aware_aux_weight * self.latent_loss(model, batch)
        return self._finish(parts, output, batch)

    def sample_loss(self, model: nn.Module, batch: ICUBatch) -> Tensor:
        """Return the cross-entropy of `batch`."""
        return binary_cross_entropy_with_logits(model(batch).logits, batch.targets)

    @property
    def decov_ramp(self) -> float:
        """The factor on the decorrelation, in [0, 1], counted from the end of pretraining."""
        warmup = self.parameters.decov_warmup_epochs
        return min(1.0, (self.epoch - self.pretraining_epochs) / warmup) if warmup else 1.0

    def latent_loss(self, model: nn.Module, batch: ICUBatch) -> Tensor:
        """Return the mean distance of the contexts of thinned stays from the teacher's of whole ones.

        L1 per channel, weighted by the share of hours that lost an observation; the demographic token has
        weight 0, since nothing of it is removed.
        """
        p = self.parameters
        assert self.teacher is not None  # noqa: S101 - made where the loss is asked for
        less = thinned(
            batch,
            lowest=p.missing_aware_mask_ratio_min,
            highest=p.missing_aware_mask_ratio_max,
            generator=self.generator,
        )
        target = self.teacher.context(batch)[:, :-1]
        found = model(less.batch).context[:, :-1]  # (batch, channels, width)
        distance = (found - target).abs().mean(-1)  # (batch, channels)
        return (distance * less.removed_share).sum() / less.removed_share.sum().clamp(min=1e-6)

    def _latent_parts(self, model: nn.Module, batch: ICUBatch) -> dict[str, Tensor]:
        return {"auxiliary": self.latent_loss(model, batch)}

    def _prepare(self, model: nn.Module) -> None:
        """Let the right part of the model learn in this epoch."""
        self._is_prepared = True
        if not self.parameters.missing_aware_extension:
            return
        raw = unwrapped(model)
        for name, weight in raw.named_parameters():
            weight.requires_grad_(not self.is_frozen or name.startswith("head."))

    def _finish(self, parts: dict[str, Tensor], output: ConCareOutput | None, batch: ICUBatch) -> Loss:
        for name, part in parts.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(part)) + part.detach()
        scores = None if output is None else torch.sigmoid(output.logits.detach().float())
        targets = None if output is None else batch.targets
        total = torch.stack(list(parts.values())).sum()
        return Loss(total, parts, scores, targets, len(batch.targets))

    def end_epoch(self, epoch: int, validation: Metrics) -> None:
        """Turn the epoch's sums into shares of the loss."""
        sums = {name: abs(float(value)) for name, value in self.sums.items()}
        total = sum(sums.values())
        self.shares = {name: value / total for name, value in sums.items()} if total else {}

    def trajectory(self) -> dict[str, Any]:
        """Return the phase and the shares of the loss's parts."""
        phase = "pretraining" if self.is_pretraining else "frozen" if self.is_frozen else "training"
        return {
            "phase": phase,
            "loss_shares": {name: self.shares.get(name) for name in ("main", "decov", "auxiliary")},
        }

    def state_dict(self) -> dict[str, Any]:
        """Return what training continues from exactly."""
        return {
            "epoch": self.epoch,
            "generator": self.generator.get_state(),
            "teacher": self.teacher.state_dict() if self.teacher is not None else None,
            "shares": dict(self.shares),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.epoch, self.shares = state["epoch"], dict(state["shares"])
        self.generator.set_state(state["generator"])
        if self.teacher is not None:
            self.teacher.load_state_dict(state["teacher"])
