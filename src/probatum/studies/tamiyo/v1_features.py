"""The 27 numbers as the original's first policies got them: finite always, not standardised.

Faithful to tamiyo.md, section 2, but for `best_val_loss`, which was infinite in the original by mistake (and so
always 10) and is the real one here.
"""

from __future__ import annotations

import math

from probatum.packs.environment import Observed
from probatum.signals.features import BASE, WINDOW, base_values

LOSS_STAND_IN = 10.0  # for a loss that is NaN or infinite
LIMIT = 100.0  # losses and deltas are clipped to -100..100
_LOSSES = frozenset(
    {"train_loss", "val_loss", "best_val_loss", *(f"val_loss_history_{place}" for place in range(WINDOW))}
)
_DELTAS = frozenset({"loss_delta", "accuracy_delta"})


def v1_features(observed: Observed) -> tuple[float, ...]:
    """Return the 27 numbers, in the order of `signals.features.BASE`.

    In epoch 1 `loss_delta` was infinite and becomes 0, and `accuracy_delta` counts from an accuracy of 0. Windows
    are padded in front with zeros.

    Example:
        >>> from probatum.signals.snapshot import Snapshot
        >>> shot = Snapshot(1, val_loss=250.0, val_accuracy=12.5)
        >>> values = v1_features(Observed(1, shot, (shot,), {}, {}, (True,), 24))
        >>> len(values), values[3], values[4], values[7], values[11:16]
        (27, 100.0, 0.0, 12.5, (0.0, 0.0, 0.0, 0.0, 100.0))
    """
    values = base_values(observed.recent, observed.slot)
    if len(observed.recent) == 1 and observed.epoch == 1:
        values["accuracy_delta"] = observed.snapshot.val_accuracy
    padding = {f"val_loss_history_{place}" for place in range(WINDOW - len(observed.recent))}
    return tuple(0.0 if name in padding else _finite(name, values[name]) for name in BASE)


def _finite(name: str, value: float | None) -> float:
    if value is None or not math.isfinite(value):
        return LOSS_STAND_IN if name in _LOSSES else 0.0
    if name in _LOSSES or name in _DELTAS:
        return max(-LIMIT, min(LIMIT, value))
    return float(value)
