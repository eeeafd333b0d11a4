"""Signals as metrics of an MLflow run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from probatum._errors import MissingExtraError
from probatum.signals.epoch import EpochSignals

from .scalars import scalars_of

_REFUSED = re.compile(r"[^\w\-./ :]")  # in an MLflow metric's name


class MlflowSink:
    """Logs each epoch's scalars with the epoch as step: `sink = MlflowSink()`, then `sink(signals)`.

    Args:
        run_id: A run to write to; by default the active one, which MLflow begins where there is none.

    Raises:
        MissingExtraError: MLflow is not installed.
    """

    def __init__(self, run_id: str | None = None) -> None:
        """Import MLflow."""
        self._mlflow = _mlflow()
        self.run_id = run_id

    def __call__(self, signals: EpochSignals, metrics: Mapping[str, Any] | None = None) -> None:
        """Log one epoch in one request."""
        named = {_REFUSED.sub("_", name): value for name, value in scalars_of(signals, metrics).items()}
        self._mlflow.log_metrics(named, step=signals.epoch, run_id=self.run_id)

    def close(self) -> None:
        """Leave the run open: it is the caller's."""


def _mlflow() -> Any:
    try:
        import mlflow  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtraError("MLflow is not installed. Install it: pip install mlflow") from error
    return mlflow
