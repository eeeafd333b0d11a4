"""Collectors of the user's own: what they must be, and names that clash with nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probatum._errors import UsageError
from probatum.signals.collector import ForwardCollector

_PARTS = ("attach", "read", "missing", "taken")
TAKEN = frozenset(  # the probe's own signals
    {
        "activations", "attention", "batch", "batches", "gradients", "heads", "histograms", "lag_curves",
        "landscape", "loss", "losses", "noise", "own", "per_class", "totals", "weights",
    }
)  # fmt: skip


def own_signals(collectors: Sequence[ForwardCollector]) -> list[str]:
    """Return the names of the signals that the user's own collectors fill.

    Raises:
        UsageError: one is no collector, or its name is no word, a signal of the probe, or given twice.

    Example:
        >>> own_signals([])
        []
    """
    names: list[str] = []
    for collector in collectors:
        _check_parts(collector)
        name = collector.signal
        if not name.isidentifier() or name in TAKEN or name in names:
            raise UsageError(
                f"the collector {type(collector).__name__} names its signal {name!r}: expected one word that "
                f"is not among {', '.join(sorted({*TAKEN, *names}))}."
            )
        names.append(name)
    return names


def _check_parts(collector: Any) -> None:
    lacking = [part for part in ("signal", *_PARTS) if not hasattr(collector, part)]
    if lacking or isinstance(collector, type):
        what = (
            "an object, not its class"
            if isinstance(collector, type)
            else f"one that has {', '.join(lacking)}"
        )
        raise UsageError(
            f"{collector!r}: expected {what}; see `ForwardCollector` in probatum.signals.collector."
        )
