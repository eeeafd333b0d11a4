"""The parameters of the knowledge-tracing studies; their values stand in `defaults.yaml`.

Names and meanings are those of the parameter sets of seeds 002 and 003. What those sets held for their
launcher alone (entry scripts, an external log) is the workbench's own now and no parameter any more.
"""

from __future__ import annotations

from typing import Literal

from probatum.parameters import parameter
from probatum.studies.gainakt.choices import Decay, Front
from probatum.training.parameters import TrainingParameters


class TracingParameters(TrainingParameters):
    """What every knowledge-tracing study is told: data, protocol, measurement."""

    dataset: str = parameter(
        "data", "simulated, assist2015, assist2009, or the path of a file in pyKT's or the three-line format"
    )
    fold: int = parameter("data", "Fold of the students that validates", ge=0)
    fold_count: int = parameter("data", "Folds of the students that are not held out for test", ge=2)
    test_share: float = parameter("data", "Share of the students held out for test", gt=0, lt=1)
    split_seed: int = parameter(
        "data", "Seed of the split by student; the training seed never enters it", ge=0
    )
    min_interactions: int = parameter(
        "data", "Students and windows with fewer interactions are left out", unit="interactions", ge=2
    )
    accept_different_data: bool = parameter(
        "data", "Read files of a published dataset although their checksum differs; the record says so"
    )
    simulated_students: int = parameter("data", "Learners of the simulated dataset", unit="students", ge=10)
    simulated_concepts: int = parameter("data", "Concepts of the simulated dataset", unit="concepts", ge=1)
    simulation_seed: int = parameter("data", "Seed of the simulated dataset", ge=0)
    seq_len: int = parameter(
        "model_config", "Longest window; longer histories are cut", unit="interactions", ge=3
    )
    bucket_batches: int = parameter(
        "data",
        "Batches that are sorted by length together, so that little padding is computed",
        unit="batches",
        ge=1,
    )
    max_semantic_students: int = parameter(
        "sampling",
        "Validation students behind the per-epoch correlations and intervals",
        unit="students",
        ge=2,
    )
    alignment_global_students: int = parameter(
        "alignment",
        "Validation students of the global correlation, taken evenly over lengths",
        unit="students",
        ge=10,
    )
    max_correlation_students: int = parameter(
        "sampling", "Students per split behind the correlations of the evaluation", unit="students", ge=2
    )
    bootstrap_resamples: int = parameter(
        "sampling", "Resamples of students behind each interval", unit="resamples", ge=100
    )


class DKTParameters(TracingParameters):
    """What the LSTM baseline is told beyond that."""

    d_model: int = parameter("model_config", "Width of the streams", unit="features", ge=1)
    d_ff: int = parameter(
        "model_config", "Hidden width of the feed-forward parts and the head", unit="features", ge=1
    )
    dropout: float = parameter("model_config", "Share of features dropped while training", ge=0, lt=1)


class PlainParameters(DKTParameters):
    """What the transformer baseline is told beyond that."""

    n_heads: int = parameter("model_config", "Attention heads per block", unit="heads", ge=1)
    num_encoder_blocks: int = parameter("model_config", "Attention blocks", unit="blocks", ge=1)


