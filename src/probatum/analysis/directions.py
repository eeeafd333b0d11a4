"""Which way a metric is better: what the records define, else what its name says, else the person is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from probatum._errors import UsageError
from probatum._names import unknown

HIGHER = frozenset(
    {
        "accuracy", "acc", "auc", "auroc", "auprc", "f1", "r2", "spearman", "pearson", "kendall",
        "precision", "recall", "correlation", "corr", "reward", "sensitivity", "specificity", "coverage",
        "throughput",
    }
)  # fmt: skip
LOWER = frozenset(
    {
        "loss", "perplexity", "ppl", "mse", "rmse", "mae", "error", "ece", "mce", "nll", "brier",
        "seconds", "time", "duration", "mb", "memory", "parameters", "flops", "latency",
    }
)  # fmt: skip
_RATES = ("per_second", "per_sec")  # a rate of work, not a time
_ENDINGS = {"max": True, "min": False}


@dataclass(frozen=True)
class Objective:
    """A column and the direction in which it is better."""

    column: str
    higher_is_better: bool

    @property
    def sign(self) -> float:
        """The factor that makes smaller better."""
        return -1.0 if self.higher_is_better else 1.0

    def __str__(self) -> str:
        return f"{self.column}:{'max' if self.higher_is_better else 'min'}"


def direction_of(column: str, definitions: Mapping[str, bool] | None = None) -> bool | None:
    """Return whether higher is better, None where neither the records nor the name tell.

    A definition counts for the metric under every prefix and epoch (`metrics_val_auc_best_epoch`); of several
    telling words in a name the last counts, since the last names the quantity.

    Args:
        column: The column's name.
        definitions: By the metric's own name, as runs record it.

    Example:
        >>> direction_of("metrics_cls_f1"), direction_of("loss_min"), direction_of("metrics_beauty")
        (True, False, None)
    """
    for name in _bare_names(column):
        if definitions and name in definitions:
            return definitions[name]
    if any(rate in column for rate in _RATES):
        return True
    for word in reversed(re.split(r"[^a-z0-9]+", column.lower())):
        if word in HIGHER or word in LOWER:
            return word in HIGHER
    return None


def parse_objective(text: str, columns: Iterable[str], definitions: Mapping[str, bool]) -> Objective:
    """Return the objective that `NAME`, `NAME:min` or `NAME:max` names.

    The name is a column, or a metric's own name: the value at its best epoch where the runs have that.

    Raises:
        UsageError: no run has the column, or its direction is unknown.

    Example:
        >>> parse_objective("loss", ["metrics_loss", "duration_seconds"], {})
        Objective(column='metrics_loss', higher_is_better=False)
    """
    name, _, ending = text.rpartition(":") if ":" in text else (text, "", "")
    if ending and ending not in _ENDINGS:
        raise UsageError(
            f"--objective {text}: expected NAME, NAME:min or NAME:max, got the ending {ending!r}."
        )
    column = resolve_column(name, columns)
    higher = _ENDINGS[ending] if ending else direction_of(column, definitions)
    if higher is None:
        raise UsageError(f"no run defines which way {column} is better. Say it: {name}:min or {name}:max.")
    return Objective(column, higher)


def resolve_column(name: str, columns: Iterable[str]) -> str:
    """Return the column that a metric's name means.

    Raises:
        UsageError: there is none; the nearest are listed.
    """
    known = set(columns)
    candidates = (name, f"{name}_best_epoch", f"metrics_{name}", f"metrics_{name}_best_epoch")
    for candidate in candidates:
        if candidate in known:
            return candidate
    raise UsageError(unknown("metric", name, known))


def both_epochs(column: str, columns: Iterable[str]) -> dict[str, str]:
    """Return the metric's columns at the best and at the last epoch, as far as the runs have both.

    Example:
        >>> both_epochs("metrics_loss", ["metrics_loss", "loss_min"])
        {'best': 'loss_min', 'last': 'metrics_loss'}
    """
    known, bare = set(columns), re.sub(r"_(best|last)_epoch$", "", column)
    pairs = [(f"{bare}_best_epoch", f"{bare}_last_epoch")]
    own = re.sub(r"^(metrics|best)_", "", column)
    pairs.append((f"best_{own}", f"metrics_{own}"))
    if column in {"metrics_loss", "loss_min"}:
        pairs.append(("loss_min", "metrics_loss"))
    for best, last in pairs:
        if {best, last} <= known:
            return {"best": best, "last": last}
    return {}


def _bare_names(column: str) -> list[str]:
    bare = re.sub(r"_(best|last)_epoch$", "", column)
    return [column, bare, bare.removeprefix("metrics_"), re.sub(r"^(metrics|eval|best|last)_", "", bare)]
