"""A bidirectional transformer encoder with learned absolute positions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu
from torch.utils.checkpoint import checkpoint

from probatum.studies.abprop.attention import SelfAttention
from probatum.studies.abprop.dropout import Dropout
from probatum.studies.abprop.linear import Linear
from probatum.studies.abprop.tokenizer import PAD, VOCABULARY_SIZE

STEP = 8  # tokens


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
        self.widen = Linear(d_model, dim_feedforward)
        self.narrow = Linear(dim_feedforward, d_model)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.dropout = Dropout(dropout)

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
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(d_model)

    def forward(self, tokens: Tensor, *, is_padded: bool) -> Tensor:
        """Return the hidden states `(B, T, d)` of `tokens` `(B, T)`."""
        steps = tokens.shape[1]
        tokens = _rounded(tokens, len(self.position_embedding.weight))
        is_padded = is_padded or tokens.shape[1] > steps
        allowed = (tokens != PAD)[:, None, None, :] if is_padded else None
        places = torch.arange(tokens.shape[1], device=tokens.device)
        stream = self.token_scale * self.token_embedding(tokens) + self.position_embedding(places)
        stream = self.dropout(stream)
        for layer in self.layers:
            if self.gradient_checkpointing and self.training:
                stream = checkpoint(layer, stream, allowed, use_reentrant=False)
            else:
                stream = layer(stream, allowed)
        return self.norm(stream)[:, :steps]


def _rounded(tokens: Tensor, positions: int) -> Tensor:
    """Return `tokens` padded to a multiple of 8 steps: oneDNN prepares a kernel for every new shape."""
    steps = tokens.shape[1]
    return pad(tokens, (0, min(-(-steps // STEP) * STEP, positions) - steps), value=PAD)
