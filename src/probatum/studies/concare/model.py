"""ConCare: a recurrent encoder per channel, attention over time, attention over channels, one risk."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from probatum.studies.concare.batch import ICUBatch
from probatum.studies.concare.batched_gru import BatchedGRU
from probatum.studies.concare.decov import decov
from probatum.studies.concare.feature_attention import FeatureInteraction, FeaturePooling
from probatum.studies.concare.history import FEATURES, history_features
from probatum.studies.concare.output import ConCareOutput
from probatum.studies.concare.time_attention import TimeAttention

INPUTS_PER_CHANNEL = 3 + FEATURES  # value, mask, time since the last observation, history
DAY = 24.0  # hours


class ConCare(nn.Module):
    """Mortality from irregular series.

    Both variants read the same inputs: of each channel and hour the value, whether it was observed, for how
    long it was not, and count, mean and extremes of the observations so far (an addition of this workbench).
    The missing-aware one differs in the biases of its two attentions alone.

    Source:
        Ma et al. 2020, "ConCare: Personalized Clinical Feature Embedding via Capturing the Healthcare
        Context", arXiv 1911.12216; fact sheet 1.2.
    """

    def __init__(
        self,
        *,
        channels: int,
        static: int,
        width: int,
        attention_width: int,
        attention_scale: float,
        feed_forward: int,
        dropout: float,
        attention_dropout: float,
        time_is_mask_aware: bool,
        pooling_is_mask_aware: bool,
    ) -> None:
        """Build every layer."""
        super().__init__()
        self.encoder = BatchedGRU(channels, INPUTS_PER_CHANNEL, width)
        self.time_attention = TimeAttention(
            channels=channels,
            width=width,
            attention_width=attention_width,
            scale=attention_scale,
            is_mask_aware=time_is_mask_aware,
        )
        self.demographics = nn.Linear(2 * static, width)
        self.dropout = nn.Dropout(dropout)
        self.interaction = FeatureInteraction(
            width=width, feed_forward=feed_forward, dropout=attention_dropout
        )
        self.pooling = FeaturePooling(width=width, dropout=dropout, is_mask_aware=pooling_is_mask_aware)
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 1)
        )

    def forward(self, batch: ICUBatch) -> ConCareOutput:
        """Return the predictions for a batch of stays."""
        context, time_attention = self.encode(batch)
        tokens, attended = self.interaction(self.dropout(context))
        pooled, feature_attention = self.pooling(tokens, observed_share(batch))
        return ConCareOutput(
            self.head(pooled)[:, 0], context, decov(attended), time_attention, feature_attention
        )

    def encode(self, batch: ICUBatch) -> tuple[Tensor, Tensor]:
        """Return the context of every channel and the attention over time: what pretraining compares."""
        now = torch.stack(
            [batch.values, batch.mask, batch.since / DAY], dim=-1
        )  # (batch, steps, channels, 3)
        inputs = torch.cat([now, history_features(batch.values, batch.mask)], dim=-1)
        states = self.encoder(inputs)  # (batch, steps, channels, width)
        channels = self.time_attention(states, batch.mask, batch.lengths)
        static = torch.tanh(self.demographics(torch.cat([batch.static, batch.static_mask], dim=-1)))
        weights = self.time_attention.attention_weights
        assert weights is not None  # noqa: S101 - set by the forward pass above
        return torch.cat([channels, static[:, None]], dim=1), weights[:, :, 0]


def observed_share(batch: ICUBatch) -> Tensor:
    """Return the share of a stay's hours in which each channel was observed, `(batch, channels)`."""
    return batch.mask.sum(1) / batch.lengths[:, None]
