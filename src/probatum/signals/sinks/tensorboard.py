"""Signals as TensorBoard scalars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum._errors import MissingExtraError
from probatum.signals.epoch import EpochSignals

from .scalars import scalars_of


class TensorBoardSink:
    """Writes each epoch's scalars with the epoch as step: `sink = TensorBoardSink("tb")`, then `sink(signals)`.

    Args:
        target: A folder, or a `SummaryWriter` of the caller's, which stays open.

    Raises:
        MissingExtraError: TensorBoard is not installed.
    """

    def __init__(self, target: str | Path | Any) -> None:
        """Open a writer for a folder; take one as it is."""
        self._owns = isinstance(target, (str, Path))
        self.writer: Any = _writer(target) if self._owns else target

    def __call__(self, signals: EpochSignals, metrics: Mapping[str, Any] | None = None) -> None:
        """Write one epoch and flush, so that a crash keeps it."""
        for name, value in scalars_of(signals, metrics).items():
            self.writer.add_scalar(name, value, signals.epoch)
        self.writer.flush()

    def close(self) -> None:
        """Close the writer that this sink opened."""
        if self._owns:
            self.writer.close()


def _writer(folder: str | Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError(
            "TensorBoard is not installed. Install it: pip install tensorboard"
        ) from error
    return SummaryWriter(str(folder))
