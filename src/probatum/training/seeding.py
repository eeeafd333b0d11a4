"""Random numbers: seeded once, from explicit generators, and kept in the record."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int, *, deterministic: bool) -> torch.Generator:
    """Return the generator of the data order after seeding every global one.

    The data order has a generator of its own, so that a model that draws one number more sees the same batches.

    Args:
        seed: the run's seed.
        deterministic: allow deterministic kernels only; an operation without one then raises.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = deterministic
    return torch.Generator().manual_seed(seed ^ 0x5EED)


def random_state(order: torch.Generator) -> dict[str, Any]:
    """Return the states of all generators, in types that load without unpickling code."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()  # type: ignore[misc]
    return {
        "torch": torch.get_rng_state(),
        "cuda": list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else [],
        "order": order.get_state(),
        "python": [version, list(internal), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(keys, dtype=np.int64)), position, has_gauss, cached],
    }


def restore_random_state(state: dict[str, Any], order: torch.Generator) -> None:
    """Set all generators to what `random_state` returned."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    order.set_state(state["order"])
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))


def describe_random_state(order: torch.Generator) -> dict[str, str | None]:
    """Return the SHA-256 of every generator's state: what `artifacts/rng_seed<N>.json` holds."""
    state = random_state(order)
    return {
        "torch": _digest(state["torch"].numpy().tobytes()),
        "cuda": _digest(b"".join(s.numpy().tobytes() for s in state["cuda"])) if state["cuda"] else None,
        "order": _digest(state["order"].numpy().tobytes()),
        "python": _digest(repr(state["python"]).encode()),
        "numpy": _digest(state["numpy"][1].numpy().tobytes() + repr(state["numpy"][2:]).encode()),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
