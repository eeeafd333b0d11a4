"""Which columns tell something of an axis: held-out metrics, one of a family, and baselines beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HELD_OUT = re.compile(r"^metrics_(eval|valid|val|test)_")
_NULL = re.compile(r"^(metrics_(?:[a-z]+_)?)null_")


def telling(columns: Sequence[str]) -> list[str]:
    """Return the columns that deserve a row of the findings, in their order.

    Metrics of held-out data where there are any, else those of training; a macro average instead of the keys it is
    made of; neither the step of a best value nor what a baseline without training reaches.

    Example:
        >>> telling(["metrics_f1", "metrics_eval_f1", "best_step_eval_f1", "metrics_test_null_f1_majority"])
        ['metrics_eval_f1']
    """
    values = [
        name for name in columns if not re.match(r"(best|last)_step_|best_", name) and not _NULL.match(name)
    ]
    held_out = [name for name in values if _HELD_OUT.match(name)]
    others = [name for name in values if not name.startswith("metrics_")]
    chosen = [*held_out, *others] if held_out else values
    families = [name.replace("_macro_", "_") + "_" for name in columns if "_macro_" in name]
    return [name for name in chosen if not any(name.startswith(family) for family in families)]


def untrained(column: str, columns: Sequence[str]) -> dict[str, str]:
    """Return the columns of what needs no training beside a metric, by the baseline's name.

    Example:
        >>> columns = ["metrics_test_f1", "metrics_test_f1_cdr", "metrics_test_null_f1_cdr_majority"]
        >>> untrained("metrics_test_f1", columns), untrained("metrics_test_f1_cdr", columns)
        ({}, {'majority': 'metrics_test_null_f1_cdr_majority'})
    """
    found = {}
    for null in columns:
        name = _NULL.sub(r"\1", null)
        if name != null and name.startswith(f"{column}_") and _owner(name, columns) == column:
            found[name.removeprefix(f"{column}_")] = null
    return found


def _owner(name: str, columns: Sequence[str]) -> str:
    """Return the longest metric that the name of a baseline's column begins with."""
    return max((metric for metric in columns if name.startswith(f"{metric}_")), key=len)
