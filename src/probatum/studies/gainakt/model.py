"""GainAKT2Exp and GainAKT3Exp: attentive knowledge tracing whose values are learning gains.

Built after the fact sheet of the published models (Labra, GainAKT2Exp / GainAKT3Exp guides, 2025): with
`front`, `attention_decay`, `use_practice_features` and `link_mastery_to_prediction` off, their layers and
their parameter counts. Differences from the published code, each of them deliberate:

* The mechanisms just named are this workbench's, each is a parameter, and the ablation measures each.
* GainAKT3Exp's gains may be small: g = sigmoid(head), not sigmoid(relu(head)) >= 0.5, which saturated
  mastery after two practices. Mastery is bounded by construction; see `practised_mastery`.
* GainAKT3Exp's thresholds are part of the prediction that is trained (`link_mastery_to_prediction`):
  there, training used one output and evaluation another, and the thresholds had no gradient.
* GainAKT3Exp's mastery head seeds m_0; there, it was built and never used.
"""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from probatum.studies.gainakt.attention import Decay, TwoStreamAttention
from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput
from probatum.studies.gainakt.fronts import Front, StreamFront
from probatum.studies.gainakt.mastery import accumulated_mastery, of_concept, practised_mastery
from probatum.studies.gainakt.practice import FEATURE_COUNT, practice_features

STUDENT_WIDTH = 16  # width of a student's speed embedding
SMALL_GAIN = -3.0  # bias of GainAKT3Exp's gain head at the start: gains begin near sigmoid(-3) = 0.05


class Architecture(TypedDict):
    """What both models are built from; every entry must be given."""

    num_c: int  # concepts
    seq_len: int  # longest window, interactions
    d_model: int
    n_heads: int
    num_encoder_blocks: int
    d_ff: int  # hidden width of the feed-forward layers and of the prediction head
    dropout: float
    emb_type: Literal["qid"]
    norm_first: bool  # normalise before each layer instead of after
    use_mastery_head: bool
    use_gain_head: bool
    intrinsic_gain_attention: bool
    enable_head_normalization: bool  # normalise what the mastery and gain heads read
    use_skill_difficulty: bool  # scale the asked concept's embedding by a factor in [0.5, 2]
    use_student_speed: bool  # append a student's embedding to the head's input
    num_students: int  # students that have a speed embedding
    attention_decay: Decay
    front: Front
    use_practice_features: bool  # history counts of the asked concept, see `practice_features`
    link_mastery_to_prediction: bool  # mastery of the asked concept enters the logit


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
        self.feed_forward = nn.Sequential(
            nn.Linear(width, d_ff), nn.ReLU(), nn.Dropout(dropout), nn.Linear(d_ff, width), nn.Dropout(dropout)
        )

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


