"""Three tasks, one loss: masked residues, CDR positions, liability rates.

The rates are standardised on training, so that their squared error is about 1 before anything is learned and a
weight of 1 means something: in their own unit it was 1e-5 beside a cross-entropy of 1 to 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from probatum.studies.abprop.batch import IGNORED, AntibodyBatch, AntibodyOutput
from probatum.studies.abprop.masking import corrupted
from probatum.studies.abprop.metrics import cdr_metrics, rate_metrics
from probatum.studies.abprop.parameters import AbPropParameters
from probatum.training.study import Loss, Metrics, Objective

TASKS = ("mlm", "cls", "reg")


class AbPropObjective(Objective):
    """w1 * cross-entropy of masked residues + w2 * of CDR positions + w3 * squared error of standardised rates.

    A task of weight 0 is left out. Every `report_interval` steps, and at the first and last step of an epoch, the
    step's metrics are kept for `abprop-train.csv`; the device is read once, at the end of the epoch.
    """

    def __init__(self, parameters: AbPropParameters, names: tuple[str, ...]) -> None:
        """Read the weights; the masks get a generator of their own."""
        seed = int(torch.randint(2**62, ()))  # from the seeded global generator: one stream per training seed
        self.generator = torch.Generator().manual_seed(seed)
        self.names = names
        self.probability = parameters.mlm_probability
        self.interval = parameters.report_interval
        self.weights = {
            "mlm": parameters.mlm_weight,
            "cls": parameters.cls_weight,
            "reg": parameters.reg_weight,
        }
        self.step = 0
        self.sums: dict[str, Tensor] = {}
        self.steps_in_epoch = 0
        self.kept: dict[int, dict[str, Any]] = {}
        self.last: tuple[int, dict[str, Any]] | None = None
        self.means: dict[str, float] = {}
        self.reports: list[dict[str, Any]] = []

    def start_epoch(self, epoch: int) -> None:
        """Begin the epoch's sums."""
        self.sums, self.steps_in_epoch = {}, 0
        self.kept, self.last = {}, None

    def __call__(self, model: nn.Module, batch: AntibodyBatch) -> Loss:
        """Return the loss of `batch`, its residues masked anew."""
        masked = corrupted(batch, self.probability, self.generator)
        output: AntibodyOutput = model(batch._replace(tokens=masked.tokens), masked.places)
        losses = self._losses(output, batch, masked.targets)
        parts = {task: self.weights[task] * losses[task] for task in TASKS if self.weights[task] > 0}
        total = torch.stack(list(parts.values())).sum()
        scores, targets = self._cdr_scores(output, batch)
        self._note(losses, total, output, batch, scores, targets)
        return Loss(total, parts, scores, targets, len(batch.tokens))

    def sample_loss(self, model: nn.Module, batch: AntibodyBatch) -> Tensor:
        """Return the loss of `batch` with the masks of a generator of its own, the same ones always."""
        masked = corrupted(batch, self.probability, torch.Generator().manual_seed(0))
        output = model(batch._replace(tokens=masked.tokens), masked.places)
        losses = self._losses(output, batch, masked.targets)
        return torch.stack([self.weights[task] * losses[task] for task in TASKS]).sum()

    def _losses(self, output: AntibodyOutput, batch: AntibodyBatch, targets: Tensor) -> dict[str, Tensor]:
        is_cdr = torch.where(batch.residues, (batch.regions > 0).long(), IGNORED)
        guessed = cross_entropy(output.residue_logits, targets, reduction="sum") / max(1, len(targets))
        return {
            "mlm": guessed,
            "cls": cross_entropy(output.cdr_logits.flatten(0, 1), is_cdr.flatten(), ignore_index=IGNORED),
            "reg": mse_loss(output.rates, batch.rates),
        }

    def _cdr_scores(
        self, output: AntibodyOutput, batch: AntibodyBatch
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the probability of a CDR and the truth of every residue, where the task is learned."""
        if not self.weights["cls"]:
            return None, None
        logits = output.cdr_logits.detach().float()[batch.residues]  # (residues, 2)
        return torch.sigmoid(logits[:, 1] - logits[:, 0]), (batch.regions[batch.residues] > 0).float()

    def _note(
        self, losses: dict[str, Tensor], total: Tensor, output: AntibodyOutput, batch: AntibodyBatch,
        scores: Tensor | None, targets: Tensor | None,
    ) -> None:  # fmt: skip
        self.step += 1
        self.steps_in_epoch += 1
        for task, loss in losses.items():
            self.sums[task] = self.sums.get(task, torch.zeros_like(loss)) + loss.detach()
        seen = {
            "loss": total.detach(), **{task: loss.detach() for task, loss in losses.items()},
            "scores": scores, "targets": targets, "rates": output.rates.detach(), "true_rates": batch.rates,
        }  # fmt: skip
        self.last = (self.step, seen)
        if self.step % self.interval == 0 or self.steps_in_epoch == 1:
            self.kept[self.step] = seen

    def end_epoch(self, epoch: int, validation: Metrics) -> None:
        """Read what the epoch left on the device."""
        self.means = {task: float(value) / self.steps_in_epoch for task, value in self.sums.items()}
        if self.last is not None:
            self.kept[self.last[0]] = self.last[1]
        self.reports = [{"step": step, **self._metrics(seen)} for step, seen in self.kept.items()]
        self.kept, self.last = {}, None

    def _metrics(self, seen: dict[str, Any]) -> Metrics:
        """Return one step's metrics by the names of `abprop-train.csv`, those of learned tasks alone."""
        found: Metrics = {"loss": float(seen["loss"])}
        if self.weights["mlm"]:
            found["mlm_perplexity"] = float(np.exp(float(seen["mlm"])))
        if self.weights["cls"]:
            cdr = cdr_metrics(seen["targets"].cpu().numpy(), seen["scores"].cpu().numpy() > 0.5)
            found |= {"cls_accuracy": cdr["cls_accuracy"], "cls_f1": cdr["cls_f1_cdr"]}
        if self.weights["reg"]:
            rates = rate_metrics(
                seen["true_rates"].float().cpu().numpy(), seen["rates"].float().cpu().numpy(), self.names
            )
            found |= {f"reg_{kind}": rates[f"reg_macro_{kind}"] for kind in ("mse", "r2", "spearman")}
        return found

    def trajectory(self) -> dict[str, Any]:
        """Return the epoch's mean loss of each task, its share of the total, and the reported steps."""
        weighted = {task: self.weights[task] * loss for task, loss in self.means.items()}
        total = sum(weighted.values())
        return {
            "task_losses": dict(self.means),
            "loss_shares": {task: loss / total for task, loss in weighted.items()} if total else {},
            "steps": list(self.reports),
        }

    def state_dict(self) -> dict[str, Any]:
        """Return what training continues from exactly."""
        return {"generator": self.generator.get_state(), "step": self.step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.generator.set_state(state["generator"])
        self.step = state["step"]
