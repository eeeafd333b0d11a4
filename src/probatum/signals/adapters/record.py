"""What every adapter keeps: the epochs seen, and the sinks that each goes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from probatum.signals.epoch import EpochSignals

Sink = Callable[[EpochSignals, Mapping[str, Any]], Any]


class EpochRecord:
    """Collects the epochs of one training and hands each to the sinks as soon as it is complete.

    Example:
        >>> seen = []
        >>> record = EpochRecord([lambda signals, metrics: seen.append((signals.epoch, metrics["val_loss"]))])
        >>> record.add(EpochSignals(1), {"val_loss": 0.5})
        >>> seen, len(record.epochs)
        ([(1, 0.5)], 1)
    """

    def __init__(self, sinks: Iterable[Sink] = ()) -> None:
        """Begin empty."""
        self.sinks = tuple(sinks)
        self.epochs: list[EpochSignals] = []

    def add(self, signals: EpochSignals, metrics: Mapping[str, Any] | None = None) -> None:
        """Keep an epoch and show it to every sink."""
        self.epochs.append(signals)
        for sink in self.sinks:
            sink(signals, metrics or {})
