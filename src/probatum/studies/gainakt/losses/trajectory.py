"""The objective's entry of `semantic_trajectory`, under the keys of seed 002."""

from __future__ import annotations

from typing import Any

from probatum.studies.gainakt.losses.state import ObjectiveState

ADDED = ("alignment", "lag", "retention")  # the parts beside cross-entropy and the six constraints


def trajectory_entry(
    last: dict[str, float], state: ObjectiveState, lag_weights: list[float]
) -> dict[str, Any]:
    """Return the entry of one epoch; what was not measured is None.

    Shares are of the mean total loss. `constraint_total` is all that is not `main`; alignment, lag and
    retention are parts of it, and may be negative.

    Args:
        last: The epoch's means over batches, by name.
        state: Weights and peak after the epoch.
        lag_weights: Weight of each lag, from lag 1 on.
    """
    total = last.get("total", 0.0)
    shares = {name: last.get(name, 0.0) / total if total else None for name in ("main", *ADDED)}
    main = shares["main"]
    lags = [
        {"lag": lag, "corr": last[f"lag{lag}"], "weight": weight}
        for lag, weight in enumerate(lag_weights, 1)
        if f"lag{lag}" in last
    ]
    return {
        "warmup_scale": last.get("warmup_scale"),
        "alignment_corr_mastery": last.get("rho_m"),
        "alignment_corr_gain": last.get("rho_g"),
        "effective_alignment_weight": last.get("weight"),
        "peak_mastery_corr": state.peak,
        "retention_loss_value": last.get("retention"),
        "mean_lag_corr": last.get("lagged"),
        "lag_corr_count": round(last.get("lag_count", 0.0)),
        "mean_mastery_variance": last.get("variance"),
        "min_mastery_variance": last.get("variance_min"),
        "max_mastery_variance": last.get("variance_max"),
        "consistency_loss_weight_current": state.consistency_weight,
        "sparsity_loss_weight_current": state.sparsity_weight,
        "loss_shares": {
            "main": main,
            "constraint_total": None if main is None else 1 - main,
            **{name: shares[name] for name in ADDED},
        },
        "per_lag_correlations": lags,
    }
