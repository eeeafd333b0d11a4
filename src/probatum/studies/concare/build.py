"""The model that the parameters ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probatum.studies.concare.model import ConCare

if TYPE_CHECKING:
    from probatum.studies.concare.parameters import ConCareParameters


def build_concare(parameters: ConCareParameters, facts: Mapping[str, Any]) -> ConCare:
    """Return a fresh ConCare for data with the channels and statics that `facts` count."""
    is_aware = parameters.missing_aware_extension
    return ConCare(
        channels=facts["channels"],
        static=facts["static"],
        width=parameters.hidden_dim,
        attention_width=parameters.attention_dim,
        attention_scale=parameters.attention_scale,
        feed_forward=parameters.feed_forward_dim,
        dropout=1 - parameters.keep_prob,
        attention_dropout=parameters.attention_dropout,
        time_is_mask_aware=is_aware and not parameters.missing_aware_disable_temporal_attention,
        pooling_is_mask_aware=is_aware and not parameters.missing_aware_disable_mask_bias,
    )
