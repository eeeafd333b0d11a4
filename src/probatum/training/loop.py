"""The training loop of every study: one seed, from its first step or from its last checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from probatum._errors import RunFailedError
from probatum.runs.journal import EpochJournal
from probatum.runs.paths import RunPaths
from probatum.training.checkpoint import load_checkpoint, save_checkpoint
from probatum.training.instrumentation import watch
from probatum.training.machine import Machine
from probatum.training.optimisation import LearningRate, averaged, follow_model, make_optimizer
from probatum.training.progress import Progress
from probatum.training.seeding import (
    describe_random_state,
    random_state,
    restore_random_state,
    seed_everything,
)
from probatum.training.study import Loss, Metrics, Objective, SteppedSplit, Study, StudyData

LANDSCAPE_SAMPLE_SIZE = 64
TIMING_COLUMNS = ("epoch", "duration_seconds", "train_seconds", "validation_seconds", "units_per_second")


class TrainingLoop:
    """One seed's training. `model_last` is its one point of commitment.

    Everything that an epoch leaves is first written into the checkpoint, whole; the CSV files are rewritten
    from it on resume. A run killed between two checkpoints repeats that epoch from the same random states,
    so that its files come out the same.
    """

    def __init__(
        self,
        study: Study,
        parameters: Any,
        machine: Machine,
        data: StudyData,
        paths: RunPaths,
        seed: int,
        *,
        several: bool,
        reads: set[str],
    ) -> None:
        self.study, self.parameters, self.machine, self.data, self.paths = (
            study,
            parameters,
            machine,
            data,
            paths,
        )
        self.seed, self.several, self.reads = seed, several, reads
        self.order = seed_everything(seed, deterministic=parameters.torch_deterministic)
        self.random_states = {"start": describe_random_state(self.order)}
        raw = study.build_model(parameters, data).to(machine.device)
        self.average = averaged(raw, parameters.ema_decay) if parameters.ema_decay > 0 else None
        self.raw = raw
        self.model, self.optimizer = machine.setup(raw, make_optimizer(parameters, raw.parameters()))
        self.steps = self._steps_per_epoch()
        self.learning_rate = LearningRate(parameters, self.optimizer, self.steps)
        self.objective: Objective = study.build_objective(parameters, data)
        self.signals = watch(parameters, raw, machine, self.steps, paths, seed, several=several)
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.trajectory: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {"epoch": 0, "value": None, "waited": 0}
        self.metric = study.metric(study.primary_metric)
        self.columns = ("seed", "epoch", "train_loss", *study.epoch_columns)
        self.progress = Progress(
            self.metric, parameters.epochs, study.unit, parameters.monitor_freq, quiet=not machine.is_writer
        )

    def run(self) -> None:
        """Train until the last epoch, or until the primary metric has not risen for `patience` epochs."""
        self._open_journals()
        try:
            while self.epoch < self.parameters.epochs and not self._is_exhausted():
                self._run_epoch(self.epoch + 1)
        finally:
            self.journal.close()
            self.timing.close()
            self.signals.close()

    def resume(self) -> bool:
        """Continue from the last checkpoint; return whether there was one."""
        path = self.paths.model_last(self.seed, several=self.several)
        if not path.exists():
            return False
        state = load_checkpoint(path)
        self.machine.load_model_state(
            self.model, self.optimizer, state["model_state_dict"], state["optimizer_state_dict"]
        )
        if self.average is not None:
            self.average.load_state_dict(state["average_state_dict"])
        self.learning_rate.load_state_dict(state["learning_rate"])
        self.objective.load_state_dict(state["objective"])
        self.signals.load_state_dict(state["signals"], state["epoch"])
        self.epoch, self.best = state["epoch"], state["best"]
        self.history, self.trajectory = state["history"], state["trajectory"]
        self.reads.update(state["parameters_read"])
        restore_random_state(state["random_state"], self.order)
        return True

    def _is_exhausted(self) -> bool:
        return 0 < self.parameters.patience <= self.best["waited"]

    def _steps_per_epoch(self) -> int:
        split = self.data.splits["train"]
        batches = math.ceil(split.count / self._rank_batch_size())
        if isinstance(split, SteppedSplit):
            batches = split.steps_per_epoch(self._rank_batch_size())
        return max(1, batches // self.machine.world_size)

    def _rank_batch_size(self) -> int:
        return max(1, self.parameters.batch_size // self.machine.world_size)

    def _open_journals(self) -> None:
        self.journal = EpochJournal(self.paths.seed_epochs(self.seed), self.columns)
        self.timing = EpochJournal(self.paths.seed_timing(self.seed), TIMING_COLUMNS)
        if self.machine.is_writer:
            self.journal.rewrite(self.history)

    def _run_epoch(self, epoch: int) -> None:
        self.progress.start_epoch(epoch, self.steps)
        self.objective.start_epoch(epoch)
        self._restructure()
        self.learning_rate.phase_factor = self.objective.learning_rate_factor(epoch)
        started = time.perf_counter()
        training, units = self._train(epoch)
        trained = time.perf_counter()
        validation = self._validate()
        validated = time.perf_counter()
        self.objective.end_epoch(epoch, validation)
        row = self._row(epoch, training, validation)
        is_better = self._note_best(epoch, row[self.metric.name])
        self.learning_rate.after_epoch(is_better=is_better)
        self.epoch = epoch
        self.signals.end_epoch(row, self.metric, self._landscape_sample)
        entry = self.study.trajectory(row, validation, self.objective)
        self.history.append(row)
        self.trajectory.append({"epoch": epoch, **entry})
        self._commit(is_better)
        if self.machine.is_writer:
            self.timing.append(
                {
                    "epoch": epoch,
                    "duration_seconds": validated - started,
                    "train_seconds": trained - started,
                    "validation_seconds": validated - trained,
                    "units_per_second": units / (trained - started),
                }
            )
            self.progress.end_epoch(row, self.best["value"], self.best["epoch"], units, trained - started)

    def _restructure(self) -> None:
        """Let an objective that changes the model do so; the optimiser follows."""
        if type(self.objective).restructure is not Objective.restructure:
            self.objective.restructure(self.raw)
            follow_model(self.optimizer, self.raw)

    def _landscape_sample(self) -> tuple[str, Callable[[nn.Module], Tensor]] | None:
        """Return a name and the mean loss of a fixed sample, the first batch of the validation data.

        None where the study offers no such loss.
        """
        if type(self.objective).sample_loss is Objective.sample_loss:
            return None
        batch = next(iter(self.data.splits["valid"].evaluation_batches(LANDSCAPE_SAMPLE_SIZE)))
        placed = batch.to(self.machine.device)
        name = f"the first {LANDSCAPE_SAMPLE_SIZE} samples of the validation split"
        return name, lambda model: self.objective.sample_loss(model, placed)

    def _train(self, epoch: int) -> tuple[Metrics, int]:
        self.model.train()
        totals: list[Tensor] = []
        scores: list[Tensor] = []
        targets: list[Tensor] = []
        units = 0
        for step, batch in enumerate(self._batches(), start=1):
            loss = self._step(batch)
            totals.append(loss.total.detach())
            units += loss.count
            if loss.scores is not None and loss.targets is not None:
                scores.append(loss.scores)
                targets.append(loss.targets)
            self.progress.step(step, units)
        mean = float(torch.stack(totals).double().mean())  # the epoch's one host read of the loss
        if not math.isfinite(mean):
            raise RunFailedError(self._not_finite(epoch, totals))
        metrics = self.study.training_metrics(torch.cat(scores), torch.cat(targets)) if scores else {}
        return {"train_loss": mean, **metrics}, units

    def _batches(self) -> Iterator[Any]:
        """Yield this rank's share of the epoch's batches, in the order that all ranks draw alike."""
        batches = self.data.splits["train"].batches(self._rank_batch_size(), self.order)
        machine = self.machine
        for index, batch in enumerate(batches):
            if index // machine.world_size >= self.steps:
                continue  # an incomplete round: every rank must take the same number of steps
            if index % machine.world_size == machine.rank:
                yield batch.to(machine.device)

    def _step(self, batch: Any) -> Loss:
        self.learning_rate.before_step()
        self.optimizer.zero_grad(set_to_none=True)
        with self.machine.autocast():
            loss = self.objective(self.model, batch)
        self.machine.backward(loss.total)
        self.signals.observe(loss)
        if self.parameters.gradient_clip > 0:
            self.machine.clip(self.model, self.optimizer, self.parameters.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.raw)
        return loss

    def _validate(self) -> Metrics:
        model = self.evaluated_model()
        model.eval()
        with torch.inference_mode(), self.machine.autocast():
            return self.study.evaluate(
                model, "valid", self.parameters, self.data, self.machine.device, final=False
            )

    def evaluated_model(self) -> nn.Module:
        """Return the weights that count: the averaged ones where `ema_decay` asks for them."""
        return self.average.module if self.average is not None else self.model

    def _row(self, epoch: int, training: Metrics, validation: Metrics) -> dict[str, Any]:
        values = self.study.epoch_row(training, validation, self.objective)
        row = {"seed": self.seed, "epoch": epoch, **values}
        return {column: row.get(column) for column in self.columns}

    def _note_best(self, epoch: int, value: float | None) -> bool:
        """Note whether the epoch is the best so far; the earliest of equal ones stays, and any beats none."""
        best = self.best["value"]
        if not self.objective.selectable(epoch):
            return False
        is_better = self.best["epoch"] == 0 or (
            value is not None and (best is None or self.metric.is_better(value, best))
        )
        if is_better:
            self.best = {"epoch": epoch, "value": value, "waited": 0}
        else:
            self.best = {**self.best, "waited": self.best["waited"] + 1}
        return is_better

    def _commit(self, is_better: bool) -> None:
        """Write what the epoch left; the last checkpoint is written last and decides."""
        model_state, optimizer_state = self.machine.model_state(self.model, self.optimizer)
        if not self.machine.is_writer:
            return
        average = self.average.state_dict() if self.average is not None else None
        if is_better:
            kept = self.average.module.state_dict() if self.average is not None else model_state
            self._save_best(kept, optimizer_state)
        save_checkpoint(
            self.paths.model_last(self.seed, several=self.several),
            {
                "epoch": self.epoch,
                "seed": self.seed,
                "model_state_dict": model_state,
                "optimizer_state_dict": optimizer_state,
                "average_state_dict": average,
                "learning_rate": self.learning_rate.state_dict(),
                "objective": self.objective.state_dict(),
                "signals": self.signals.state_dict(),
                "best": self.best,
                "best_val_auc": self.best["value"] if self.metric.name == "val_auc" else None,
                "history": self.history,
                "trajectory": self.trajectory,
                "random_state": random_state(self.order),
                "parameters_read": sorted(self.reads),
            },
        )
        self.journal.append(self.history[-1])

    def _save_best(self, model_state: dict[str, Any], optimizer_state: dict[str, Any]) -> None:
        save_checkpoint(
            self.paths.model_best(self.seed, several=self.several),
            {
                "epoch": self.epoch,
                "seed": self.seed,
                "study": self.study.name,
                "model_state_dict": model_state,
                "optimizer_state_dict": optimizer_state,
                "primary_metric": self.metric.name,
                "best_value": self.best["value"],
                "best_val_auc": self.best["value"] if self.metric.name == "val_auc" else None,
                "metrics": self.history[-1],
                "train_history": self.history,
            },
        )

    def _not_finite(self, epoch: int, totals: list[Tensor]) -> str:
        first = next(step for step, total in enumerate(totals, start=1) if not bool(torch.isfinite(total)))
        return (
            f"seed {self.seed}: the loss is not finite (epoch {epoch}, step {first} of {len(totals)}). "
            "A lower learning_rate, a smaller gradient_clip or mixed_precision off may help; "
            "model_last holds the epoch before."
        )
