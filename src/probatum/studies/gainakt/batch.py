"""What a knowledge-tracing model is given, and what it returns."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class SequenceBatch(NamedTuple):
    """A batch of interaction windows, shifted so that step t is asked about step t + 1.

    All tensors are `(batch, length)` unless noted; `length` is the longest window of the batch
    minus one. The mask is a prefix of each row: padding stands at the end.

    Example:
        >>> import torch
        >>> batch = SequenceBatch.from_windows(
        ...     torch.tensor([[3, 4, 3]]), torch.tensor([[1, 0, 1]]), torch.tensor([3]),
        ...     students=torch.tensor([0]), windows=torch.tensor([0]))
        >>> batch.concepts.tolist(), batch.next_responses.tolist(), batch.mask.tolist()
        ([[3, 4]], [[0, 1]], [[True, True]])
    """

    concepts: Tensor  # int64, concept practised at step t, 0..C-1; 0 where padded
    responses: Tensor  # int64, 1 if answered correctly at step t; 0 where padded
    next_concepts: Tensor  # int64, concept of step t + 1
    next_responses: Tensor  # int64, response at step t + 1: the target
    mask: Tensor  # bool, true where step t and step t + 1 are both real
    students: Tensor  # (batch,) int64, index of the student; several windows may share one
    windows: Tensor  # (batch,) int64, index of the window within its split

    @classmethod
    def from_windows(
        cls, concepts: Tensor, responses: Tensor, lengths: Tensor, students: Tensor, windows: Tensor
    ) -> SequenceBatch:
        """Return the batch of right-padded windows `(batch, length + 1)` with their real `lengths` `(batch,)`."""
        steps = torch.arange(1, concepts.shape[1], device=concepts.device)  # (length,)
        return cls(
            concepts=concepts[:, :-1],
            responses=responses[:, :-1],
            next_concepts=concepts[:, 1:],
            next_responses=responses[:, 1:],
            mask=steps < lengths[:, None],  # (batch, length)
            students=students,
            windows=windows,
        )

    def to(self, device: torch.device | str) -> SequenceBatch:
        """Return the same batch on `device`."""
        return SequenceBatch(*(tensor.to(device) for tensor in self))


class TracingOutput(NamedTuple):
    """What every knowledge-tracing model returns for a batch."""

    logits: Tensor  # (batch, length) logit of the probability that step t + 1 is answered correctly
    mastery: Tensor | None  # (batch, length, concepts) in [0, 1]; None where the model has no mastery head
    gains: Tensor | None  # (batch, length, concepts), >= 0; None where the model has no gain head
