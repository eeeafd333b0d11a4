"""Signals as scalars of a Weights & Biases run; offline where WANDB_MODE=offline says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum._errors import MissingExtraError, UsageError
from probatum.signals.epoch import EpochSignals

from .scalars import scalars_of


class WandbSink:
    """Logs each epoch's scalars with `epoch` as their axis: `sink = WandbSink()`, then `sink(signals)`.

    Args:
        run: A run of the caller's; by default the one that `wandb.init` began.

    Raises:
        MissingExtraError: wandb is not installed.
        UsageError: No run was given and none has begun.
    """

    def __init__(self, run: Any = None) -> None:
        """Take the given or the present run, and let its scalars be drawn over epochs."""
        self.run = _present_run() if run is None else run
        for group in ("gradients", "weights", "activations", "attention", "heads", "totals", "per_class"):
            self.run.define_metric(f"{group}/*", step_metric="epoch")

    def __call__(self, signals: EpochSignals, metrics: Mapping[str, Any] | None = None) -> None:
        """Log one epoch."""
        self.run.log({"epoch": signals.epoch, **scalars_of(signals, metrics)})

    def close(self) -> None:
        """Leave the run open: it is the caller's."""


def _present_run() -> Any:
    try:
        import wandb  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtraError("wandb is not installed. Install it: pip install wandb") from error
    if wandb.run is None:
        raise UsageError(
            "expected a running wandb run, found none. Call wandb.init(...) first, or pass run=..."
        )
    return wandb.run
