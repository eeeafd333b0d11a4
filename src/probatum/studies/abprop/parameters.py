"""What AbProp is told beyond what every study is told; the values stand in `defaults.yaml`.

Names are those of AbProp's model and train files, so that its plans translate one to one.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from probatum.parameters import parameter
from probatum.studies.abprop.data_parameters import AntibodyDataParameters
from probatum.studies.abprop.head_counts import nearest_head_counts


class AbPropParameters(AntibodyDataParameters):
    """Encoder, tasks and reports."""

    d_model: int = parameter("model_config", "Width of the encoder", unit="features", ge=1)
    nhead: int = parameter("model_config", "Attention heads; must divide d_model", unit="heads", ge=1)
    num_layers: int = parameter("model_config", "Encoder layers", unit="layers", ge=1)
    dim_feedforward: int = parameter(
        "model_config", "Hidden width of the feed-forward parts", unit="features", ge=1
    )
    dropout: float = parameter("model_config", "Share of features dropped while training", ge=0, lt=1)
    attention_dropout: float = parameter(
        "model_config", "Share of attention weights dropped; 0 lets torch use its fast attention", ge=0, lt=1
    )
    max_position_embeddings: int = parameter(
        "model_config", "Tokens of the longest sequence, `<bos>` and `<eos>` included", unit="tokens", ge=3
    )
    norm_first: bool = parameter("model_config", "Normalise before each layer instead of after it")
    token_scale: Literal["inverse_sqrt", "one", "sqrt"] = parameter(
        "model_config", "Factor on the token embedding: d_model^-0.5, 1, or d_model^0.5"
    )
    gradient_checkpointing: bool = parameter(
        "model_config", "Compute activations again in the backward pass instead of keeping them"
    )
    mlm_weight: float = parameter("tasks", "Weight of the masked residues' cross-entropy", ge=0)
    cls_weight: float = parameter("tasks", "Weight of the CDR positions' cross-entropy", ge=0)
    reg_weight: float = parameter(
        "tasks", "Weight of the squared error of the liability rates, standardised on training", ge=0
    )
    mlm_probability: float = parameter("tasks", "Share of residues to guess while training", gt=0, lt=1)
    report_interval: int = parameter(
        "tasks", "Optimiser steps between two training rows of abprop-train.csv", unit="steps", ge=1
    )

    @model_validator(mode="after")
    def _check_heads(self) -> AbPropParameters:
        if self.d_model % self.nhead:
            valid = ", ".join(map(str, nearest_head_counts(self.d_model, self.nhead)))
            raise ValueError(
                f"`nhead` must divide d_model ({self.d_model}), got {self.nhead}. Nearest valid: {valid}"
            )
        return self

    @model_validator(mode="after")
    def _check_tasks(self) -> AbPropParameters:
        if not (self.mlm_weight or self.cls_weight or self.reg_weight):
            raise ValueError(
                "`mlm_weight`, `cls_weight` and `reg_weight` are all 0: nothing would be learned"
            )
        return self
