"""A bidirectional transformer encoder with learned absolute positions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

from probatum.studies.abprop.tokenizer import PAD, VOCABULARY_SIZE


class SelfAttention(nn.Module):
    """Multi-head attention of every token to every real token (Vaswani et al. 2017)."""

    def __init__(self, d_model: int, nhead: int, dropout: float) -> None:
        super().__init__()
        self.nhead = nhead
        self.dropout = dropout
        self.inward = nn.Linear(d_model, 3 * d_model)  # queries, keys, values
        self.outward = nn.Linear(d_model, d_model)

    def forward(self, stream: Tensor, allowed: Tensor | None) -> Tensor:
        """Return what each token gathers `(B, T, d)`; `allowed` `(B, 1, 1, T)` is None where nothing is padded."""
        batch, steps, width = stream.shape
        split = self.inward(stream).view(batch, steps, 3, self.nhead, width // self.nhead)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (B, heads, T, d / heads)
        dropped = self.dropout if self.training else 0.0
        gathered = scaled_dot_product_attention(query, key, value, attn_mask=allowed, dropout_p=dropped)
        return self.outward(gathered.transpose(1, 2).reshape(batch, steps, width))


class EncoderLayer(nn.Module):
    """Attention and a ReLU feed-forward part, each with a residual; normalised after or before each."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int, dropout: float, attention_dropout: float,
        *, norm_first: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm_first = norm_first
        self.attention = SelfAttention(d_model, nhead, attention_dropout)
        self.attention_norm = nn.LayerNorm(d_model)
        self.widen = nn.Linear(d_model, dim_feedforward)
        self.narrow = nn.Linear(dim_feedforward, d_model)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, stream: Tensor, allowed: Tensor | None) -> Tensor:
        """Return the stream `(B, T, d)` after the layer."""
        if self.norm_first:
            stream = stream + self.dropout(self.attention(self.attention_norm(stream), allowed))
            return stream + self.dropout(self._feed_forward(self.feed_forward_norm(stream)))
        stream = self.attention_norm(stream + self.dropout(self.attention(stream, allowed)))
        return self.feed_forward_norm(stream + self.dropout(self._feed_forward(stream)))

    def _feed_forward(self, stream: Tensor) -> Tensor:
        return self.narrow(self.dropout(relu(self.widen(stream))))


class Encoder(nn.Module):
    """Token and position embeddings, layers, and a last normalisation.

    With `gradient_checkpointing` each layer's activations are computed again in the backward pass: the same
    gradients from less memory.
    """

    def __init__(
        self, layers: list[EncoderLayer], d_model: int, positions: int, dropout: float, token_scale: float,
        *, gradient_checkpointing: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.token_scale = token_scale
        self.gradient_checkpointing = gradient_checkpointing
        self.token_embedding = nn.Embedding(VOCABULARY_SIZE, d_model)
        self.position_embedding = nn.Embedding(positions, d_model)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(d_model)

    def forward(self, tokens: Tensor, *, is_padded: bool) -> Tensor:
        """Return the hidden states `(B, T, d)` of `tokens` `(B, T)`."""
        allowed = (tokens != PAD)[:, None, None, :] if is_padded else None
        places = torch.arange(tokens.shape[1], device=tokens.device)
        stream = self.token_scale * self.token_embedding(tokens) + self.position_embedding(places)
        stream = self.dropout(stream)
        for layer in self.layers:
            if self.gradient_checkpointing and self.training:
                stream = checkpoint(layer, stream, allowed, use_reentrant=False)
            else:
                stream = layer(stream, allowed)
        return self.norm(stream)
