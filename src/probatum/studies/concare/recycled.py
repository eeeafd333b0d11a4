"""Large tensors whose memory is used again, instead of being returned to the system after every step.

Touching fresh memory for the first time costs several times as much as writing to it, and giving it back costs
again: at every training step, for hundreds of megabytes. A tensor made here returns its memory when its
storage is freed, whoever held it last, be it the autograd graph or a caller.
"""

from __future__ import annotations

import mmap
import weakref
from threading import Lock
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

LARGE = 1 << 22  # bytes from which it pays
KEPT = 2 << 30  # bytes that may lie idle


class Recycled:
    """Blocks of memory that no tensor uses at present."""

    idle: ClassVar[list[mmap.mmap]] = []
    _lock: ClassVar[Lock] = Lock()

    @classmethod
    def take(cls, size: int) -> mmap.mmap:
        """Return the smallest idle block of at least `size` bytes and at most twice that, or a new one."""
        with cls._lock:
            fitting = [block for block in cls.idle if size <= len(block) <= 2 * size]
            if fitting:
                chosen = min(fitting, key=len)
                cls.idle.remove(chosen)
                return chosen
        block = mmap.mmap(-1, size)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            block.madvise(mmap.MADV_HUGEPAGE)
        return block

    @classmethod
    def give(cls, block: mmap.mmap) -> None:
        """Keep a block; the ones that lay idle longest go where there are too many."""
        with cls._lock:
            cls.idle.append(block)
            while sum(map(len, cls.idle)) > KEPT:
                cls.idle.pop(0)


def empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return an uninitialised tensor with the type and the device of `like`.

    Example:
        >>> empty((1024, 1024, 2), torch.zeros(1)).shape
        torch.Size([1024, 1024, 2])
    """
    size = like.element_size()
    for extent in shape:
        size *= extent
    if like.device.type != "cpu" or size < LARGE:
        return like.new_empty(shape)
    block = Recycled.take(size)
    memory = np.frombuffer(block, dtype=np.uint8, count=size)
    weakref.finalize(memory, Recycled.give, block).atexit = False
    return torch.from_numpy(memory).view(like.dtype).view(shape)
