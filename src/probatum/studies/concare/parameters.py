"""What ConCare is told beyond what every study is told; the values stand in `defaults.yaml`."""

from __future__ import annotations

from pydantic import model_validator

from probatum.parameters import parameter
from probatum.studies.concare.data_parameters import ICUDataParameters


class ConCareParameters(ICUDataParameters):
    """Model, decorrelation and awareness of missing values."""

    hidden_dim: int = parameter(
        "model_config",
        "Width of each channel's encoder and of all tokens",
        unit="features",
        ge=4,
        multiple_of=4,
    )
    attention_dim: int = parameter("model_config", "Width of the attention over time", unit="features", ge=1)
    attention_scale: float = parameter(
        "model_config",
        "First value of the learned factor on the scores over time; 0 keeps the published formula, which is flat",
        ge=0,
    )
    feed_forward_dim: int = parameter(
        "model_config", "Width of the feed-forward layer", unit="features", ge=1
    )
    keep_prob: float = parameter("model_config", "Share of features kept while training", gt=0, le=1)
    attention_dropout: float = parameter(
        "model_config", "Share dropped inside the attention over channels", ge=0, lt=1
    )
    decov_weight: float = parameter("model_config", "Weight of the decorrelation penalty (lambda)", ge=0)
    decov_warmup_epochs: int = parameter(
        "model_config", "Epochs over which that weight rises linearly", unit="epochs", ge=0
    )
    missing_aware_extension: bool = parameter(
        "missing_aware", "Attentions that know which hours and channels were observed, and what follows below"
    )
    missing_aware_disable_mask_bias: bool = parameter(
        "missing_aware", "Leave the observed share out of the pooling over channels"
    )
    missing_aware_disable_temporal_attention: bool = parameter(
        "missing_aware", "Leave the mask out of the attention over time"
    )
    missing_aware_pretrain_epochs: int = parameter(
        "missing_aware",
        "First epochs that train the encoder to know, from thinned observations, what it makes of all of them",
        unit="epochs",
        ge=0,
    )
    missing_aware_pretrain_lr: float = parameter("missing_aware", "Learning rate of those epochs", gt=0)
    missing_aware_mask_ratio_min: float = parameter(
        "missing_aware", "Smallest share of a stay's observations that is removed", ge=0, lt=1
    )
    missing_aware_mask_ratio_max: float = parameter(
        "missing_aware", "Largest share of a stay's observations that is removed", gt=0, lt=1
    )
    missing_aware_ema_decay: float = parameter(
        "missing_aware", "Decay per step of the teacher's weights", ge=0, lt=1
    )
    missing_aware_freeze_epochs: int = parameter(
        "missing_aware", "Epochs after pretraining that train the head alone", unit="epochs", ge=0
    )
    missing_aware_aux_weight: float = parameter(
        "missing_aware", "Weight of the pretraining loss beside the cross-entropy", ge=0
    )

    @model_validator(mode="after")
    def _check_phases(self) -> ConCareParameters:
        if self.missing_aware_pretrain_epochs >= self.epochs:
            raise ValueError(
                f"`epochs` counts the pretraining too: it must exceed missing_aware_pretrain_epochs "
                f"({self.missing_aware_pretrain_epochs}), got {self.epochs}"
            )
        if self.missing_aware_mask_ratio_min > self.missing_aware_mask_ratio_max:
            raise ValueError(
                "`missing_aware_mask_ratio_min` must not exceed missing_aware_mask_ratio_max, got "
                f"{self.missing_aware_mask_ratio_min} > {self.missing_aware_mask_ratio_max}"
            )
        return self
