"""The two models that GainAKT must beat, trained by the same loop: an LSTM and a plain transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput


class ConceptHead(nn.Module):
    """Predicts the answer to the asked concept from a state and that concept's embedding."""

    def __init__(self, *, num_c: int, width: int, d_ff: int, dropout: float) -> None:
        """Build a target table and a two-layer head."""
        super().__init__()
        self.target_table = nn.Embedding(num_c, width)
        self.layers = nn.Sequential(
            nn.Linear(2 * width, d_ff), nn.ReLU(), nn.Dropout(dropout), nn.Linear(d_ff, 1)
        )

    def forward(self, state: Tensor, next_concepts: Tensor) -> Tensor:
        """Return logits `(batch, length)`."""
        return self.layers(torch.cat([state, self.target_table(next_concepts)], dim=-1)).squeeze(-1)


class DKT(nn.Module):
    """Deep knowledge tracing (Piech et al. 2015, arXiv 1506.05908): an LSTM over the tokens q + C r.

    The asked concept enters the head as an embedding; on validation that was stronger than the original's
    one output per concept.
    """

    def __init__(self, *, num_c: int, d_model: int, d_ff: int, dropout: float) -> None:
        """Build the LSTM of `d_model` units and its head."""
        super().__init__()
        self.num_c = num_c
        self.table = nn.Embedding(2 * num_c, d_model)
        self.recurrence = nn.LSTM(d_model, d_model, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = ConceptHead(num_c=num_c, width=d_model, d_ff=d_ff, dropout=dropout)

    def forward(self, batch: SequenceBatch) -> TracingOutput:
        """Return logits `(batch, length)`; no mastery, no gains."""
        state, _ = self.recurrence(self.table(batch.concepts + self.num_c * batch.responses))
        return TracingOutput(self.head(self.dropout(state), batch.next_concepts), None, None)


class PlainTransformer(nn.Module):
    """A causal transformer (Vaswani et al. 2017, arXiv 1706.03762), normalised before each layer."""

    def __init__(
        self,
        *,
        num_c: int,
        seq_len: int,
        d_model: int,
        n_heads: int,
        num_encoder_blocks: int,
        d_ff: int,
        dropout: float,
    ) -> None:
        """Build tables of tokens and positions, the blocks, and the head."""
        super().__init__()
        self.num_c = num_c
        self.table = nn.Embedding(2 * num_c, d_model)
        self.position_table = nn.Embedding(seq_len, d_model)
        self.dropout = nn.Dropout(dropout)
        block = nn.TransformerEncoderLayer(
            d_model, n_heads, d_ff, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(
            block, num_encoder_blocks, nn.LayerNorm(d_model), enable_nested_tensor=False
        )
        self.head = ConceptHead(num_c=num_c, width=d_model, d_ff=d_ff, dropout=dropout)

    def forward(self, batch: SequenceBatch) -> TracingOutput:
        """Return logits `(batch, length)`; no mastery, no gains."""
        length = batch.concepts.shape[1]
        x = self.table(batch.concepts + self.num_c * batch.responses) + self.position_table.weight[:length]
        causal = nn.Transformer.generate_square_subsequent_mask(length, device=x.device)  # (length, length)
        state = self.blocks(self.dropout(x), mask=causal, is_causal=True)
        return TracingOutput(self.head(state, batch.next_concepts), None, None)
