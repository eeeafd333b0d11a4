"""Self-attention of every token to every real token."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from probatum.studies.abprop.dropout import Dropout
from probatum.studies.abprop.linear import Linear


class SelfAttention(nn.Module):
    """Multi-head attention of every token to every real token (Vaswani et al. 2017).

    None of torch's fast kernels for a CPU drops attention weights; where some are to be dropped, the weights are
    computed here, with the cheap masks of `Dropout`.
    """

    def __init__(self, d_model: int, nhead: int, dropout: float) -> None:
        super().__init__()
        self.nhead = nhead
        self.inward = Linear(d_model, 3 * d_model)  # queries, keys, values
        self.outward = Linear(d_model, d_model)
        self.dropout = Dropout(dropout)

    def forward(self, stream: Tensor, allowed: Tensor | None) -> Tensor:
        """Return what each token gathers `(B, T, d)`; `allowed` `(B, 1, 1, T)` is None where nothing is padded."""
        batch, steps, width = stream.shape
        split = self.inward(stream).view(batch, steps, 3, self.nhead, width // self.nhead)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (B, heads, T, d / heads)
        dropped = self.dropout.p if self.training else 0.0
        if dropped and stream.device.type == "cpu":
            gathered = self._gathered(query, key, value, allowed)
        else:
            gathered = scaled_dot_product_attention(query, key, value, attn_mask=allowed, dropout_p=dropped)
        return self.outward(gathered.transpose(1, 2).reshape(batch, steps, width))

    def _gathered(self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None) -> Tensor:
        """Return softmax(Q K^T / sqrt(d / heads)) V."""
        scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(2, 3))  # (B, heads, T, T)
        if allowed is not None:
            scores += torch.zeros_like(allowed, dtype=scores.dtype).masked_fill_(~allowed, float("-inf"))
        return torch.matmul(self.dropout(torch.softmax(scores, dim=-1)), value)
