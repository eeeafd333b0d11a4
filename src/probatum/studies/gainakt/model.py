"""GainAKT2Exp and GainAKT3Exp: attentive knowledge tracing whose values are learning gains.

Built after the fact sheet of the published models (Labra, GainAKT2Exp / GainAKT3Exp guides, 2025). With
`front` and `attention_decay` none, `prediction_reads` blocks, and `norm_first`, `use_practice_features`
and `link_mastery_to_prediction` off they have the published layers and parameter counts. Deliberate
differences:

* The mechanisms just named are this workbench's; each is a parameter, and the ablation measures each.
* Dropout also acts on what the prediction head reads; embeddings of positions start small.
* GainAKT3Exp's gains may be small: g = sigmoid(head), not sigmoid(relu(head)) >= 0.5, which saturated
  mastery after two practices. Mastery is bounded by construction; see `practised_mastery`.
* GainAKT3Exp's thresholds are part of the prediction that is trained (`link_mastery_to_prediction`):
  there, training used one output and evaluation another, and the thresholds had no gradient.
* GainAKT3Exp's mastery head seeds m_0; there, it was built and never used.
"""

from __future__ import annotations

from typing import Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional

from probatum.studies.gainakt.architecture import Architecture
from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput
from probatum.studies.gainakt.blocks import Block, ConceptHead
from probatum.studies.gainakt.fronts import StreamFront
from probatum.studies.gainakt.mastery import GAIN_STEP, accumulated_mastery, of_concept, practised_mastery
from probatum.studies.gainakt.practice import FEATURE_COUNT, practice_features

STUDENT_WIDTH = 16  # width of a student's speed embedding
LINK_START = 0.1  # weight of the linked mastery at the start; learned
SMALL_GAIN = -3.0  # bias of GainAKT3Exp's gain head at the start: gains begin near sigmoid(-3) = 0.05
TABLE_SCALE, POSITION_SCALE = 1.0, 0.02  # standard deviation of embeddings at the start


