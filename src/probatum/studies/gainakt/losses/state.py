"""What the objective remembers from epoch to epoch: weights that react, and the peak to defend."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class ObjectiveState:
    """Weights that adjust themselves and the validation correlations they react to."""

    alignment_weight: float
    consistency_weight: float
    sparsity_weight: float
    global_correlation: float | None = None  # of the last epoch: a fact not known yet, no setting
    peak: float | None = None
    low_variance_epochs: int = 0

    def rebalance(self, correlation: float, threshold: float, new_weight: float) -> None:
        """Lower the consistency weight for good where mastery does not follow the answers."""
        if correlation < threshold:
            self.consistency_weight = min(self.consistency_weight, new_weight)

    def watch_variance(self, *, is_low: bool, patience: int, factor: float) -> None:
        """Lower the sparsity weight after `patience` collapsed epochs in a row, and each one after."""
        self.low_variance_epochs = self.low_variance_epochs + 1 if is_low else 0
        if self.low_variance_epochs >= patience:
            self.sparsity_weight *= factor

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> ObjectiveState:
        """Return the state that `as_dict` gave; other entries are ignored."""
        return cls(**{field.name: state[field.name] for field in fields(cls)})
