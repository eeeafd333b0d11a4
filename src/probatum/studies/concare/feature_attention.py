"""Attention over channels: each channel's vector learns of the others, then one query pools them all."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HEADS = 4


class ChannelAttention(nn.MultiheadAttention):
    """Self-attention over channels, which have no order: probes draw no lag curve of it."""

    attention_axis = "feature"


class FeatureInteraction(nn.Module):
    """A pre-norm block of self-attention over the channels and a feed-forward layer, both residual.

    Source:
        Ma et al. 2020 (ConCare), section "Feature interdependencies"; fact sheet 1.2.
    """

    def __init__(self, *, width: int, feed_forward: int, dropout: float) -> None:
        """Build both layers."""
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = ChannelAttention(width, HEADS, dropout=dropout, batch_first=True)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, feed_forward), nn.ReLU(), nn.Dropout(dropout), nn.Linear(feed_forward, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens after the block and after its attention alone, both `(batch, tokens, width)`."""
        x = self.attention_norm(tokens)
        attended = tokens + self.dropout(self.attention(x, x, x, need_weights=False)[0])
        return attended + self.dropout(self.feed_forward(self.feed_forward_norm(attended))), attended


class FeaturePooling(nn.Module):
    """Pools the tokens by an unscaled dot product with the demographic one, the last.

    The missing-aware form adds `mask_scale` times the share of hours in which a channel was observed, before
    the softmax; the demographic token counts as observed. Dropout acts on a copy of the weights: after a
    forward pass `attention_weights` holds the distribution itself, `(batch, 1, tokens)`.
    """

    attention_axis = "feature"

    def __init__(self, *, width: int, dropout: float, is_mask_aware: bool) -> None:
        """Build the three projections."""
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.mask_scale = nn.Parameter(torch.tensor(1.0)) if is_mask_aware else None
        self.attention_weights: Tensor | None = None

    def forward(self, tokens: Tensor, observed_share: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled vector `(batch, width)` and the weights `(batch, tokens)`.

        Args:
            tokens: `(batch, tokens, width)`, the demographic one last.
            observed_share: `(batch, tokens - 1)`, share of hours with an observation of each channel.
        """
        query = self.query(tokens[:, -1])  # (batch, width)
        score = (self.key(tokens) @ query[:, :, None])[:, :, 0]  # (batch, tokens)
        if self.mask_scale is not None:
            known = torch.cat([observed_share, torch.ones_like(observed_share[:, :1])], dim=1)
            score = score + self.mask_scale * known
        weights = torch.softmax(score, dim=-1)
        self.attention_weights = weights[:, None].detach()
        return (self.dropout(weights)[:, None] @ self.value(tokens))[:, 0], weights
