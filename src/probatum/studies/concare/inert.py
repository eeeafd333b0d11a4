"""Flags that cannot act under the others: two runs that differ in such a flag alone are one run twice.

Source: fact sheet 1.5 n, a published series in which two experiments differed in an inert mask ratio.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OF_THE_TEACHER = (
    "missing_aware_mask_ratio_min",
    "missing_aware_mask_ratio_max",
    "missing_aware_ema_decay",
)
OF_THE_EXTENSION = (
    "missing_aware_disable_mask_bias",
    "missing_aware_disable_temporal_attention",
    "missing_aware_pretrain_epochs",
    "missing_aware_pretrain_lr",
    *OF_THE_TEACHER,
    "missing_aware_freeze_epochs",
    "missing_aware_aux_weight",
)


def inert_flags(parameters: Any) -> Mapping[str, str]:
    """Return the flags of ConCare that cannot act under `parameters`, each with the reason.

    Example:
        >>> from types import SimpleNamespace
        >>> flags = SimpleNamespace(missing_aware_extension=True, missing_aware_pretrain_epochs=0,
        ...     missing_aware_aux_weight=0.0, decov_weight=0.001)
        >>> inert_flags(flags)["missing_aware_mask_ratio_max"]
        'missing_aware_pretrain_epochs and missing_aware_aux_weight are both 0'
    """
    found: dict[str, str] = {}
    if parameters.decov_weight == 0:
        found["decov_warmup_epochs"] = "decov_weight is 0"
    if not parameters.missing_aware_extension:
        return found | dict.fromkeys(OF_THE_EXTENSION, "missing_aware_extension is off")
    if parameters.missing_aware_pretrain_epochs == 0:
        found["missing_aware_pretrain_lr"] = "missing_aware_pretrain_epochs is 0"
        if parameters.missing_aware_aux_weight == 0:
            reason = "missing_aware_pretrain_epochs and missing_aware_aux_weight are both 0"
            found |= dict.fromkeys(OF_THE_TEACHER, reason)
    return found
