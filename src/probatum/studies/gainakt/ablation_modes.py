"""Which loss terms an `ablation_mode` switches on; a flag given by hand wins over the mode."""

from __future__ import annotations


def switches(*, alignment: bool, retention: bool, lag: bool) -> dict[str, bool]:
    """Return the enable flags; the global pass runs where alignment or retention needs its correlation.

    Example:
        >>> switches(alignment=False, retention=True, lag=False)["enable_global_alignment_pass"]
        True
    """
    return {
        "enable_alignment_loss": alignment,
        "enable_global_alignment_pass": alignment or retention,
        "enable_retention_loss": retention,
        "enable_lag_gain_loss": lag,
    }


# `none` (performance focus) and `baseline` switch off alignment, retention and lag. No mode touches the six
# constraints: `enhanced_constraints` governs them.
ABLATION_MODES: dict[str, dict[str, bool]] = {
    "none": switches(alignment=False, retention=False, lag=False),
    "baseline": switches(alignment=False, retention=False, lag=False),
    "alignment_only": switches(alignment=True, retention=False, lag=False),
    "align": switches(alignment=True, retention=False, lag=False),
    "retention": switches(alignment=False, retention=True, lag=False),
    "both": switches(alignment=True, retention=True, lag=False),
    "both_lag": switches(alignment=True, retention=True, lag=True),
}
