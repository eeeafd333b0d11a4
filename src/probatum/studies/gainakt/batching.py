"""Batches of windows of nearly the same length, so that little padding is computed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from probatum.studies.gainakt.batch import SequenceBatch
from probatum.studies.gainakt.protocol import Windows


class Split:
    """The windows of one split, ready to be batched; tensors are prepared once.

    Training order: shuffle the windows, cut them into chunks of `bucket_batches` batches, sort each chunk
    by length, cut batches, shuffle the batches. With `bucket_batches` = 1 the order is plain random. All
    draws come from the given generator.

    Example:
        >>> from probatum.studies.gainakt.histories import Histories
        >>> from probatum.studies.gainakt.protocol import windows_of
        >>> histories = Histories.from_names([["1"] * 4, ["1"] * 3], [[1, 0, 1, 1], [0, 0, 1]], ["a", "b"])
        >>> windows = windows_of(histories, np.array([0, 1]), seq_len=200, min_length=3)
        >>> split = Split(windows, bucket_batches=8)
        >>> [batch.next_responses.tolist() for batch in split.evaluation_batches(1)]
        [[[0, 1]], [[0, 1, 1]]]
    """

    def __init__(self, windows: Windows, *, bucket_batches: int) -> None:
        """Keep flat tensors of the whole split."""
        self.windows = windows
        self.bucket_batches = bucket_batches
        self.concepts = torch.from_numpy(windows.histories.concepts)  # (interactions,)
        self.responses = torch.from_numpy(windows.histories.responses)  # (interactions,)
        self.starts = torch.from_numpy(windows.starts)  # (windows,)
        self.lengths = torch.from_numpy(windows.lengths)  # (windows,)
        self.students = torch.from_numpy(windows.students)  # (windows,)

    @property
    def count(self) -> int:
        """Return the number of windows."""
        return len(self.lengths)

    @property
    def step_count(self) -> int:
        """Return the number of predicted answers: every window's length less one."""
        return int(self.lengths.sum()) - self.count

    def sampled(self, count: int | None) -> Split:
        """Return the split, or `count` windows of it spread evenly over its order; the same ones always."""
        if count is None or count >= self.count:
            return self
        kept = np.linspace(0, self.count - 1, count).round().astype(np.int64)
        windows = self.windows
        chosen = Windows(
            windows.histories, windows.starts[kept], windows.lengths[kept], windows.students[kept]
        )
        return Split(chosen, bucket_batches=self.bucket_batches)

    def digest(self) -> str:
        """Return the SHA-256 of what the split holds."""
        return self.windows.digest()

    def batch_count(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        return -(-self.count // batch_size)

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[SequenceBatch]:
        """Yield one epoch of batches in random order; the order is drawn when iteration starts."""
        for chosen in self.training_order(batch_size, generator):
            yield self.gather(chosen)

    def evaluation_batches(self, batch_size: int) -> Iterator[SequenceBatch]:
        """Yield every window once, shortest first, always in the same order."""
        for chosen in torch.argsort(self.lengths, stable=True).split(batch_size):
            yield self.gather(chosen)

    def training_order(self, batch_size: int, generator: torch.Generator) -> list[Tensor]:
        """Return the window indices of every batch of one epoch."""
        shuffled = torch.randperm(self.count, generator=generator)
        batches: list[Tensor] = []
        for chunk in shuffled.split(batch_size * self.bucket_batches):
            batches.extend(chunk[torch.argsort(self.lengths[chunk], stable=True)].split(batch_size))
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def gather(self, chosen: Tensor) -> SequenceBatch:
        """Return the batch of the `chosen` windows `(batch,)`, padded to the longest of them."""
        lengths = self.lengths[chosen]
        steps = torch.arange(int(lengths.max()))
        real = steps < lengths[:, None]  # (batch, longest)
        positions = torch.where(real, self.starts[chosen, None] + steps, 0)
        return SequenceBatch.from_windows(
            self.concepts[positions] * real,
            self.responses[positions] * real,
            lengths,
            self.students[chosen],
            chosen,
        )

    def padded_share(self, batches: list[Tensor]) -> float:
        """Return the share of computed steps that are padding, in [0, 1), for batches of window indices."""
        computed = sum((int(self.lengths[chosen].max()) - 1) * len(chosen) for chosen in batches)
        real = sum(int(self.lengths[chosen].sum()) - len(chosen) for chosen in batches)
        return 1 - real / computed

    def step_offsets(self) -> np.ndarray:
        """Return where the predicted steps of each window begin when all are laid flat, `(windows,)`."""
        steps = self.windows.lengths - 1
        return np.cumsum(steps) - steps
