"""Where an episode's random numbers come from: its seed and what they are for, never a global generator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def seed_for(seed: int, purpose: str) -> int:
    """Return a seed of its own for `purpose`, of 63 bits.

    Example:
        >>> seed_for(1, "weights") == seed_for(1, "weights"), seed_for(1, "weights") == seed_for(1, "order")
        (True, False)
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:8], "big") >> 1


def generator_for(seed: int, purpose: str) -> torch.Generator:
    """Return a generator of its own for `purpose`."""
    return torch.Generator().manual_seed(seed_for(seed, purpose))


@contextmanager
def drawn_from(seed: int, purpose: str) -> Iterator[None]:
    """Let torch's global generator be one for `purpose` inside, and leave it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, purpose))
        yield
