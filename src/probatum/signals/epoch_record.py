"""One epoch as it stands in the artifact: the seed's keys first, then what was added.

Source: seed 000, "JSON layout".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from probatum.signals.epoch import EpochSignals, Statistic, Table
from probatum.signals.snapshot import TABLES, Snapshot

GROUPS = {  # key of the record: field of EpochSignals, whose reasons apply where the group is empty
    "gradient_norms": "gradients",
    "gradient_stats": "gradients",
    "weights": "weights",
    "activation_stats": "activations",
    "hidden_norms": "activations",
    "attention_stats": "attention",
    "histograms": "histograms",
    "heads": "heads",
    "totals": "totals",
    "per_class": "per_class",
    "landscape": "landscape",
}
NOT_ASKED = "not part of this telemetry configuration, or the model has no such module"
_PLAIN = (float, int, str, list, tuple, type(None))  # asked first: the test for a Mapping is slow
NOT_FINITE = "came out as NaN or infinite"


def epoch_record(signals: EpochSignals, snapshot: Snapshot | None = None) -> dict[str, Any]:
    """Return an epoch as strict JSON takes it: what was not measured is None, and `missing` says why.

    Example:
        >>> record = epoch_record(EpochSignals(1, missing={"attention": "fused kernel"}))
        >>> record["attention_stats"], record["missing"]["attention_stats"]
        (None, 'fused kernel')
    """
    groups = {
        "gradient_norms": _one(signals.gradients, "norm"),
        "gradient_stats": _others(signals.gradients, "norm"),
        "weights": _others(signals.weights),
        "activation_stats": {name: flat(own, without="norm") for name, own in signals.activations.items()},
        "hidden_norms": _one(signals.activations, "norm"),
        "attention_stats": _attention(signals),
        "histograms": dict(signals.histograms),
        "heads": _others(signals.heads),
        "totals": {name: statistic.as_record() for name, statistic in signals.totals.items()},
        "per_class": dict(signals.per_class),
        "landscape": {name: value for name, value in signals.landscape.items() if name != "missing"},
    }
    missing = dict(signals.missing)
    missing |= {f"landscape.{name}": why for name, why in signals.landscape.get("missing", {}).items()}
    for name, group in groups.items():
        if not group:
            missing.setdefault(name, _reason(signals, name))
    record = {
        "epoch": signals.epoch,
        **{name: group or None for name, group in groups.items()},
        "batches": [dict(batch.__dict__) for batch in signals.batches],
        "uncovered": list(signals.uncovered),
        "overhead_seconds": signals.overhead_seconds,
        "snapshot": None if snapshot is None else _without_tables(snapshot),
        "narrative": None if snapshot is None else snapshot.narrative,
    }
    if signals.own:
        record["own"] = {name: _others(table) for name, table in signals.own.items()}
    clean = strict(record, missing)
    return {**clean, "missing": dict(sorted(missing.items()))}


def flat(table: Mapping[str, Statistic], without: str = "") -> dict[str, Any]:
    """Return {statistic: its mean over batches}, with `spread`, `se` and `n` beside the values.

    Example:
        >>> flat({"mean": Statistic.of([1.0, 3.0])})
        {'mean': 2.0, 'n': 2, 'se': {'mean': 1.0}, 'spread': {'mean': 1.4142135623730951}}
    """
    chosen = {name: statistic for name, statistic in table.items() if name != without}
    return {
        **{name: statistic.mean for name, statistic in chosen.items()},
        "n": max((statistic.n for statistic in chosen.values()), default=0),
        "se": {name: statistic.se for name, statistic in chosen.items()},
        "spread": {name: statistic.std for name, statistic in chosen.items()},
    }


def strict(value: Any, missing: dict[str, str], path: str = "") -> Any:
    """Return `value` with plain lists and dicts, NaN and infinities as None; `missing` gets their paths."""
    if isinstance(value, dict) or (not isinstance(value, _PLAIN) and isinstance(value, Mapping)):
        return {str(k): strict(v, missing, f"{path}.{k}" if path else str(k)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item, missing, f"{path}.{index}") for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        missing[path] = NOT_FINITE
        return None
    return value


def _without_tables(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot without the tables that stand beside it, with their spread, in the same record."""
    return {name: value for name, value in snapshot.as_record().items() if name not in TABLES}


def _one(table: Table, statistic: str) -> dict[str, Any]:
    return {layer: own[statistic].as_record() for layer, own in table.items() if statistic in own}


def _others(table: Table, without: str = "") -> dict[str, Any]:
    rows = {
        layer: {name: statistic.as_record() for name, statistic in own.items() if name != without}
        for layer, own in table.items()
    }
    return {layer: own for layer, own in rows.items() if own}


def _attention(signals: EpochSignals) -> dict[str, Any]:
    layers = dict.fromkeys([*signals.attention, *signals.lag_curves])
    return {
        layer: {
            **flat(signals.attention.get(layer, {})),
            "lag_curve": list(signals.lag_curves[layer]) if layer in signals.lag_curves else None,
        }
        for layer in layers
    }


def _reason(signals: EpochSignals, group: str) -> str:
    """Return why a group is empty: its own reason, else those of its parts, else that nobody asked."""
    field = GROUPS[group]
    own = signals.missing.get(field)
    parts = [
        reason for name, reason in signals.missing.items() if name.startswith((f"{field}:", f"{field}."))
    ]
    return own or "; ".join(dict.fromkeys(parts)) or NOT_ASKED
