"""One run as the analysis sees it: the seed's columns, and nothing that is not a number among its values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FIRST = ("plan", "experiment", "seed", "status", "duration_seconds", "returncode", "run_root")
LAST = ("final_step", "loss_min", "loss_mean", "step_time_avg")  # the seed's order ends with these
TIMES = ("training_seconds", "startup_seconds", "training_seconds_source", "note")


@dataclass(slots=True)
class RunRecord:
    """One run: one seed of one experiment."""

    plan: str
    experiment: str
    status: str  # completed, failed, skipped, interrupted; also planned, pending, running
    run_root: str
    seed: int | None = None
    returncode: int | None = None
    duration_seconds: float | None = None  # of the whole process, with its start-up
    training_seconds: float | None = None
    training_seconds_source: str = ""  # where that number comes from
    tags: dict[str, Any] = field(default_factory=dict)
    values: dict[str, float | None] = field(default_factory=dict)  # None: recorded, and not finite
    start_time: str = ""
    note: str = ""
    directions: dict[str, bool] = field(
        default_factory=dict
    )  # metric -> higher is better, as the run recorded it
    variant: str = ""  # what tells runs of one title apart

    @property
    def startup_seconds(self) -> float | None:
        """What the process took beside training: imports, data, evaluation, writing."""
        if self.duration_seconds is None or self.training_seconds is None:
            return None
        rest = self.duration_seconds - self.training_seconds
        return rest if rest >= 0 else None

    def value(self, column: str) -> float | None:
        """Return a number of the run by its column's name."""
        if column in {"duration_seconds", "training_seconds", "startup_seconds"}:
            return getattr(self, column)
        return self.values.get(column)

    def as_row(self) -> dict[str, Any]:
        """Return the run under the seed's column names."""
        row = {name: getattr(self, name) for name in (*FIRST, *TIMES)}
        return row | {f"tag_{name}": value for name, value in self.tags.items()} | self.values


def columns_of(records: Iterable[RunRecord]) -> list[str]:
    """Return the columns of all runs: the seed's in its order, then what it does not know.

    Example:
        >>> columns_of([RunRecord("p", "a", "completed", "x", values={"extra": 1.0, "metrics_loss": 2.0})])[7:]
        ['metrics_loss', 'extra', 'training_seconds', 'startup_seconds', 'training_seconds_source', 'note']
    """
    tags: set[str] = set()
    values: set[str] = set()
    for record in records:
        tags |= record.tags.keys()
        values |= record.values.keys()
    metrics = sorted(name for name in values if name.startswith("metrics_"))
    known = [name for name in LAST if name in values]
    rest = sorted(values - set(metrics) - set(known))
    return [*FIRST, *(f"tag_{name}" for name in sorted(tags)), *metrics, *known, *rest, *TIMES]


def numeric_columns(records: Iterable[RunRecord]) -> list[str]:
    """Return every column that holds a number in some run, sorted."""
    found: set[str] = set()
    times = {"duration_seconds", *TIMES[:2]}
    for record in records:
        found.update(name for name in record.values.keys() - found if record.values[name] is not None)
        found.update(name for name in times - found if record.value(name) is not None)
    return sorted(found)


def number(value: Any) -> float | None:
    """Return a finite number, None for anything else.

    Example:
        >>> number(3), number(True), number(float("nan")), number("3")
        (3, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, float | None]:
    """Return every number of nested maps by its path joined with `_`; None where it is not finite.

    Example:
        >>> flatten({"metrics": {"loss": 0.5}, "final_step": 3, "label": "x"})
        {'metrics_loss': 0.5, 'final_step': 3}
    """
    found: dict[str, float | None] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            found |= flatten(value, f"{name}_")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = number(value)
    return found
