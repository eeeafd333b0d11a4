"""One run of the growing network: it trains an epoch, says what is known, and carries out an intervention.

Everything follows from the parameters and the episode's settings: no global generator is read or moved.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from probatum._errors import UsageError
from probatum.packs.environment import EpisodeSettings, Observed
from probatum.signals.config import TelemetryConfig
from probatum.signals.features import WINDOW
from probatum.signals.landscape import LandscapeSample
from probatum.signals.narrative import tell
from probatum.signals.probe import Probe
from probatum.signals.snapshot import EpochMetrics, Snapshot
from probatum.studies.tamiyo.actions import GERMINATE
from probatum.studies.tamiyo.causes import (
    Cause,
    cause_called,
    imbalanced_rows,
    inverse_frequency,
    jitter,
    narrow,
    weaken,
)
from probatum.studies.tamiyo.images import ImageBatch, ImageSplit
from probatum.studies.tamiyo.lifecycle import Lifecycle, LifecycleSettings
from probatum.studies.tamiyo.mending import Mending, rescale_gradients
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.parameters import TamiyoParameters
from probatum.studies.tamiyo.randomness import drawn_from, generator_for, seed_for
from probatum.studies.tamiyo.stages import LIVING, Stage
from probatum.training.study import StudyData

EVALUATION_BATCH_SIZE = 512
LANDSCAPE_SAMPLE_SIZE = 64
ACCURACY_UPPER = 100.0


class SingleRun:
    """One run under one set of settings.

    Args:
        parameters: Those of the study, the episode's overrides included.
        data: The three splits.
        settings: The episode's.
        telemetry: What the probe records.
        cause: A fault in place of the one that the settings name; to tune and test them.
    """

    def __init__(
        self,
        parameters: TamiyoParameters,
        data: StudyData,
        settings: EpisodeSettings,
        telemetry: TelemetryConfig,
        cause: Cause | None = None,
    ) -> None:
        self.parameters, self.data, self.settings, self.telemetry = parameters, data, settings, telemetry
        self.lookback = max(telemetry.history_length, WINDOW)
        self.cause = cause or cause_called(settings.cause)
        self.train: ImageSplit = _training_images(data, self.cause, settings.seed)
        self.steps = -(-self.train.count // parameters.batch_size)
        with drawn_from(settings.seed, "weights"):
            self.network = GrowingNetwork(data.facts["in_channels"], data.facts["classes"])
        if self.cause.is_narrow:
            narrow(self.network)
        self.optimizers = {"host": self._optimizer(self.network.host.parameters())}
        self.order = generator_for(settings.seed, "order")
        self.noise = generator_for(settings.seed, "noise")
        self.lifecycle = Lifecycle(lifecycle_settings(parameters))
        self.mending = Mending()
        self.class_weights: Tensor | None = None
        self.probe = self._new_probe()
        self.epoch = 0
        self.recent: tuple[Snapshot, ...] = ()
        self.facts: dict[str, float] = {}

    def train_epoch(self) -> None:
        """Train and validate one epoch, and tell it."""
        self.lifecycle.start_epoch()
        self._follow_lifecycle()
        self.epoch += 1
        self.network.train()
        losses, right, violations = [], [], 0
        for batch in self.train.batches(self.parameters.batch_size, self.order):
            loss, hits, reached = self._step(batch)
            losses.append(loss)
            right.append(hits)
            violations += reached
        train_loss = float(torch.stack(losses).double().mean())
        train_accuracy = ACCURACY_UPPER * float(torch.stack(right).sum()) / self.train.count
        self._validate(train_loss, train_accuracy, violations)

    def observed(self, actions: Sequence[str]) -> Observed:
        """Return what is known after the last epoch."""
        budget = self.parameters.epochs - self.epoch
        return Observed(
            epoch=self.epoch,
            snapshot=self.recent[-1],
            recent=self.recent[-WINDOW:],
            slot=self.lifecycle.slot_state(),
            facts=dict(self.facts),
            allowed=tuple(not self.refusals(action) for action in actions),
            budget=budget,
        )

    def refusals(self, action: str) -> list[str]:
        """Return why an action is not carried out now, gate by gate with the numbers; none where it is."""
        if action == "WAIT":
            return []
        if action in GERMINATE:
            return self.lifecycle.refusals(Stage.GERMINATED)
        if action == "ADVANCE":
            stage = self.lifecycle.stage
            return self.lifecycle.refusals(Stage.TRAINING if stage == Stage.GERMINATED else Stage.BLENDING)
        if action in ("CULL", "FOSSILIZE"):
            return self.lifecycle.refusals(Stage.CULLED if action == "CULL" else Stage.FOSSILIZED)
        reason = self.mending.refusal(action)
        return [reason] if reason else []

    def act(self, action: str) -> None:
        """Carry an intervention out.

        Raises:
            UsageError: it is not allowed now; the message has the reasons.
        """
        if reasons := self.refusals(action):
            raise UsageError(f"{action} is not allowed after epoch {self.epoch}: {'; '.join(reasons)}.")
        if action in GERMINATE:
            self._germinate(GERMINATE[action])
        elif action == "ADVANCE":
            self.lifecycle.advance()
        elif action == "CULL":
            self.lifecycle.cull()
        elif action == "FOSSILIZE":
            self.lifecycle.fossilize()
        elif action != "WAIT":
            self.mending.act(action)
            if self.mending.rebalances_classes:
                self.class_weights = inverse_frequency(self.train.labels, self.data.facts["classes"])
        self._follow_lifecycle()

    def accuracy(self, split: str) -> float:
        """Return the accuracy of the network as it is on a split, in percent."""
        logits, _ = self._predict(self.data.splits[split])  # pyright: ignore[reportArgumentType]
        return _percent(logits, self.data.splits[split].labels)  # pyright: ignore[reportAttributeAccessIssue]

    def fork(self) -> SingleRun:
        """Return an exact copy that shares nothing that changes."""
        twin = copy.copy(self)
        with self.probe.paused():
            twin.network = copy.deepcopy(self.network)
        twin.lifecycle, twin.mending = copy.deepcopy(self.lifecycle), copy.copy(self.mending)
        twin.order, twin.noise = self.order.clone_state(), self.noise.clone_state()
        twin.optimizers = {}
        for name, optimizer in self.optimizers.items():
            own = twin.network.host.parameters() if name == "host" else twin.network.slot.seed_parameters()
            twin.optimizers[name] = twin._optimizer(own)
            twin.optimizers[name].load_state_dict(copy.deepcopy(optimizer.state_dict()))
        twin.probe = twin._new_probe()
        twin.probe.load_state_dict(copy.deepcopy(self.probe.state_dict()))
        return twin

    def close(self) -> None:
        """Let go of the network."""
        self.probe.close()

    def _step(self, batch: ImageBatch) -> tuple[Tensor, Tensor, int]:
        """Take one step; return the network's loss, the number of hits, and the isolation violations."""
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        logits, aside = self.network(batch.images, True)
        loss = total = cross_entropy(logits, batch.labels, self.class_weights)
        violations = 0
        if aside is not None:
            own = cross_entropy(aside, batch.labels, self.class_weights)
            violations = isolation_violations(own, self.network.host)
            total = loss + own
        total.backward()
        if self.cause.gradient_factor != 1.0:
            weaken(self.network, self.cause.gradient_factor)
        if self.cause.jitter:
            jitter(self.network, self.cause.jitter, self.noise)
        if self.mending.rescales_gradients:
            rescale_gradients(self.network)
        self.probe.observe(loss.detach(), logits.detach(), batch.labels)
        for optimizer in self.optimizers.values():
            optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == batch.labels).sum(), violations

    def _validate(self, train_loss: float, train_accuracy: float, violations: int) -> None:
        split: Any = self.data.splits["valid"]
        logits, aside = self._predict(split)
        accuracy = _percent(logits, split.labels)
        seed_accuracy = accuracy if aside is None else _percent(aside, split.labels)
        self.lifecycle.end_epoch(seed_accuracy, violations, self._non_finite())
        signals = self.probe.end_epoch(logits, split.labels, landscape=self._landscape_sample())
        metrics = EpochMetrics(
            epoch=self.epoch,
            train_loss=train_loss,
            val_loss=float(cross_entropy(logits, split.labels)),
            val_accuracy=accuracy,
            train_accuracy=train_accuracy,
            global_step=self.epoch * self.steps,
            accuracy_upper=ACCURACY_UPPER,
        )
        snapshot = tell(signals, metrics, self.recent)
        self.recent = (*self.recent, snapshot)[-self.lookback :]
        self.facts = self._facts(seed_accuracy, accuracy)

    def _facts(self, seed_accuracy: float, accuracy: float) -> dict[str, float]:
        life = self.lifecycle
        return {
            "total_improvement": life.total_improvement,
            "seed_accuracy": seed_accuracy if life.has_seed else 0.0,
            "seed_advantage": seed_accuracy - accuracy,
            "isolation_violations": float(life.isolation_violations),
            "parameters_added": float(self._parameters_added()),
            "seeds_created": float(life.created),
            "seeds_fossilized": float(life.fossilized),
            "seeds_culled": float(life.culled),
            **self.mending.as_facts(),
        }

    def _parameters_added(self) -> int:
        """Return how many weights the network computes with beyond the host: a seed trains aside at first."""
        if self.lifecycle.stage not in (Stage.BLENDING, Stage.FOSSILIZED):
            return 0
        return sum(weight.numel() for weight in self.network.slot.seed_parameters())

    def _predict(self, split: ImageSplit) -> tuple[Tensor, Tensor | None]:
        """Return logits of a split, and those with the seed in place where one trains aside."""
        self.network.eval()
        with torch.inference_mode():
            pairs = [
                self.network(batch.images, True) for batch in split.evaluation_batches(EVALUATION_BATCH_SIZE)
            ]
        aside = [own for _, own in pairs if own is not None]
        return torch.cat([logits for logits, _ in pairs]), torch.cat(aside) if aside else None

    def _landscape_sample(self) -> LandscapeSample | None:
        if not self.telemetry.loss_landscape.enabled:
            return None
        split: Any = self.data.splits["valid"]
        size = LANDSCAPE_SAMPLE_SIZE
        name = f"the first {size} images of the validation split"
        return LandscapeSample.of(cross_entropy, split.images[:size], split.labels[:size], name)

    def _germinate(self, blueprint: str) -> None:
        self.lifecycle.germinate(blueprint, self.recent[-1].val_accuracy or 0.0)
        with drawn_from(self.settings.seed, f"seed {self.lifecycle.created}"):
            self.network.plant(blueprint)

    def _follow_lifecycle(self) -> None:
        """Bring slot, optimisers and learning rate in line with what was decided."""
        slot, life = self.network.slot, self.lifecycle
        if not life.has_seed and slot.seed is not None:
            slot.uproot()
            self.optimizers.pop("seed", None)
        slot.stage, slot.alpha = life.stage, life.alpha
        if life.stage == Stage.TRAINING and "seed" not in self.optimizers:
            self.optimizers["seed"] = self._optimizer(slot.seed_parameters())
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self._learning_rate()

    def _learning_rate(self) -> float:
        own = self.parameters.learning_rate * self.cause.learning_rate_factor
        return own * self.mending.learning_rate_factor

    def _optimizer(self, weights: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            weights,
            lr=self.parameters.learning_rate * self.cause.learning_rate_factor,
            momentum=self.parameters.momentum,
            weight_decay=self.parameters.weight_decay,
            fused=True,
        )

    def _non_finite(self) -> int:
        """Return how many values of the living seed's weights and gradients are NaN or infinite."""
        if self.lifecycle.stage not in LIVING:
            return 0
        return non_finite_values(self.network.slot.seed_parameters())

    def _new_probe(self) -> Probe:
        seed = seed_for(self.settings.seed, "probe") % 2**31
        return Probe(self.network, self.telemetry, seed=seed, steps_per_epoch=self.steps)


