"""The probe as a Hugging Face callback: `Trainer(..., callbacks=[SignalsCallback("diagnostic")])`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from probatum._errors import MissingExtraError
from probatum.signals.config import TelemetryConfig
from probatum.signals.epoch import EpochSignals
from probatum.signals.probe import Probe

from .record import EpochRecord, Sink


class TrainerProbe:
    """Probes the model of a `Trainer`; `epochs` holds one `EpochSignals` per training epoch.

    `SignalsCallback` is this with Hugging Face's `TrainerCallback` as base.

    The Trainer clips before it tells its callbacks of the step. So gradients are read at the end of the backward
    pass of a step's last micro-batch, in a callback that the backward pass itself runs: before clipping, after
    the gradients of all processes were averaged. Scaled gradients (fp16) are divided by their scale.

    Args:
        profile: A profile's name or a configuration.
        sinks: Callables `sink(signals, metrics)`; metrics are those of the evaluation after the epoch, if any.
        seed: Of the probe's own choices.
    """

    def __init__(
        self, profile: str | TelemetryConfig = "standard", sinks: Iterable[Sink] = (), *, seed: int = 0
    ) -> None:
        """Remember what to probe; the probe itself is made when training starts."""
        self.probe: Probe | None = None
        self._profile, self._seed = profile, seed
        self._record = EpochRecord(sinks)
        self._pending: EpochSignals | None = None  # until its evaluation, if there is one
        self._watch: _Watch | None = None

    @property
    def epochs(self) -> list[EpochSignals]:
        """Return the epochs seen so far."""
        return [*self._record.epochs, *([self._pending] if self._pending is not None else [])]

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Attach the probe to the model."""
        model = kwargs["model"]
        scaler = getattr(kwargs.get("optimizer"), "scaler", None)
        steps = _steps_per_epoch(kwargs.get("train_dataloader"), args.gradient_accumulation_steps)
        self.probe = Probe(
            model,
            self._profile,
            seed=self._seed,
            steps_per_epoch=steps,
            grad_scale=scaler,
        )
        self._watch = _Watch(model, self.probe)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Watch for the backward pass of the step."""
        if self._watch is not None:
            self._watch.begin()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop watching, so that evaluation and saving meet no hook."""
        if self._watch is not None:
            self._watch.end()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Hand the last epoch to the sinks, if no evaluation did."""
        self._hand_over({})

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read the epoch."""
        if self.probe is not None:
            self._pending = self.probe.end_epoch()

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Hand the epoch to the sinks with the metrics of its evaluation."""
        self._hand_over(kwargs.get("metrics") or {})

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave no hook behind."""
        self._hand_over({})
        if self._watch is not None:
            self._watch.end()
        if self.probe is not None:
            self.probe.close()
            self.probe = self._watch = None

    def _hand_over(self, metrics: dict[str, Any]) -> None:
        if self._pending is not None:
            signals, self._pending = self._pending, None
            self._record.add(signals, metrics)


class _Watch:
    """Calls `probe.observe` at the end of the backward pass that completes a step's gradients."""

    def __init__(self, model: nn.Module, probe: Probe) -> None:
        self._model, self._probe = model, probe
        self._handle: Any = None
        self._is_queued = False
        self._output: Any = None

    def begin(self) -> None:
        """Watch the coming forward passes."""
        self.end()
        self._handle = self._model.register_forward_hook(self._see, with_kwargs=True)

    def end(self) -> None:
        """Watch no more."""
        if self._handle is not None:
            self._handle.remove()
        self._handle, self._output, self._is_queued = None, None, False

    def _see(self, module: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        """Mark the tensors that the loss is made of, so that their gradient tells of the backward pass."""
        if module.training and torch.is_grad_enabled():
            self._output = (output, kwargs.get("labels"))
            for value in output.values() if hasattr(output, "values") else (output,):
                if isinstance(value, Tensor) and value.requires_grad:
                    value.register_hook(self._queue)

    def _queue(self, gradient: Tensor) -> None:
        """Ask the running backward pass to call back when all its gradients are done."""
        if not self._is_queued and _completes_step():
            self._is_queued = True
            _when_backward_ends(lambda: _when_backward_ends(self._observe))  # after DDP's own callback

    def _observe(self) -> None:
        output, labels = self._output
        loss = output.get("loss") if hasattr(output, "get") else None
        self._probe.observe(loss.detach() if loss is not None else None, output, labels)


def _when_backward_ends(call: Any) -> None:
    torch.autograd.Variable._execution_engine.queue_callback(call)  # pyright: ignore[reportAttributeAccessIssue]


def _completes_step() -> bool:
    """Return whether this backward pass is the last of its optimizer step."""
    from accelerate.state import GradientState

    return GradientState().sync_gradients


def _steps_per_epoch(loader: Any, accumulation: int) -> int | None:
    """Return the optimizer steps of an epoch; None where the loader has no length."""
    try:
        return -(-len(loader) // accumulation)
    except TypeError:
        return None


def _callback() -> type:
    """Return Hugging Face's base class of callbacks."""
    try:
        from transformers import TrainerCallback
    except ImportError as error:
        raise MissingExtraError(
            "transformers is not installed. Install it: pip install 'transformers[torch]'"
        ) from error
    return TrainerCallback


if TYPE_CHECKING:

    class SignalsCallback(TrainerProbe):
        """`TrainerProbe` as a Hugging Face `TrainerCallback`."""


def __getattr__(name: str) -> Any:
    """Make `SignalsCallback` when it is first asked for: this module imports without transformers."""
    if name != "SignalsCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = type(name, (TrainerProbe, _callback()), {"__module__": __name__, "__doc__": TrainerProbe.__doc__})
    return globals().setdefault(name, made)
