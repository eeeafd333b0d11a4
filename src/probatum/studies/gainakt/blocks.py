"""The layers of GainAKT: a block over two streams, and a head with one value per concept."""

from __future__ import annotations

from typing import Unpack

from torch import Tensor, nn

from probatum.studies.gainakt.architecture import Architecture
from probatum.studies.gainakt.attention import TwoStreamAttention


class Block(nn.Module):
    """One encoder block: attention for both streams, a feed-forward layer for the context stream."""

    def __init__(self, *, value_width: int, **architecture: Unpack[Architecture]) -> None:
        """Build the layers; a value stream narrower than the context (intrinsic mode) is not updated."""
        super().__init__()
        width, d_ff, dropout = architecture["d_model"], architecture["d_ff"], architecture["dropout"]
        self.norm_first = architecture["norm_first"]
        self.attention = TwoStreamAttention(
            d_model=width,
            n_heads=architecture["n_heads"],
            value_width=value_width,
            dropout=dropout,
            decay=architecture["attention_decay"],
        )
        self.context_norm = nn.LayerNorm(width)
        self.value_norm = nn.LayerNorm(width) if value_width == width else None
        self.feed_norm = nn.LayerNorm(width)
        shrink = nn.Linear(d_ff, width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, d_ff), nn.ReLU(), nn.Dropout(dropout), shrink, nn.Dropout(dropout)
        )
        if self.norm_first:  # a block starts as the identity: it adds what it learns to what is there
            nn.init.zeros_(self.attention.output.weight)
            nn.init.zeros_(shrink.weight)

    def forward(self, context: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return both streams and the aggregated values of the attention."""
        if self.norm_first:
            read = value if self.value_norm is None else self.value_norm(value)
            attended, aggregated = self.attention(self.context_norm(context), read)
            context = context + attended
            value = value if self.value_norm is None else value + attended
            return context + self.feed_forward(self.feed_norm(context)), value, aggregated
        attended, aggregated = self.attention(context, value)
        context = self.context_norm(context + attended)
        value = value if self.value_norm is None else self.value_norm(value + attended)
        return self.feed_norm(context + self.feed_forward(context)), value, aggregated


class ConceptHead(nn.Module):
    """Maps a stream to one value per concept: `(..., d_model)` -> `(..., concepts)`."""

    def __init__(self, architecture: Architecture) -> None:
        """Build the map, normalised before where the architecture asks for it."""
        super().__init__()
        width = architecture["d_model"]
        self.norm = nn.LayerNorm(width) if architecture["enable_head_normalization"] else nn.Identity()
        self.linear = nn.Linear(width, architecture["num_c"])

    def forward(self, stream: Tensor) -> Tensor:
        """Return one unbounded value per concept."""
        return self.linear(self.norm(stream))
