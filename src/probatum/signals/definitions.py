"""Where every statistic of an artifact was taken, over which axis, and in which unit.

The block is written into every artifact, so that a reader needs neither this code nor its author. It answers
the defects of `concare.md` 1.5: gradients read after clipping (a), attention read after dropout (b), a lag
curve in time order (c), and mixed axes under one name (d).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_GRADIENT = "after backward, before clipping and before the optimiser's step, unscaled; train mode"
_FORWARD = "first forward pass of a probed training step; train mode; auxiliary passes are not recorded"
_BATCHES = "mean, std (n - 1), min, max, n, se = std / sqrt(n) over the epoch's probed batches"


def _define(what: str, where: str, axis: str, unit: str, spread: str = _BATCHES) -> dict[str, str]:
    return {"what": what, "where": where, "axis": axis, "unit": unit, "spread": spread}


DEFINITIONS: dict[str, dict[str, str]] = {
    "gradient_norms": _define(
        "L2 norm of a layer's gradient", _GRADIENT, "layer: all elements of its own parameters", "loss / parameter"
    ),
    "gradient_stats": _define(
        "std, mean, percentiles of |g|, vanishing and exploding share, NaN and Inf counts of a layer's gradient",
        _GRADIENT,
        "layer: all elements of its own parameters; percentiles on a bounded sample",
        "loss / parameter; shares in [0, 1]; counts of elements",
    ),
    "weights": _define(
        "norm: L2 norm of a layer's parameters; update_ratio: L2 norm of one step's change over that norm",
        "before the probed step; the change after it",
        "layer: all elements of its own parameters",
        "parameter; ratio without unit",
    ),
    "activation_stats": _define(
        "mean, std, quantiles, saturated and dead share of a layer's output", _FORWARD,
        "layer: all elements of its output; quantiles on a bounded sample", "the output's; shares in [0, 1]",
        "the value is the mean over the probed batches; `spread`, `se` and `n` say how it varies over them",
    ),
    "hidden_norms": _define(
        "L2 norm of a layer's output", _FORWARD, "layer: all elements of its output", "the output's"
    ),
    "attention_stats": _define(
        "mean weight, entropy and head agreement of row-normalised attention weights, before dropout", _FORWARD,
        "layer: batch, heads and queries; each row over its keys", "entropy in nats",
        "the value is the mean over the probed batches; `spread`, `se` and `n` say how it varies over them",
    ),
    "attention_stats.lag_curve": _define(
        "mean attention mass by distance back from the query", _FORWARD,
        "distance in positions: index 0 is the query's own position, or the newest one where one query reads all; "
        "later indices lie further in the past", "share of a row's mass", "mean over the probed batches",
    ),
    "histograms": _define(
        "histogram of a layer's gradient", _GRADIENT, "layer: a bounded sample of its elements", "counts",
        "summed over the probed batches",
    ),
    "heads": _define(
        "variance and skew of each output head", _FORWARD, "head: the batch's samples", "the output's"
    ),
    "totals": _define(
        "numbers of the whole network: global gradient norm, batch loss, gradient noise scale", _GRADIENT,
        "all trainable parameters; the batch", "by name",
    ),
    "batches": _define(
        "the probed batches themselves: step within the epoch, forward passes, loss, global gradient norm",
        _GRADIENT, "one entry per probed batch", "loss; loss / parameter", "none: single batches",
    ),
    "per_class": _define(
        "accuracy, loss and confusion by class", "end of epoch, on the predictions that the loop gave",
        "class: its samples", "accuracy in [0, 1]", "none: one value per epoch",
    ),
    "landscape": _define(
        "sharpness: mean over antithetic directions of (L(w+d) + L(w-d) - 2 L(w)) / 2 / scale^2, signed; "
        "curvature where asked for",
        "end of epoch, eval mode, fixed sample `batch_id`, parameters restored", "filter-normalised directions",
        "loss", "standard error over directions; residual for the eigenvalue",
    ),
    "overhead_seconds": _define(
        "what the probe itself cost", "measured by the probe", "the whole epoch", "seconds", "none: one value"
    ),
}  # fmt: skip


_FIELDS = ("what", "where", "axis", "unit")
GROUPS_OF = {  # a collector's signal: the entries that its own words belong to
    "gradients": ("gradient_norms", "gradient_stats"),
    "activations": ("activation_stats", "hidden_norms"),
    "attention": ("attention_stats", "attention_stats.lag_curve"),
}


def definitions(taken: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, dict[str, Any]]:
    """Return the definitions block.

    Args:
        taken: `Probe.taken`: what each collector says of itself. It is kept word for word under `taken.<field>`,
            beside what every artifact says.

    Example:
        >>> definitions({"weights": {"when": "after the step"}})["weights"]["taken.when"]
        'after the step'
    """
    block = {name: dict(entry) for name, entry in DEFINITIONS.items()}
    for signal, words in (taken or {}).items():
        for name in GROUPS_OF.get(signal, (signal,)):
            if name not in block:  # a collector of the user's own
                name = f"own.{signal}"
                block[name] = _define(
                    *(str(words.get(field, "not said by its collector")) for field in _FIELDS)
                )
            if name in block:
                block[name] |= {f"taken.{field}": str(text) for field, text in words.items()}
    return block
