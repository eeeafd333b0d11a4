"""What a change did: every metric over the seeds, with interval, exact test, effect size and verdict.

Four families are corrected by Holm apart: the primary metric, sealed before the first step (one test, no
correction); the other sealed metrics at their best epoch; the same metrics on the test split; and everything else,
for exploring. Columns that hold the very same numbers are one row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from probatum.analysis.comparison import ALPHA, Comparison, adjust, compare
from probatum.analysis.directions import direction_of
from probatum.analysis.records import numeric_columns
from probatum.analysis.separation import seeds_needed
from probatum.reports.explanation.sides import Side, definitions

FAMILIES = ("primary", "sealed", "test", "exploratory", "cost")
_COSTS = frozenset(
    {
        "training_seconds", "startup_seconds", "duration_seconds", "step_time_avg", "final_step", "best_epoch",
        "last_epoch",
    }
)  # fmt: skip
_UNTESTED = {
    "p_value": None, "p_holm": None, "comparisons": 0, "verdict": "not tested", "sentence": "described, not tested",
}  # fmt: skip
_WORDS = {"better": "larger", "worse": "smaller"}  # where nobody says which way is better


def what_it_did(parent: Side, child: Side, primary: str | None = None) -> dict[str, Any]:
    """Return the section `did`: the primary metric's name, and one row per metric that both sides have.

    Args:
        parent: The runs without the change.
        child: The runs with it.
        primary: The column or metric that was declared before; else the first that the records seal.
    """
    sealed = definitions(parent) | definitions(child)
    directions = _directions(parent, child)
    runs = [*parent.group.runs, *child.group.runs]
    columns = [
        name for name in numeric_columns(runs) if parent.group.values(name) and child.group.values(name)
    ]
    chosen = _primary(primary or next(iter(sealed), None), columns)
    order = {name: index for index, name in enumerate(sealed)}

    def rank(column: str) -> tuple[int, int, str]:
        metric = metric_of(column)
        return FAMILIES.index(_family(column, chosen, sealed)), order.get(metric, len(order)), column

    costs = [name for name in columns if _family(name, chosen, sealed) == "cost"]
    results = sorted((name for name in columns if name not in costs), key=rank)
    kept = _distinct(results, parent, child) | {name: [] for name in sorted(costs)}
    rows = [
        _row(name, _family(name, chosen, sealed), parent, child, directions, sealed) | {"same_as": same}
        for name, same in kept.items()
    ]
    corrected = [row for family in FAMILIES for row in _corrected([r for r in rows if r["family"] == family])]
    corrected = [row | _UNTESTED if row["family"] == "cost" else row for row in corrected]
    corrected.sort(key=lambda row: rank(row["column"]))
    return {"primary": chosen, "alpha": ALPHA, "confidence": 0.95, "metrics": corrected}


def _distinct(columns: list[str], parent: Side, child: Side) -> dict[str, list[str]]:
    """Return the columns, each with those that hold the very same numbers: one result, tested once."""
    found: dict[str, list[str]] = {}
    first: dict[tuple[Any, ...], str] = {}
    for column in columns:
        values = tuple(tuple(sorted(side.group.values(column).items(), key=str)) for side in (parent, child))
        name = first.setdefault(values, column)
        if name == column:
            found[column] = []
        else:
            found[name].append(column)
    return found


def _primary(name: str | None, columns: list[str]) -> str | None:
    if name is None:
        return None
    candidates = (name, f"metrics_{name}_best_epoch", f"best_{name}", f"metrics_{name}")
    return next((column for column in candidates if column in columns), None)


def _directions(parent: Side, child: Side) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for run in [*parent.group.runs, *child.group.runs]:
        found.update(run.directions)
    for side in (parent, child):
        found |= {name: bool(own["higher_is_better"]) for name, own in definitions(side).items()}
    return found


def _family(column: str, primary: str | None, sealed: Mapping[str, Any]) -> str:
    if column == primary:
        return "primary"
    if column in _COSTS or column.startswith(("best_step_", "last_step_")):
        return "cost"
    if metric_of(column) in sealed and column.endswith("_best_epoch"):
        return "sealed"
    bare = metric_of(column).removeprefix("test_")
    judged = {_bare(name) for name in (*sealed, metric_of(primary or ""))}
    if metric_of(column).startswith("test_") and bare in judged and not column.startswith("best_"):
        return "test"
    return "exploratory"


def _bare(metric: str) -> str:
    """Return a metric's name without its split.

    Example:
        >>> _bare("val_auroc"), _bare("auroc")
        ('auroc', 'auroc')
    """
    return re.sub(r"^(train|valid|validation|val|eval|test)_", "", metric)


def metric_of(column: str) -> str:
    """Return the metric's own name in a column's.

    Example:
        >>> metric_of("metrics_val_auroc_best_epoch"), metric_of("eval_test_auroc"), metric_of("loss_min")
        ('val_auroc', 'test_auroc', 'loss_min')
    """
    return re.sub(r"^(metrics|eval|best)_", "", re.sub(r"_(best|last)_epoch$", "", column))


def _higher(column: str, directions: Mapping[str, bool]) -> bool | None:
    """Return the direction; a metric on another split has that of the sealed one on validation."""
    metric = metric_of(column)
    bare = _bare(metric)
    for name in (metric, f"val_{bare}", bare):
        if name in directions:
            return directions[name]
    return direction_of(column, directions)


def _row(
    column: str,
    family: str,
    parent: Side,
    child: Side,
    directions: Mapping[str, bool],
    sealed: Mapping[str, Any],
) -> dict[str, Any]:
    first, second = parent.group.values(column), child.group.values(column)
    higher = _higher(column, directions)
    found = compare(first, second, higher if higher is not None else True)
    metric = metric_of(column)
    at = "best" if column.endswith("_best_epoch") else "last" if column.endswith("_last_epoch") else None
    sides = {word: parent.group.summary(column) if word == "parent" else child.group.summary(column)
             for word in ("parent", "child")}  # fmt: skip
    seeds = sorted({str(seed) for seed in (*first, *second)}, key=lambda text: (len(text), text))
    values = {str(seed): value for seed, value in first.items()}, {str(s): v for s, v in second.items()}
    return {
        "column": column, "metric": metric, "family": family, "at_epoch": at,
        "unit": _unit(column, sealed.get(metric)), "higher_is_better": higher,
        **{word: asdict(own) if own else None for word, own in sides.items()},
        "values": [{"seed": seed, "parent": values[0].get(seed), "child": values[1].get(seed)} for seed in seeds],
        "comparison": found,
    }  # fmt: skip


def _unit(column: str, definition: Mapping[str, Any] | None) -> str:
    if definition and definition.get("unit"):
        return str(definition["unit"])
    return "seconds" if "seconds" in column or column.startswith("step_time") else ""


def _corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of one family with Holm's p and the verdict."""
    found = adjust([row.pop("comparison") for row in rows])
    return [row | _told(own, row["higher_is_better"]) for row, own in zip(rows, found, strict=True)]


def _told(found: Comparison, higher: bool | None) -> dict[str, Any]:
    verdict: str = found.verdict
    paired = found.is_paired
    return {
        "n": found.n, "is_paired": paired, "difference": found.difference,
        "ci_low": found.ci_low, "ci_high": found.ci_high, "effect_size": found.effect_size,
        "effect_unit": "standard deviations of the paired differences" if paired else "pooled standard deviations",
        "p_value": found.p_value if found.n > 1 else None, "p_holm": found.p_holm if found.n > 1 else None,
        "smallest_p": found.smallest_p, "comparisons": found.comparisons,
        "verdict": verdict if higher is not None else _WORDS.get(verdict, verdict),
        "seeds_needed": seeds_needed(ALPHA, max(1, found.comparisons), paired=paired),
        "sentence": found.sentence(),
    }  # fmt: skip


def row_of(did: Mapping[str, Any], family: str = "primary") -> dict[str, Any] | None:
    """Return the first row of a family; None where there is none."""
    return next((row for row in did["metrics"] if row["family"] == family), None)