class GainAKT2Exp(nn.Module):
    """Predicts the next answer, and shows gains and mastery per concept beside it.

    Token q + C r, a context and a value table, blocks of causal attention, then a head over the context,
    the value and the embedding of the asked concept. Gains are relu(Linear(value)), unbounded; mastery
    starts at sigmoid(Linear(context_0)) and rises by 0.1 g. Unless linked, neither feeds the prediction; and
    where `prediction_reads` is front, the attention serves mastery and gains alone.
    """

    def __init__(self, **architecture: Unpack[Architecture]) -> None:
        """Build every layer that the architecture asks for, and no other."""
        super().__init__()
        a = self.architecture = architecture
        if a["emb_type"] != "qid":
            raise ValueError(
                f"Expected `emb_type` to be 'qid', the only kind there is, got {a['emb_type']!r}."
            )
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
        read = width * (2 if self.intrinsic else 3)
        read += FEATURE_COUNT * a["use_practice_features"] + STUDENT_WIDTH * a["use_student_speed"]
        self.head = nn.Sequential(
            nn.Linear(read, d_ff), nn.ReLU(), nn.Dropout(a["dropout"]), nn.Linear(d_ff, 1)
        )
        self.mastery_head = self.concept_head(built=a["use_mastery_head"])
        self.gain_head = self.concept_head(built=a["use_gain_head"])
        self.difficulty = nn.Embedding(concepts, 1) if a["use_skill_difficulty"] else None
        self.speed = nn.Embedding(a["num_students"], STUDENT_WIDTH) if a["use_student_speed"] else None
        self.dropout = nn.Dropout(a["dropout"])
        for table in (self.context_table, self.value_table, self.target_table):
            nn.init.normal_(table.weight, std=TABLE_SCALE)
        nn.init.normal_(self.position_table.weight, std=POSITION_SCALE)
        if self.difficulty is not None:
            nn.init.ones_(self.difficulty.weight)
        if self.speed is not None:
            nn.init.zeros_(self.speed.weight)  # a student who was not trained on has no speed of their own
        self.link = nn.Parameter(torch.tensor(LINK_START)) if a["link_mastery_to_prediction"] else None

    def concept_head(self, *, built: bool) -> ConceptHead | None:
        """Return a map from a stream to one value per concept; None if not `built` or in intrinsic mode."""
        return ConceptHead(self.architecture) if built and not self.intrinsic else None

    def forward(self, batch: SequenceBatch) -> TracingOutput:
        """Return logits `(batch, length)`, and mastery and gains `(batch, length, concepts)` where built."""
        before = self.embed(batch)
        context, value, aggregated = self.attend(*before)
        read = before if self.architecture["prediction_reads"] == "front" else (context, value)
        logits = self.head(self.head_input(batch, *read)).squeeze(-1)
        gains = functional.relu(aggregated) if self.intrinsic else self.gains(value)
        mastery = None
        if gains is not None and (self.intrinsic or self.mastery_head is not None):
            mastery = self.mastery(batch, context, gains)
        if self.link is not None and mastery is not None:
            logits = logits + self.link * self.linked_logit(batch, mastery)
        return TracingOutput(logits=logits, mastery=mastery, gains=gains)

    def embed(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Return the context and value streams before the blocks, `(batch, length, width)`."""
        tokens = batch.concepts + self.architecture["num_c"] * batch.responses  # (batch, length)
        positions = self.position_table.weight[: tokens.shape[1]]  # (length, width)
        context = self.front(self.context_table(tokens) + positions)
        value = self.value_table(tokens)
        return context, functional.softplus(value) if self.intrinsic else value + positions

    def attend(self, context: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return both streams after the blocks and what the last block aggregated."""
        aggregated = value
        for block in self.blocks:
            context, value, aggregated = block(context, value)
        return context, value, aggregated

    def head_input(self, batch: SequenceBatch, context: Tensor, value: Tensor) -> Tensor:
        """Return what the prediction head reads, `(batch, length, read)`."""
        target = self.target_table(batch.next_concepts)  # (batch, length, d_model)
        if self.difficulty is not None:
            target = target * self.difficulty(batch.next_concepts).clamp(0.5, 2.0)
        context, value = self.dropout(context), self.dropout(value)
        parts = [context, target] if self.intrinsic else [context, value, target]
        if self.architecture["use_practice_features"]:
            parts.append(practice_features(batch))
        if self.speed is not None:
            speed = self.speed(batch.students)  # (batch, STUDENT_WIDTH)
            parts.append(speed[:, None].expand(-1, context.shape[1], -1))
        return torch.cat(parts, dim=-1)

    def gains(self, value: Tensor) -> Tensor | None:
        """Return the gains >= 0, unbounded above."""
        return None if self.gain_head is None else functional.relu(self.gain_head(value))

    def initial_mastery(self, context: Tensor, gains: Tensor) -> Tensor:
        """Return m_0 in [0, 1], `(batch, concepts)`, from the first context (intrinsic: first gains)."""
        if self.mastery_head is not None:
            return torch.sigmoid(self.mastery_head(context[:, 0]))
        return (GAIN_STEP * gains[:, 0]).clamp(0.0, 1.0)

    def mastery(self, batch: SequenceBatch, context: Tensor, gains: Tensor) -> Tensor:
        """Return mastery: every concept moves with every step."""
        return accumulated_mastery(self.initial_mastery(context, gains), gains)

    def linked_logit(self, batch: SequenceBatch, mastery: Tensor) -> Tensor:
        """Return the mastery of the asked concept, centred, in [−1, 1]."""
        return 2 * of_concept(mastery, batch.next_concepts) - 1


class GainAKT3Exp(GainAKT2Exp):
    """GainAKT2Exp whose mastery moves by practice only and is compared with a threshold per concept."""

    def __init__(
        self,
        *,
        mastery_threshold_init: float,
        threshold_temperature: float,
        **architecture: Unpack[Architecture],
    ) -> None:
        """Build the shared layers and the thresholds."""
        super().__init__(**architecture)
        self.temperature = threshold_temperature
        self.thresholds = nn.Parameter(torch.full((architecture["num_c"],), mastery_threshold_init))
        if self.gain_head is not None:
            nn.init.constant_(self.gain_head.linear.bias, SMALL_GAIN)

    def gains(self, value: Tensor) -> Tensor | None:
        """Return the gains in (0, 1), small at the start."""
        return None if self.gain_head is None else torch.sigmoid(self.gain_head(functional.relu(value)))

    def initial_mastery(self, context: Tensor, gains: Tensor) -> Tensor:
        """Return m_0: from the first context; 0 in intrinsic mode."""
        if self.mastery_head is None:
            return torch.zeros_like(gains[:, 0])
        return torch.sigmoid(self.mastery_head(context[:, 0]))

    def mastery(self, batch: SequenceBatch, context: Tensor, gains: Tensor) -> Tensor:
        """Return mastery: only the practised concept moves."""
        return practised_mastery(self.initial_mastery(context, gains), gains, batch.concepts)

    def linked_logit(self, batch: SequenceBatch, mastery: Tensor) -> Tensor:
        """Return (m − clamp(θ, 0, 1)) / temperature of the asked concept: the threshold prediction."""
        thresholds = self.thresholds.clamp(0.0, 1.0)[batch.next_concepts]  # (batch, length)
        return (of_concept(mastery, batch.next_concepts) - thresholds) / self.temperature