class GainAKT2Exp(nn.Module):
    """Predicts the next answer, and shows gains and mastery per concept beside it.

    Token q + C r, a context and a value table, blocks of causal attention, then a head over the context,
    the value and the embedding of the asked concept. Gains are relu(Linear(value)), unbounded; mastery
    starts at sigmoid(Linear(context_0)) and rises by 0.1 g. Unless linked, neither feeds the prediction.
    """

    def __init__(self, **architecture: Unpack[Architecture]) -> None:
        """Build every layer that the architecture asks for, and no other."""
        super().__init__()
        a = self.architecture = architecture
        if a["emb_type"] != "qid":
            raise ValueError(f"Expected `emb_type` to be 'qid', the only kind there is, got {a['emb_type']!r}.")
        width, concepts, d_ff = a["d_model"], a["num_c"], a["d_ff"]
        self.intrinsic = a["intrinsic_gain_attention"]
        value_width = concepts if self.intrinsic else width
        self.context_table = nn.Embedding(2 * concepts, width)
        self.value_table = nn.Embedding(2 * concepts, value_width)
        self.position_table = nn.Embedding(a["seq_len"], width)
        self.target_table = nn.Embedding(concepts, width)
        self.front = StreamFront(front=a["front"], width=width, dropout=a["dropout"])
        self.blocks = nn.ModuleList(
            Block(value_width=value_width, **a) for _ in range(a["num_encoder_blocks"])
        )
        closing = a["norm_first"] and a["num_encoder_blocks"] > 0
        self.context_closing = nn.LayerNorm(width) if closing else nn.Identity()
        self.value_closing = nn.LayerNorm(width) if closing and not self.intrinsic else nn.Identity()
        read = width * (2 if self.intrinsic else 3)
        read += FEATURE_COUNT * a["use_practice_features"] + STUDENT_WIDTH * a["use_student_speed"]
        self.head = nn.Sequential(
            nn.Linear(read, d_ff), nn.ReLU(), nn.Dropout(a["dropout"]), nn.Linear(d_ff, 1)
        )
        heads = not self.intrinsic
        normalise = nn.LayerNorm if a["enable_head_normalization"] else nn.Identity
        self.mastery_head = (
            nn.Sequential(normalise(width), nn.Linear(width, concepts)) if heads and a["use_mastery_head"] else None
        )
        self.gain_head = (
            nn.Sequential(normalise(width), nn.Linear(width, concepts)) if heads and a["use_gain_head"] else None
        )
        self.difficulty = nn.Embedding.from_pretrained(torch.ones(concepts, 1), freeze=False) if a["use_skill_difficulty"] else None
        self.speed = nn.Embedding(a["num_students"], STUDENT_WIDTH) if a["use_student_speed"] else None
        self.link = nn.Parameter(torch.tensor(1.0)) if a["link_mastery_to_prediction"] else None

    def forward(self, batch: SequenceBatch) -> TracingOutput:
        """Return logits `(batch, length)`, and mastery and gains `(batch, length, concepts)` where built."""
        context, value, aggregated = self.encode(batch)
        logits = self.head(self.head_input(batch, context, value)).squeeze(-1)
        gains = F.relu(aggregated) if self.intrinsic else self.gains(value)
        mastery = None if gains is None else self.mastery(batch, context, gains)
        if self.link is not None and mastery is not None:
            logits = logits + self.link * self.linked_logit(batch, mastery)
        return TracingOutput(logits=logits, mastery=mastery, gains=gains)

    def encode(self, batch: SequenceBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the context and value streams `(batch, length, width)` and the last aggregated values."""
        tokens = batch.concepts + self.architecture["num_c"] * batch.responses  # (batch, length)
        positions = self.position_table.weight[: tokens.shape[1]]  # (length, width)
        context = self.front(self.context_table(tokens) + positions)
        value = self.value_table(tokens)
        value = F.softplus(value) if self.intrinsic else value + positions
        aggregated = value
        for block in self.blocks:
            context, value, aggregated = block(context, value)
        return self.context_closing(context), self.value_closing(value), aggregated

    def head_input(self, batch: SequenceBatch, context: Tensor, value: Tensor) -> Tensor:
        """Return what the prediction head reads, `(batch, length, read)`."""
        target = self.target_table(batch.next_concepts)  # (batch, length, d_model)
        if self.difficulty is not None:
            target = target * self.difficulty(batch.next_concepts).clamp(0.5, 2.0)
        parts = [context, target] if self.intrinsic else [context, value, target]
        if self.architecture["use_practice_features"]:
            parts.append(practice_features(batch))
        if self.speed is not None:
            speed = self.speed(batch.students)  # (batch, STUDENT_WIDTH)
            parts.append(speed[:, None].expand(-1, context.shape[1], -1))
        return torch.cat(parts, dim=-1)

    def gains(self, value: Tensor) -> Tensor | None:
        """Return the gains >= 0, unbounded above."""
        return None if self.gain_head is None else F.relu(self.gain_head(value))

    def initial_mastery(self, context: Tensor, gains: Tensor) -> Tensor:
        """Return m_0 in [0, 1], `(batch, concepts)`: from the first context, else from the first gains."""
        if self.mastery_head is not None:
            return torch.sigmoid(self.mastery_head(context[:, 0]))
        return (0.1 * gains[:, 0]).clamp(0.0, 1.0)

    def mastery(self, batch: SequenceBatch, context: Tensor, gains: Tensor) -> Tensor:
        """Return mastery: every concept moves with every step."""
        return accumulated_mastery(self.initial_mastery(context, gains), gains)

    def linked_logit(self, batch: SequenceBatch, mastery: Tensor) -> Tensor:
        """Return the mastery of the asked concept, centred, in [−1, 1]."""
        return 2 * of_concept(mastery, batch.next_concepts) - 1


class GainAKT3Exp(GainAKT2Exp):
    """GainAKT2Exp whose mastery moves by practice only and is compared with a threshold per concept."""

    def __init__(
        self, *, mastery_threshold_init: float, threshold_temperature: float, **architecture: Unpack[Architecture]
    ) -> None:
        """Build the shared layers and the thresholds."""
        super().__init__(**architecture)
        self.temperature = threshold_temperature
        self.thresholds = nn.Parameter(torch.full((architecture["num_c"],), mastery_threshold_init))
        if self.gain_head is not None:
            nn.init.constant_(self.gain_head[-1].bias, SMALL_GAIN)

    def gains(self, value: Tensor) -> Tensor | None:
        """Return the gains in (0, 1), small at the start."""
        return None if self.gain_head is None else torch.sigmoid(self.gain_head(F.relu(value)))

    def initial_mastery(self, context: Tensor, gains: Tensor) -> Tensor:
        """Return m_0: from the first context, 0 without a mastery head."""
        if self.mastery_head is None:
            return torch.zeros_like(gains[:, 0])
        return torch.sigmoid(self.mastery_head(context[:, 0]))

    def mastery(self, batch: SequenceBatch, context: Tensor, gains: Tensor) -> Tensor:
        """Return mastery: only the practised concept moves."""
        return practised_mastery(self.initial_mastery(context, gains), gains, batch.concepts)

    def linked_logit(self, batch: SequenceBatch, mastery: Tensor) -> Tensor:
        """Return (m[q_{t+1}] − clamp(θ[q_{t+1}], 0, 1)) / temperature, the logit of the threshold prediction."""
        thresholds = self.thresholds.clamp(0.0, 1.0)[batch.next_concepts]  # (batch, length)
        return (of_concept(mastery, batch.next_concepts) - thresholds) / self.temperature