def lifecycle_settings(parameters: TamiyoParameters) -> LifecycleSettings:
    """Return what the lifecycle is told."""
    return LifecycleSettings(
        parameters.blending_epochs,
        parameters.blending_temperature,
        parameters.embargo_epochs,
        parameters.starts_training_itself,
    )


def isolation_violations(own_loss: Tensor, host: nn.Module) -> int:
    """Return how many of the host's parameters the seed's own loss reaches, through whichever path."""
    reached = torch.autograd.grad(own_loss, list(host.parameters()), retain_graph=True, allow_unused=True)
    return sum(gradient is not None for gradient in reached)


def non_finite_values(weights: Sequence[nn.Parameter]) -> int:
    """Return how many values of weights and their gradients are NaN or infinite."""
    tensors = [weight.detach() for weight in weights] + [w.grad for w in weights if w.grad is not None]
    return int(sum((~tensor.isfinite()).sum() for tensor in tensors))


def _training_images(data: StudyData, cause: Cause, seed: int) -> ImageSplit:
    split: Any = data.splits["train"]
    return split.take(imbalanced_rows(split.labels, seed)) if cause.is_imbalanced else split


def _percent(logits: Tensor, labels: Tensor) -> float:
    return ACCURACY_UPPER * int((logits.argmax(1) == labels).sum()) / len(labels)
