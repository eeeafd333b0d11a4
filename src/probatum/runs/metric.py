"""What a metric is: its direction, range, unit and tolerance are data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

ToleranceMode = Literal["strict", "standard"]


@dataclass(frozen=True)
class MetricDefinition:
    """The definition of one metric, sealed in the record before the first step.

    Example:
        >>> auc = MetricDefinition("val_auc", "Best Val AUC", True, 0.0, 1.0, 0.0002, 0.002, "", "Area")
        >>> auc.is_better(0.8, 0.7), auc.tolerance("strict")
        (True, 0.0002)
    """

    name: str  # the column of metrics_epoch.csv
    label: str  # what tables call it
    higher_is_better: bool
    lower: float | None  # smallest possible value; None when unbounded
    upper: float | None
    strict_tolerance: float  # largest difference that passes with mixed precision off
    standard_tolerance: float  # ... with mixed precision on
    unit: str  # empty when without unit
    description: str

    def is_better(self, value: float, than: float) -> bool:
        """Return whether `value` is strictly better than `than`."""
        return value > than if self.higher_is_better else value < than

    def tolerance(self, mode: ToleranceMode) -> float:
        """Return the largest absolute difference that passes in `mode`."""
        return self.strict_tolerance if mode == "strict" else self.standard_tolerance

    def as_record(self) -> dict[str, Any]:
        """Return the definition as it stands in `config.json`."""
        return dict(self.__dict__)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> MetricDefinition:
        """Return the definition that `as_record` wrote."""
        return cls(**record)
