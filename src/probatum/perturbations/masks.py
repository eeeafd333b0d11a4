"""Seeded random fields: the same for every model, nested over rates.

A mask is not drawn at each rate. One field u, uniform in [0, 1), is drawn per mask number, and a cell is
dropped at rate r where u < r: what is gone at 0.2 is gone at 0.4. Points of a curve, and curves of two
models, then differ by what they mean to compare and not by the luck of another draw.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum.perturbations.task import PerturbationTask, Values


def generator(seed: int, digest: str, mask: int, mechanism: str) -> np.random.Generator:
    """Return the random generator of one mask: Philox, a counter-based stream of its own.

    Nothing is drawn from numpy's global generator, and nothing that is drawn elsewhere shifts this stream.

    Args:
        seed: chosen by a person; another one gives another family of masks.
        digest: of the data (`digest.data_digest`).
        mask: the mask's number, from 0.
        mechanism: the perturbation's name.

    Source:
        Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3.

    Example:
        >>> first, again = (generator(0, "ab", 3, "by_block").random() for _ in range(2))
        >>> first == again
        True
    """
    text = f"{seed}|{digest}|{mask}|{mechanism}"
    entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy)))


def uniform_field(
    shape: tuple[int, ...], *, seed: int, digest: str, mask: int, mechanism: str
) -> NDArray[np.float64]:
    """Return u(sample, step, channel), uniform in [0, 1): a cell is dropped at rate r where u < r.

    Example:
        >>> u = uniform_field((1, 2, 3), seed=0, digest="ab", mask=0, mechanism="completely_at_random")
        >>> bool(np.all((u < 0.2) <= (u < 0.4)))
        True
    """
    return generator(seed, digest, mask, mechanism).random(shape)


def observed_cells(task: PerturbationTask) -> NDArray[np.bool_]:
    """Return where a value was observed within a sample's own length, `(samples, steps, channels)`."""
    within = np.arange(task.values.shape[1]) < np.asarray(task.lengths)[:, None]  # (samples, steps)
    return ~np.isnan(task.values) & within[:, :, None]


def without(values: Values, dropped: NDArray[np.bool_]) -> Values:
    """Return a copy of `values` in which the dropped cells are NaN, as if they had never been observed."""
    left: NDArray[Any] = values.copy()
    left[dropped] = np.nan
    return left


def achieved_rate(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float | None:
    """Return the share of the observed cells that is gone; None where nothing was observed.

    Over observed cells: a rate over all cells would count what was missing anyway, so that one asks for
    a half and gets less.

    Example:
        >>> achieved_rate(np.array([True, True, False]), np.array([True, False, False]))
        0.5
    """
    count = int(before.sum())
    return None if count == 0 else 1.0 - int((before & after).sum()) / count
