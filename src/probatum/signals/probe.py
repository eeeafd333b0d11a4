"""The probe: what attaches to any `nn.Module` and says, once an epoch, what was seen inside.

It changes no number of the training: it draws nothing from the global generators, writes to no tensor of the
model, and reads the device once, at the end of the epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from probatum._errors import UsageError
from probatum.signals.activations import ActivationCollector
from probatum.signals.assemble import Epoch, assemble, step_scalars
from probatum.signals.attention import AttentionCollector
from probatum.signals.buffer import EpochBuffer
from probatum.signals.collector import ForwardCollector, Gate
from probatum.signals.config import TelemetryConfig, load_config
from probatum.signals.epoch import EpochSignals
from probatum.signals.gradients import GradientCollector, scaled_gradient
from probatum.signals.head_statistics import HeadStatisticsCollector
from probatum.signals.layers import Filter, LayerBook, unwrap
from probatum.signals.loss_noise import LossCollector
from probatum.signals.noise_scale import NoiseCollector
from probatum.signals.own import own_signals
from probatum.signals.per_class import PerClassCollector
from probatum.signals.schedule import ProbeSchedule
from probatum.signals.watch import ForwardWatch
from probatum.signals.weights import WeightCollector

if TYPE_CHECKING:
    from probatum.signals.landscape import LandscapeSample


class LossScaler(Protocol):
    """What a mixed-precision loss scaler offers: `torch.amp.GradScaler`."""

    def get_scale(self) -> float:
        """Return the factor that the loss was multiplied with."""
        ...


Scale = float | Tensor | LossScaler | Callable[[], float | Tensor]


class Probe:
    """A probe on a model, for any training loop.

    Call `observe` in every step after `backward()` and before clipping, unscaling and `optimizer.step()` (with
    gradient accumulation: once, before the step), and `end_epoch` after the last step. Wrap passes of the model
    that are no training steps but run in train mode with gradients in `paused()`, and so an evaluation between
    two steps where the model itself is an `nn.TransformerEncoder`: its fused kernel steps aside for any hook.

    Args:
        model: any module, also one wrapped by `DistributedDataParallel` or `torch.compile`.
        profile: minimal, standard, diagnostic or research; a settings file, a mapping, or a `TelemetryConfig`.
        seed: of the choice of probed steps and of perturbations; apart from every global generator.
        steps_per_epoch: how many times `observe` is called in an epoch; where None, learned from the epoch before.
        grad_scale: what the loss is multiplied with before `backward()` and not yet divided out when `observe` is
            called: a number, a tensor, a function that returns one, or a `GradScaler`.
        layers: which layers, in place of the configuration's: names, globs, classes, predicates.
        collectors: of one's own, beside those of the profile; `EpochSignals.own` holds what they read.

    Raises:
        UsageError: the settings, the layer filter or the names of the collectors have mistakes.

    Example:
        >>> model = nn.Linear(2, 1)
        >>> with Probe(model, "standard", steps_per_epoch=1) as probe:
        ...     loss = model(torch.ones(4, 2)).square().mean()
        ...     loss.backward()
        ...     probe.observe(loss)
        ...     signals = probe.end_epoch()
        >>> signals.epoch, list(signals.gradients)
        (1, ['(model)'])
    """

    def __init__(
        self,
        model: nn.Module,
        profile: str | Path | Mapping[str, Any] | TelemetryConfig = "standard",
        *,
        seed: int = 0,
        steps_per_epoch: int | None = None,
        grad_scale: Scale | None = None,
        layers: Filter | None = None,
        collectors: Sequence[ForwardCollector] = (),
    ) -> None:
        """Attach for the first step, if it is probed."""
        self.config = config = load_config(profile)
        self.model = unwrap(model)
        self.seed = seed
        self._grad_scale = grad_scale
        self._book = LayerBook(self.model, config.gradients.layers if layers is None else layers)
        self._gradients = GradientCollector(config.gradients, is_scaled=grad_scale is not None)
        self._weights = WeightCollector() if config.track_weight_norms else None
        self._noise = NoiseCollector() if config.gradients.noise_scale else None
        self._losses = LossCollector()
        self._heads = HeadStatisticsCollector() if config.track_head_statistics else None
        self._per_class = PerClassCollector(config.per_class) if config.per_class.enabled else None
        self._own = own_signals(collectors)
        self._forward = [*_forward_collectors(config), *collectors]
        self._watch = ForwardWatch(model, self._book, self._forward, Gate())
        self._schedule = ProbeSchedule(seed, config.probe_batches, steps_per_epoch)
        self._seconds = 0.0
        self._is_closed = False
        self._begin(1)

    @property
    def taken(self) -> dict[str, Mapping[str, str]]:
        """Return where and how each signal is taken: before clipping, which pass, over which axis."""
        return {collector.signal: collector.taken for collector in self._collectors()}

    def observe(self, loss: Tensor | float | None = None, outputs: Any = None, targets: Any = None) -> None:
        """Note one training step: after `backward()`, before clipping and `optimizer.step()`.

        Args:
            loss: the step's loss, unscaled.
            outputs: what the model returned: for head and per-class statistics.
            targets: what it should have returned; its length is the number of examples of the step.
        """
        self._require_open()
        begin = time.perf_counter()
        with torch.no_grad():
            if loss is not None:
                self._losses.add(loss)
            self._settle_updates()
            self._settle_pair()
            if self._now.steps in self._probed:
                self._record(loss, outputs, targets)
            self._now.steps += 1
            self._arm()
        self._seconds += time.perf_counter() - begin

    def end_epoch(
        self, predictions: Any = None, targets: Any = None, landscape: LandscapeSample | None = None
    ) -> EpochSignals:
        """Return what was seen in the epoch, after its last step, and begin the next.

        Args:
            predictions: outputs for a validation set, for per-class statistics; else the probed batches serve.
            targets: the classes of that set.
            landscape: a fixed sample to measure the loss landscape on, where the configuration asks for it.
        """
        self._require_open()
        begin = time.perf_counter()
        self._watch.disarm()
        with torch.no_grad():
            self._settle_updates()
            if self._noise is not None:
                self._noise.forget()
            self._read_device()
        per_class = self._per_class.end_epoch(predictions, targets) if self._per_class else {}
        signals = assemble(
            self._now,
            self.config,
            self._buffer,
            layers=self._book.current(self.model),
            per_class=per_class,
            landscape=self._landscape(landscape),
            missing=self._missing(landscape),
            own=self._own,
        )
        self._schedule.learn(self._now.steps)
        self._begin(self._now.epoch + 1)
        seconds = self._seconds + self._watch.gate.seconds + time.perf_counter() - begin
        self._seconds = self._watch.gate.seconds = 0.0
        return replace(signals, overhead_seconds=seconds)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the model alone inside: for passes that are no training step, and for copying it."""
        self._watch.suspend()
        try:
            yield
        finally:
            if not self._is_closed:
                self._watch.resume()

    def close(self) -> None:
        """Remove every hook. The probe cannot be used again."""
        self._watch.disarm()
        self._is_closed = True

    def __enter__(self) -> Probe:
        """Return the probe itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a resumed run needs to give the same signals, as plain numbers.

        Taken between a probed step and the next it also holds, as tensors, the weights or gradients that wait
        to be compared. This reads the device.
        """
        with torch.no_grad():
            self._read_device()
        return {
            "config": self.config.model_dump(),
            "seed": self.seed,
            "steps_per_epoch": self._schedule.steps_per_epoch,
            "is_direct": self._watch.is_direct,
            "epoch": self._now.state_dict(),
            "readings": self._buffer.state_dict(),
            "weights": self._weights.state_dict() if self._weights else {},
            "gradients": self._noise.state_dict() if self._noise else {},
            "per_class": _state_of(self._per_class),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            UsageError: the state was taken with other settings or another seed.
        """
        self._require_open()
        if state["config"] != self.config.model_dump() or state["seed"] != self.seed:
            raise UsageError(
                "the probe's state was taken with other telemetry settings or another seed. Make the probe with "
                "those of the interrupted run, or begin anew without its state."
            )
        self._schedule.steps_per_epoch = state["steps_per_epoch"]
        self._watch.is_direct = state["is_direct"]
        self._begin(state["epoch"]["epoch"])
        self._now.load_state_dict(state["epoch"])
        self._buffer.load_state_dict(state["readings"])
        if self._weights:
            self._weights.load_state_dict(state["weights"], self._book.current(self.model))
        if self._noise:
            self._noise.load_state_dict(state["gradients"])
        if state["per_class"]:
            getattr(self._per_class, "load_state_dict")(state["per_class"])  # noqa: B009
        self._arm()

    def _collectors(self) -> list[Any]:
        """Return what is switched on."""
        gradients = self._gradients if self.config.gradients.enabled else None
        own = (gradients, self._weights, self._noise, self._losses, self._heads, self._per_class)
        return [collector for collector in (*own, *self._forward) if collector is not None]

    def _begin(self, epoch: int) -> None:
        """Begin an epoch: decide which steps are probed, and hook for the first if it is one."""
        self._now = Epoch(epoch)
        self._buffer = EpochBuffer()
        self._watch.missing.clear()
        looks_at_batches = any(collector is not self._losses for collector in self._collectors())
        self._probed = set(self._schedule.steps(epoch)) if looks_at_batches else set[int]()
        self._arm()

    def _arm(self) -> None:
        """Hook for the coming step if it is probed, else remove every hook."""
        if self._now.steps in self._probed and self._forward:
            self._watch.arm()
        else:
            self._watch.disarm()

    def _record(self, loss: Tensor | float | None, outputs: Any, targets: Any) -> None:
        """Read everything of a probed step."""
        layers = self._book.current(self.model)
        inverse = _inverse(self._grad_scale)
        norm = None
        if self.config.gradients.enabled:
            readings, norm = self._gradients.read(layers, inverse)
            self._buffer.add("gradients", readings)
        for collector in self._forward:
            self._buffer.add(collector.signal, collector.read())
        if self._heads is not None:
            self._buffer.add("heads", self._heads.read(outputs))
        if self._per_class is not None:
            self._per_class.observe(outputs, targets)
        if self._weights is not None:
            self._weights.remember(layers)
        if self._noise is not None:
            self._noise.remember(_by_name(self.model, inverse))
        passes = self._watch.gate.passes if self._forward else None
        self._now.add_batch(passes, targets)
        self._buffer.add("batch", step_scalars(self._now.steps, loss, norm))
        self._watch.is_direct = passes == 0 and not self._watch.missing

    def _settle_updates(self) -> None:
        if self._weights is not None and self._weights.is_pending:
            self._buffer.add("weights", self._weights.compare())

    def _settle_pair(self) -> None:
        if self._noise is not None and self._noise.is_pending:
            moments = self._noise.compare(_by_name(self.model, _inverse(self._grad_scale)))
            self._buffer.add("noise", {"": moments})

    def _read_device(self) -> None:
        """Read everything that waits on the device, once."""
        self._buffer.add("losses", {str(n): {"block": own} for n, own in enumerate(self._losses.tensors())})
        self._buffer.settle()
        blocks = [block for own in self._buffer.take("losses").values() for block in own["block"]]
        self._now.losses += self._losses.take([loss for block in blocks for loss in block])

    def _landscape(self, sample: LandscapeSample | None) -> dict[str, Any]:
        if sample is None or not self.config.loss_landscape.enabled:
            return {}
        from probatum.signals.landscape import measure_landscape  # here: the rest needs none of it

        return measure_landscape(self.model, sample, self.config.loss_landscape, self.seed)

    def _missing(self, sample: LandscapeSample | None) -> dict[str, str]:
        """Return why what was asked for was not measured."""
        found: dict[str, str] = {}
        for collector in self._collectors():
            found |= collector.missing
        found |= self._watch.missing
        if self.config.loss_landscape.enabled and sample is None:
            found["landscape"] = "no sample was given: call end_epoch(landscape=LandscapeSample(...))"
        if self._probed and not self._now.batches:
            found["batches"] = f"none of the {self._now.steps} steps of the epoch was probed"
        elif self._watch.is_direct:
            for collector in self._forward:
                found.setdefault(
                    collector.signal,
                    "the model was not called in train mode with gradients in the probed step; where its layers "
                    "are called without it, the next probed step records them",
                )
        return found

    def _require_open(self) -> None:
        if self._is_closed:
            raise UsageError("the probe is closed. Make a new Probe(model, ...) to go on.")


def _forward_collectors(config: TelemetryConfig) -> list[ForwardCollector]:
    collectors: list[ForwardCollector] = []
    if config.track_activation_stats:
        collectors.append(ActivationCollector())
    if config.track_attention:
        collectors.append(AttentionCollector())
    return collectors


def _state_of(collector: Any) -> dict[str, Any]:
    """Return what a collector carries over an interruption within an epoch; most carry nothing."""
    return collector.state_dict() if hasattr(collector, "state_dict") else {}


def _by_name(model: nn.Module, inverse: Tensor | float | None) -> dict[str, Tensor]:
    """Return every trainable parameter's gradient by name, where it has one."""
    found = {
        name: scaled_gradient(parameter, inverse)
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def _inverse(scale: Scale | None) -> Tensor | float | None:
    """Return what gradients are multiplied with to undo the loss scale, without a host read where possible."""
    if scale is None:
        return None
    if hasattr(scale, "get_scale"):
        own = getattr(scale, "_scale", None)  # a tensor on the device: `get_scale` would wait for it
        scale = own if isinstance(own, Tensor) else scale.get_scale()  # pyright: ignore
    elif callable(scale):
        scale = scale()
    return 1.0 / scale  # pyright: ignore[reportOperatorIssue]