class GainAKTParameters(PlainParameters):
    """What GainAKT2Exp and GainAKT3Exp are told beyond that."""

    emb_type: Literal["qid"] = parameter("model_config", "What a token is made of: concept and response")
    norm_first: bool = parameter("model_config", "Normalise before each layer instead of after it")
    attention_decay: Decay = parameter(
        "model_config", "Recency in the attention: none, alibi (fixed slopes), or learned decay per head"
    )
    front: Front = parameter("model_config", "What reads the stream before the attention")
    prediction_reads: Literal["blocks", "front"] = parameter(
        "model_config", "What the prediction head reads: the streams after the blocks, or before them"
    )
    use_practice_features: bool = parameter(
        "model_config", "Give the head counts of earlier practice of the concept asked next"
    )
    link_mastery_to_prediction: bool = parameter(
        "model_config", "Let the mastery of the concept asked next enter the prediction"
    )
    use_skill_difficulty: bool = parameter(
        "model_config", "Scale the asked concept's embedding by its difficulty"
    )
    use_student_speed: bool = parameter(
        "model_config", "Append an embedding of the student to the head's input"
    )
    num_students: int = parameter(
        "model_config", "Students with an embedding (use_student_speed)", unit="students", ge=1
    )
    intrinsic_gain_attention: bool = parameter(
        "model_config", "Values of the attention are gains per concept (an ablation); the heads are then off"
    )
    use_mastery_head: bool = parameter("heads", "Build the mastery output")
    use_gain_head: bool = parameter("heads", "Build the gain output")
    enable_head_normalization: bool = parameter("heads", "Normalise what enters the mastery and gain heads")

    enhanced_constraints: bool = parameter(
        "interpretability", "Constraint losses on; off is pure cross-entropy"
    )
    non_negative_loss_weight: float = parameter(
        "interpretability", "Weight of the penalty on negative gains", ge=0
    )
    monotonicity_loss_weight: float = parameter(
        "interpretability", "Weight of the penalty on falling mastery", ge=0
    )
    mastery_performance_loss_weight: float = parameter(
        "interpretability",
        "Weight of agreement between mastery of the practised concept and the response",
        ge=0,
    )
    gain_performance_loss_weight: float = parameter(
        "interpretability",
        "Weight of the margin between gains after correct and after incorrect responses",
        ge=0,
    )
    sparsity_loss_weight: float = parameter(
        "interpretability", "Weight of the mean gain on concepts that are not practised", ge=0
    )
    consistency_loss_weight: float = parameter(
        "interpretability", "Weight of agreement between the change of mastery and the gain", ge=0
    )
    warmup_constraint_epochs: int = parameter(
        "interpretability", "Epochs over which the performance weights rise", unit="epochs", ge=1
    )
    enable_alignment_loss: bool = parameter(
        "interpretability", "Reward correlation of mastery and gain with responses"
    )
    alignment_weight: float = parameter("interpretability", "Weight of the alignment", ge=0)
    enable_retention_loss: bool = parameter(
        "interpretability", "Penalise a fall of the alignment below its peak"
    )
    retention_weight: float = parameter("interpretability", "Weight of the retention", ge=0)
    enable_lag_gain_loss: bool = parameter("interpretability", "Reward gains that predict later responses")
    lag_gain_weight: float = parameter("interpretability", "Weight of the lagged gains", ge=0)

    alignment_warmup_epochs: int = parameter(
        "alignment", "Epochs over which the alignment rises", unit="epochs", ge=1
    )
    adaptive_alignment: bool = parameter(
        "alignment", "Raise the alignment while the correlation is below its target"
    )
    alignment_min_correlation: float = parameter(
        "alignment", "Correlation below which the alignment is raised", ge=-1, le=1
    )
    enable_global_alignment_pass: bool = parameter(
        "alignment", "Let the correlation over validation students steer the alignment"
    )
    use_residual_alignment: bool = parameter("alignment", "Align with responses less their local mean")
    alignment_residual_window: int = parameter(
        "alignment", "Width of the local mean within a student", unit="interactions", ge=1
    )
    alignment_share_cap: float = parameter(
        "alignment", "Largest share of the alignment in the total loss", ge=0, le=1
    )
    alignment_share_decay_factor: float = parameter(
        "alignment", "Factor on the weight after an epoch above the cap", gt=0, le=1
    )

    retention_delta: float = parameter("retention_lag", "Fall of the correlation that is tolerated", ge=0)
    lag_max_lag: int = parameter("retention_lag", "Longest lag", unit="interactions", ge=1, le=3)
    lag_l1_weight: float = parameter("retention_lag", "Weight of lag 1", ge=0)
    lag_l2_weight: float = parameter("retention_lag", "Weight of lag 2", ge=0)
    lag_l3_weight: float = parameter("retention_lag", "Weight of lag 3", ge=0)

    enable_cosine_perf_schedule: bool = parameter("scheduling", "Half cosine instead of the linear warm-up")
    consistency_rebalance_epoch: int = parameter(
        "scheduling", "Epoch from which a low correlation lowers the consistency weight", unit="epochs", ge=1
    )
    consistency_rebalance_threshold: float = parameter(
        "scheduling", "Correlation that counts as low", ge=-1, le=1
    )
    consistency_rebalance_new_weight: float = parameter("scheduling", "The lowered consistency weight", ge=0)

    variance_floor: float = parameter("stability_controls", "Mastery variance that counts as collapsed", ge=0)
    variance_floor_patience: int = parameter(
        "stability_controls", "Epochs of collapse before the sparsity weight is lowered", unit="epochs", ge=1
    )
    variance_floor_reduce_factor: float = parameter(
        "stability_controls", "Factor on the sparsity weight after a collapse", gt=0, le=1
    )
    freeze_sparsity: bool = parameter(
        "stability_controls", "Keep the sparsity weight whatever the variance does"
    )


class GainAKT3Parameters(GainAKTParameters):
    """What GainAKT3Exp is told beyond that."""

    mastery_threshold_init: float = parameter(
        "model_config", "Mastery at which a concept counts as known, at the start", ge=0, le=1
    )
    threshold_temperature: float = parameter(
        "model_config", "Softness of the comparison with the threshold", gt=0
    )
