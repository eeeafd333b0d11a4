"""The identity of a run: equal for equal work, whatever the machine, the folder and the day."""

from __future__ import annotations

import hashlib


def config_hash(identity: str, seed: int | None) -> str:
    """Return the SHA-256 of what determines a run's result.

    Args:
        identity: the target's identity as strict JSON with sorted keys.
        seed: the run's seed.
    """
    return hashlib.sha256(f"{identity}\n{seed}".encode()).hexdigest()
