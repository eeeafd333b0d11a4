"""One epoch's signals as flat scalars, which is what every tracker can draw."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from probatum.signals.epoch import EpochSignals, Statistic, Table

TABLES = ("gradients", "weights", "activations", "attention", "heads")


def scalars_of(signals: EpochSignals, metrics: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Return the epoch's scalars by name: `gradients/<layer>/norm`, `totals/loss`, `per_class/accuracy/0`, ...

    A statistic over probed batches gives its mean. What was not measured is absent, never 0; NaN and infinity
    are absent too. Curves, histograms and matrices are no scalars: they stand in the artifact.

    Args:
        signals: The epoch.
        metrics: Scalars of the loop that go along under their own names, for example `{"val_loss": 0.3}`.

    Example:
        >>> loss = Statistic.of([0.5, 0.7])
        >>> scalars_of(EpochSignals(1, totals={"loss": loss}), {"val_loss": 0.8, "val_auroc": float("nan")})
        {'totals/loss': 0.6, 'val_loss': 0.8}
    """
    named: dict[str, Any] = {}
    for table in TABLES:
        named.update(_of_table(table, getattr(signals, table)))
    named.update({f"totals/{name}": statistic.mean for name, statistic in signals.totals.items()})
    named.update(_of_classes(signals.per_class))
    named.update({f"landscape/{name}": value for name, value in signals.landscape.items()})
    named["probe/overhead_seconds"] = signals.overhead_seconds
    named.update(metrics or {})
    return {name: number for name, value in named.items() if (number := _number(value)) is not None}


def _of_table(table: str, layers: Table) -> Iterator[tuple[str, Any]]:
    for layer, statistics in layers.items():
        for name, statistic in statistics.items():
            yield f"{table}/{layer}/{name}", statistic.mean


def _of_classes(per_class: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield accuracy, loss and count of each class."""
    for name in ("accuracy", "loss", "counts"):
        values = per_class.get(name) or {}
        pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
        yield from ((f"per_class/{name}/{label}", value) for label, value in pairs)


def _number(value: Any) -> float | None:
    """Return a finite float, None where the value is none."""
    if isinstance(value, Statistic):
        value = value.mean
    if isinstance(value, (bool, str)) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
