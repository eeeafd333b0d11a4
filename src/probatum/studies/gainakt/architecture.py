"""What GainAKT is built from: every entry is a parameter of the study, none has a default."""

from __future__ import annotations

from typing import Literal, TypedDict

from probatum.studies.gainakt.attention import Decay
from probatum.studies.gainakt.fronts import Front


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
    prediction_reads: Literal[
        "blocks", "front"
    ]  # what the head reads: the streams after the blocks or before
    use_practice_features: bool  # history counts of the asked concept, see `practice_features`
    link_mastery_to_prediction: bool  # mastery of the asked concept enters the logit
