"""How strongly constraints and alignment count in epoch e, counted from 1."""

from __future__ import annotations

import math


def linear_ramp(epoch: int, warmup_epochs: int) -> float:
    """Return min(1, e / W); 1 without warm-up.

    Example:
        >>> [linear_ramp(epoch, 8) for epoch in (1, 2, 8, 12)]
        [0.125, 0.25, 1.0, 1.0]
    """
    return min(1.0, epoch / warmup_epochs) if warmup_epochs > 0 else 1.0


def cosine_ramp(epoch: int, epochs: int) -> float:
    """Return (1 − cos(pi e / E)) / 2, which reaches 1 in the last epoch.

    Example:
        >>> [round(cosine_ramp(epoch, 12), 3) for epoch in (3, 6, 12)]
        [0.146, 0.5, 1.0]
    """
    return 0.5 * (1 - math.cos(math.pi * min(1.0, epoch / epochs)))
