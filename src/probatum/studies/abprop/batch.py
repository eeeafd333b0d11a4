"""What an antibody model is given, and what it returns; B sequences, T tokens, K liability rates."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

IGNORED = -100


class AntibodyBatch(NamedTuple):
    """A batch of sequences, padded on the right.

    Example:
        >>> import torch
        >>> batch = AntibodyBatch(torch.tensor([[1, 4, 2, 0]]), torch.tensor([[-100, 0, -100, -100]]),
        ...     torch.zeros(1, 5), torch.tensor([0]), is_padded=True)
        >>> batch.residues.tolist()
        [[False, True, False, False]]
    """

    tokens: Tensor  # (B, T) int64
    regions: Tensor  # (B, T) int64: 0 framework, 1-3 the CDR, -100 at special tokens
    rates: Tensor  # (B, K) float32, standardised on the training split
    index: Tensor  # (B,) int64, row in its split
    is_padded: bool

    def to(self, device: torch.device | str) -> AntibodyBatch:
        """Return the same batch on `device`."""
        moved = (tensor.to(device, non_blocking=True) for tensor in self[:-1])
        return AntibodyBatch(*moved, is_padded=self.is_padded)

    @property
    def residues(self) -> Tensor:
        """Which tokens are residues, `(B, T)`."""
        return self.regions != IGNORED


class AntibodyOutput(NamedTuple):
    """What the three heads say."""

    hidden: Tensor  # (B, T, d_model)
    residue_logits: Tensor  # (selected, 25), of the tokens that were asked for
    cdr_logits: Tensor  # (B, T, 2): framework, CDR
    rates: Tensor  # (B, K), standardised
