"""Which way a metric is better: said by the plan, the study, or known of AbProp's training CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum.ablations.plan.model import Metric

WAYS = ("min", "max")
TAGS = ("train", "eval", "valid", "val", "test", "metrics")
ABPROP = {
    "loss": False,
    "mlm_perplexity": False,
    "cls_accuracy": True,
    "cls_f1": True,
    "reg_mse": False,
    "reg_r2": True,
    "reg_spearman": True,
    "step_time": False,
    "step_time_avg": False,
    "loss_min": False,
    "loss_mean": False,
    "gpu_mem_mb": False,
    "duration_seconds": False,
    "training_seconds": False,
    "startup_seconds": False,
}
"""The direction of every column of `abprop-train.csv` (AbProp fact sheet, section 7) and of the summary."""


def known_direction(name: str) -> bool | None:
    """Return whether more of an AbProp metric is better, or None for a stranger.

    Example:
        >>> known_direction("eval_cls_f1"), known_direction("metrics_loss"), known_direction("depth")
        (True, False, None)
    """
    tag, _, rest = name.partition("_")
    return ABPROP.get(name, ABPROP.get(rest) if tag in TAGS else None)


def read_metric(given: str | Mapping[str, Any], directions: Mapping[str, bool]) -> Metric:
    """Return the metric that a plan names, with its direction where anybody knows it.

    Example:
        >>> read_metric("depth:max", {})
        Metric(name='depth', higher_is_better=True)
    """
    name, said = _said(given) if isinstance(given, str) else (given["name"], given.get("higher_is_better"))
    if said is None:
        said = directions.get(name, known_direction(name))
    return Metric(name, said)


def _said(written: str) -> tuple[str, bool | None]:
    """Return name and direction of `name`, `name:max` or `name:min`, as `analyze` takes them."""
    name, colon, way = written.rpartition(":")
    return (name, way == "max") if colon and way in WAYS else (written, None)
