"""Parameters that cannot act beside the others: two runs that differ in such a one alone are one run twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def inert_parameters(parameters: Any) -> Mapping[str, str]:
    """Return the parameters that cannot act under the others, each with the reason.

    Example:
        >>> from types import SimpleNamespace
        >>> inert_parameters(SimpleNamespace(dataset="pooled_open"))["simulation_seed"]
        'dataset is not simulated'
    """
    if parameters.dataset == "simulated":
        return {}
    return dict.fromkeys(("simulated_clones", "simulation_seed"), "dataset is not simulated")


def inapplicable_metrics(parameters: Any) -> Mapping[str, str]:
    """Return the metrics of tasks that are not learned, each with the reason.

    Example:
        >>> from types import SimpleNamespace
        >>> inapplicable_metrics(SimpleNamespace(mlm_weight=1.0, cls_weight=0.0, reg_weight=1.0))
        {'val_cls_macro_f1': 'cls_weight is 0'}
    """
    tasks = {
        "mlm": "val_mlm_perplexity",
        "cls": "val_cls_macro_f1",
        "reg": "val_reg_macro_r2",
    }
    weights = {"mlm": parameters.mlm_weight, "cls": parameters.cls_weight, "reg": parameters.reg_weight}
    return {metric: f"{task}_weight is 0" for task, metric in tasks.items() if not weights[task]}
