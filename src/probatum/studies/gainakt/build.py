"""Models from parameters: the one place where the names of both meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from probatum.studies.gainakt.architecture import Architecture
from probatum.studies.gainakt.baselines import DKT, PlainTransformer
from probatum.studies.gainakt.model import GainAKT2Exp, GainAKT3Exp

if TYPE_CHECKING:
    from probatum.studies.gainakt.parameters import (
        DKTParameters,
        GainAKT3Parameters,
        GainAKTParameters,
        PlainParameters,
    )


def architecture(parameters: GainAKTParameters, num_concepts: int) -> Architecture:
    """Return what both GainAKT models are built from."""
    p = parameters
    return Architecture(
        num_c=num_concepts,
        seq_len=p.seq_len,
        d_model=p.d_model,
        n_heads=p.n_heads,
        num_encoder_blocks=p.num_encoder_blocks,
        d_ff=p.d_ff,
        dropout=p.dropout,
        emb_type=p.emb_type,
        norm_first=p.norm_first,
        use_mastery_head=p.use_mastery_head,
        use_gain_head=p.use_gain_head,
        intrinsic_gain_attention=p.intrinsic_gain_attention,
        enable_head_normalization=p.enable_head_normalization,
        use_skill_difficulty=p.use_skill_difficulty,
        use_student_speed=p.use_student_speed,
        num_students=p.num_students,
        attention_decay=p.attention_decay,
        front=p.front,
        prediction_reads=p.prediction_reads,
        use_practice_features=p.use_practice_features,
        link_mastery_to_prediction=p.link_mastery_to_prediction,
    )


def build_gainakt2exp(parameters: GainAKTParameters, num_concepts: int) -> nn.Module:
    """Return a fresh GainAKT2Exp."""
    return GainAKT2Exp(**architecture(parameters, num_concepts))


def build_gainakt3exp(parameters: GainAKT3Parameters, num_concepts: int) -> nn.Module:
    """Return a fresh GainAKT3Exp."""
    return GainAKT3Exp(
        mastery_threshold_init=parameters.mastery_threshold_init,
        threshold_temperature=parameters.threshold_temperature,
        **architecture(parameters, num_concepts),
    )


def build_dkt(parameters: DKTParameters, num_concepts: int) -> nn.Module:
    """Return a fresh LSTM baseline."""
    p = parameters
    return DKT(num_c=num_concepts, d_model=p.d_model, d_ff=p.d_ff, dropout=p.dropout)


def build_plain(parameters: PlainParameters, num_concepts: int) -> nn.Module:
    """Return a fresh transformer baseline."""
    p = parameters
    return PlainTransformer(
        num_c=num_concepts,
        seq_len=p.seq_len,
        d_model=p.d_model,
        n_heads=p.n_heads,
        num_encoder_blocks=p.num_encoder_blocks,
        d_ff=p.d_ff,
        dropout=p.dropout,
    )
