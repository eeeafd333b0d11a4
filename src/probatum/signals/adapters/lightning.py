"""The probe as a Lightning callback: `Trainer(callbacks=[SignalsCallback("diagnostic")])`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from probatum._errors import MissingExtraError
from probatum.signals.config import TelemetryConfig
from probatum.signals.epoch import EpochSignals
from probatum.signals.probe import Probe

from .record import EpochRecord, Sink

Read = Callable[[Any], tuple[Any, Any]]  # LightningModule -> (outputs, targets) of the step just done


class LightningProbe:
    """Probes a LightningModule; `epochs` holds one `EpochSignals` per training epoch.

    `SignalsCallback` is this with Lightning's `Callback` as base.

    Gradients are read in `on_before_optimizer_step`: after unscaling, before clipping.

    Args:
        profile: A profile's name or a configuration.
        sinks: Callables `sink(signals, metrics)`; metrics are the trainer's `callback_metrics`.
        module: Name of the submodule to probe, for a LightningModule that calls `self.net(x)` and not `self(x)`;
            by default the whole LightningModule.
        outputs: Gives outputs and targets of the step from the LightningModule, for per-class and head signals:
            `lambda module: (module.logits, module.targets)`, where its `training_step` keeps them.
        seed: Of the probe's own choices.
    """

    def __init__(
        self,
        profile: str | TelemetryConfig = "standard",
        sinks: Iterable[Sink] = (),
        *,
        module: str = "",
        outputs: Read | None = None,
        seed: int = 0,
    ) -> None:
        """Remember what to probe; the probe itself is made when training starts."""
        self.probe: Probe | None = None
        self._profile, self._module, self._outputs, self._seed = profile, module, outputs, seed
        self._record = EpochRecord(sinks)
        self._state: dict[str, Any] | None = None
        self._loss: Any = None

    @property
    def epochs(self) -> list[EpochSignals]:
        """Return the epochs seen so far."""
        return self._record.epochs

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Attach the probe, now that the module stands on its device."""
        batches = trainer.num_training_batches
        steps = -(-int(batches) // trainer.accumulate_grad_batches) if batches != float("inf") else None
        model = pl_module.get_submodule(self._module)
        probe = Probe(model, self._profile, seed=self._seed, steps_per_epoch=steps)
        if self._state is not None:
            probe.load_state_dict(self._state)
        self.probe = probe

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        """Keep the loss of the step, undivided by the accumulation."""
        self._loss = loss.detach() * trainer.accumulate_grad_batches

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """Observe the step: gradients are complete, unscaled and not yet clipped."""
        if self.probe is not None:
            outputs, targets = self._outputs(pl_module) if self._outputs else (None, None)
            self.probe.observe(self._loss, outputs, targets)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Read the epoch and hand it to the sinks."""
        if self.probe is not None:
            self._record.add(self.probe.end_epoch(), dict(trainer.callback_metrics))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Leave no hook behind."""
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Leave no hook behind, whatever happened."""
        self._close()

    def _close(self) -> None:
        if self.probe is not None:
            self._state = self.probe.state_dict()
            self.probe.close()
            self.probe = None

    def state_dict(self) -> dict[str, Any]:
        """Return the probe's state, which goes into Lightning's checkpoint."""
        return {"probe": self.probe.state_dict() if self.probe is not None else self._state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the probe's state until training starts again."""
        self._state = state_dict["probe"]


def _callback() -> type:
    """Return Lightning's base class of callbacks, from the package that is installed."""
    try:
        from lightning.pytorch import Callback
    except ImportError:
        try:
            from pytorch_lightning import Callback  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise MissingExtraError(
                "Lightning is not installed. Install it: pip install lightning"
            ) from error
    return Callback


if TYPE_CHECKING:

    class SignalsCallback(LightningProbe):
        """`LightningProbe` as a Lightning `Callback`."""


def __getattr__(name: str) -> Any:
    """Make `SignalsCallback` when it is first asked for: this module imports without Lightning."""
    if name != "SignalsCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = type(
        name, (LightningProbe, _callback()), {"__module__": __name__, "__doc__": LightningProbe.__doc__}
    )
    return globals().setdefault(name, made)
