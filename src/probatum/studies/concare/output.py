"""What ConCare returns for a batch of stays."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class ConCareOutput(NamedTuple):
    """Predictions and what the objective and the probes read."""

    logits: Tensor  # (batch,) log-odds of death in hospital
    context: Tensor  # (batch, channels + 1, width) one vector per channel, the demographic one last
    decov: Tensor  # scalar: the decorrelation penalty of the batch
    time_attention: Tensor  # (batch, channels, steps), oldest hour first; sums to 1 over steps
    feature_attention: Tensor  # (batch, channels + 1); sums to 1
