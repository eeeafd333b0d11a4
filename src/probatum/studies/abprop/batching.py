"""Batches of about equally many tokens, of sequences of nearly one length, so that little padding is computed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from probatum.studies.abprop.batch import IGNORED, AntibodyBatch
from probatum.studies.abprop.masking import guessable
from probatum.studies.abprop.tokenizer import PAD

HIDDEN_SHARE = 0.15  # of the residues, in every evaluation
Integers = NDArray[np.int64]


def balanced_sizes(lengths: Sequence[int], count: int) -> list[int]:
    """Return the sizes of `count` consecutive batches whose largest one has the fewest tokens.

    A batch of n sequences has n times its longest one's tokens, padding included. The smallest budget into which
    `count` batches fit is found by bisection; batches that the budget leaves over are cut from the largest ones,
    so that an epoch always has the same number of optimiser steps.

    Args:
        lengths: tokens of each sequence, rising.
        count: number of batches, at most the number of sequences.

    Example:
        >>> balanced_sizes([10, 10, 10, 10, 40], 2)
        [4, 1]
    """
    low, high = max(lengths), len(lengths) * max(lengths)
    while low < high:
        middle = (low + high) // 2
        if len(_filled(lengths, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    sizes = _filled(lengths, low)
    while len(sizes) < count:
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        half = sizes[largest] // 2
        sizes[largest : largest + 1] = [sizes[largest] - half, half]
    return sizes


def _filled(lengths: Sequence[int], budget: int) -> list[int]:
    """Return the sizes of batches filled one after the other up to `budget` tokens."""
    sizes, start = [], 0
    while start < len(lengths):
        first = start
        end = bisect_right(
            range(first, len(lengths)), budget, key=lambda row: (row + 1 - first) * lengths[row]
        )
        sizes.append(max(1, end))
        start += sizes[-1]
    return sizes


def largest_batch(lengths: Integers, batch_size: int, bucket_batches: int) -> int:
    """Return the most tokens, padding included, that a batch of `AntibodySplit` can have in any epoch.

    No chunk is harder than the longest sequences together; the last chunk may be a short one.

    Example:
        >>> largest_batch(np.full(100, 120), 8, 10)
        960
    """
    rising = np.sort(lengths)
    chunk = batch_size * bucket_batches
    hardest = {min(chunk, len(rising)), len(rising) % chunk or chunk}
    return max(
        size * longest
        for rows in hardest
        for size, longest in _tokens(rising[-rows:].tolist(), -(-min(rows, len(rising)) // batch_size))
    )


def _tokens(rising: list[int], count: int) -> Iterator[tuple[int, int]]:
    end = 0
    for size in balanced_sizes(rising, count):
        end += size
        yield size, rising[end - 1]


class AntibodySplit:
    """The sequences of one split, ready to be batched; tensors are prepared once.

    Training order: shuffle the sequences, cut them into chunks of `bucket_batches` batches, sort each chunk by
    length, divide it into batches of about equally many tokens, shuffle the batches. An epoch has exactly
    ceil(count / batch_size) of them, whatever the lengths. All draws come from the given generator.

    Args:
        tokens: ids of each sequence, special tokens included.
        regions: of each residue.
        rates: standardised liabilities `(sequences, keys)`.
        bucket_batches: batches that are sorted together; 1 sorts nothing but a batch.

    Example:
        >>> from probatum.studies.abprop.tokenizer import encode
        >>> split = AntibodySplit([encode("ACD"), encode("AC")], [np.zeros(3), np.zeros(2)], np.zeros((2, 5)), 8)
        >>> [batch.tokens.tolist() for batch in split.evaluation_batches(2)]
        [[[1, 4, 5, 2, 0], [1, 4, 5, 6, 2]]]
    """

    def __init__(
        self,
        tokens: Sequence[NDArray[np.integer]],
        regions: Sequence[NDArray[np.number]],
        rates: NDArray[np.floating],
        bucket_batches: int,
    ) -> None:
        """Keep flat tensors of the whole split."""
        self.lengths = np.array([len(ids) for ids in tokens], dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.tokens = torch.from_numpy(np.concatenate(tokens).astype(np.int64))
        padded = [np.pad(row, 1, constant_values=IGNORED) for row in (r.astype(np.int64) for r in regions)]
        self.regions = torch.from_numpy(np.concatenate(padded))
        self.rates = torch.from_numpy(rates.astype(np.float32))
        self.bucket_batches = bucket_batches

    @property
    def count(self) -> int:
        """Return the number of sequences."""
        return len(self.lengths)

    @cached_property
    def hidden(self) -> Tensor:
        """Return which tokens are hidden whenever the split is evaluated, `(tokens,)`: about 15% of its residues.

        Drawn from the tokens themselves, so that every epoch, seed, model and masking rate is asked the same.
        """
        seed = int.from_bytes(sha256(self.tokens.numpy().tobytes()).digest()[:7], "big")
        draws = torch.rand(len(self.tokens), generator=torch.Generator().manual_seed(seed))
        return guessable(self.tokens) & (draws < HIDDEN_SHARE)

    @property
    def residue_count(self) -> int:
        """Return the number of residues."""
        return int(self.lengths.sum()) - 2 * self.count

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[AntibodyBatch]:
        """Yield one epoch of batches in random order; the order is drawn when iteration starts."""
        for chosen in self.training_order(batch_size, generator):
            yield self.gather(chosen)

    def evaluation_batches(self, batch_size: int) -> Iterator[AntibodyBatch]:
        """Yield every sequence once, shortest first, always in the same order."""
        rising = np.argsort(self.lengths, kind="stable")
        for start in range(0, self.count, batch_size):
            yield self.gather(rising[start : start + batch_size])

    def training_order(self, batch_size: int, generator: torch.Generator) -> list[Integers]:
        """Return the rows of every batch of one epoch."""
        shuffled = torch.randperm(self.count, generator=generator).numpy()
        batches: list[Integers] = []
        chunk_size = batch_size * self.bucket_batches
        for start in range(0, self.count, chunk_size):
            chunk = shuffled[start : start + chunk_size]
            chunk = chunk[np.argsort(self.lengths[chunk], kind="stable")]
            sizes = balanced_sizes(self.lengths[chunk].tolist(), -(-len(chunk) // batch_size))
            batches.extend(np.split(chunk, np.cumsum(sizes)[:-1]))
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def places(self, chosen: Integers) -> tuple[Tensor, Tensor]:
        """Return where the `chosen` rows lie in the flat tensors, and which tokens are real, each `(B, T)`."""
        lengths = torch.from_numpy(self.lengths[chosen])
        steps = torch.arange(int(lengths.max()))
        real = steps < lengths[:, None]
        return torch.where(real, torch.from_numpy(self.starts[chosen])[:, None] + steps, 0), real

    def gather(self, chosen: Integers) -> AntibodyBatch:
        """Return the batch of the `chosen` rows `(B,)`, padded to the longest of them."""
        places, real = self.places(chosen)
        rows = torch.from_numpy(chosen)
        return AntibodyBatch(
            torch.where(real, self.tokens[places], PAD),
            torch.where(real, self.regions[places], IGNORED),
            self.rates[rows],
            rows,
            is_padded=not bool(real.all()),
        )

    def padded_share(self, batches: Sequence[Integers]) -> float:
        """Return the share of computed tokens that are padding, in [0, 1), for batches of rows."""
        computed = sum(int(self.lengths[chosen].max()) * len(chosen) for chosen in batches)
        return 1 - sum(int(self.lengths[chosen].sum()) for chosen in batches) / computed
