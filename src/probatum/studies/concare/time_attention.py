"""Attention over time, one set of weights per channel: how much each hour of a channel tells of now."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BASE = 2.72  # of the paper's logarithm, which keeps it positive for every score


class TimeAttention(nn.Module):
    """Weighs the hours of each channel by its last state and by their age; each channel has its own weights.

    With s = sigmoid(q · k) and age a of an hour (1 for the newest)::

        score = scale s / (sigmoid(rate) log(2.72 + 1 - s) a)  [+ observed or missing bias]
        weights = softmax(score)

    The published formula has no `scale`. Its scores lie between 0 and about 1.5, so that the softmax over 48
    hours is nearly flat, as the lag curve of a probe shows, and what it multiplies gets hardly any gradient. The
    factor, learned per channel, lets it choose. The published ReLU of a positive term is left out. The
    missing-aware form adds one learned scalar to the hours with an observation and another to those without.

    After a forward pass `attention_weights` holds the weights `(batch, channels, 1, steps)`, oldest hour first.

    Source:
        Ma et al. 2020 (ConCare), arXiv 1911.12216, equations 3 to 5; fact sheet 1.2.
    """

    attention_axis = "time"
    INITIAL_RATE = 0.8
    OBSERVED_BIAS, MISSING_BIAS = 0.5, 0.0

    def __init__(
        self, *, channels: int, width: int, attention_width: int, scale: float, is_mask_aware: bool
    ) -> None:
        """Draw the projections of every channel; a `scale` of 0 keeps the published formula."""
        super().__init__()
        bound = math.sqrt(6.0 / (width + attention_width))  # Glorot and Bengio 2010
        self.query = nn.Parameter(torch.empty(channels, width, attention_width).uniform_(-bound, bound))
        self.key = nn.Parameter(torch.empty(channels, width, attention_width).uniform_(-bound, bound))
        self.rate = nn.Parameter(torch.full((channels, 1), self.INITIAL_RATE))
        self.log_scale = nn.Parameter(torch.full((channels, 1), math.log(scale))) if scale > 0 else None
        self.mask_bias = (
            nn.Parameter(torch.tensor([self.MISSING_BIAS, self.OBSERVED_BIAS])) if is_mask_aware else None
        )
        self.attention_weights: Tensor | None = None

    def forward(self, states: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        """Return one vector per channel, `(batch, channels, width)`.

        Args:
            states: `(batch, steps, channels, width)`, hidden states of the recurrent encoders.
            mask: `(batch, steps, channels)`, 1 where observed.
            lengths: `(batch,)`, real steps.
        """
        steps = torch.arange(states.shape[1], device=states.device)
        age = (lengths[:, None] - steps).clamp(min=1)  # (batch, steps), 1 is the newest
        last = states[
            torch.arange(len(lengths), device=states.device), lengths - 1
        ]  # (batch, channels, width)
        # q · k = h_t · (K q): the keys of all hours need not be made
        query = torch.einsum("bcw,cwa,cva->bcv", last, self.query, self.key)
        fit = torch.sigmoid(torch.einsum("btcw,bcw->bct", states, query))
        fade = torch.sigmoid(self.rate) * torch.log(BASE + 1 - fit) * age[:, None]
        score = fit / fade if self.log_scale is None else self.log_scale.exp() * fit / fade
        if self.mask_bias is not None:
            score = score + torch.where(mask.transpose(1, 2) > 0, self.mask_bias[1], self.mask_bias[0])
        is_real = steps < lengths[:, None]
        weights = torch.softmax(
            score.masked_fill(~is_real[:, None], -math.inf), dim=-1
        )  # (batch, channels, steps)
        self.attention_weights = weights[:, :, None].detach()
        return torch.einsum("bct,btcw->bcw", weights, states)
