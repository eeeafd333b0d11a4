"""One epoch for people and machines: what the probe saw, the loop's scalars, and what the epochs before say.

A quantity that was not measured is absent; a scalar that came out as NaN or infinity is None and counted in
`non_finite`. Everything that looks back (plateau, best, health) includes the current epoch.

Source: seed 004, DiagnosticTracker; the keys of the record are those of its snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from probatum._names import unknown

TABLES = frozenset(  # what stands beside the snapshot in an artifact, with its spread
    {
        "gradient_stats",
        "weight_norms",
        "update_ratios",
        "activation_stats",
        "attention_stats",
        "head_stats",
        "per_class_accuracy",
        "per_class_loss",
        "per_class_counts",
        "confusion",
    }
)
ALWAYS = frozenset(
    {
        "epoch",
        "train_loss",
        "val_loss",
        "val_accuracy",
        "train_val_gap",
        "narrative",
        "red_flags",
        "opportunities",
    }
)  # keys that a record has even where nothing was measured


@dataclass(frozen=True)
class PrimaryMetric:
    """The metric that decides which epoch is best, with its direction."""

    name: str
    value: float | None
    higher_is_better: bool


@dataclass(frozen=True)
class EpochMetrics:
    """The scalars that a training loop knows of an epoch."""

    epoch: int  # counted from 1
    train_loss: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    train_accuracy: float | None = None
    primary: PrimaryMetric | None = None  # else val_accuracy, else val_loss
    global_step: int | None = None
    accuracy_upper: float = 1.0  # 100 where accuracies are percentages


@dataclass(frozen=True)
class Finding:
    """A red flag or an opportunity with the numbers behind it."""

    name: str  # the flag
    rule: str
    kind: str  # red_flag, opportunity
    target: str | None  # layer or class; None for the whole run
    value: float
    compare: str
    threshold: float  # in the unit of `value`
    reference: float | None  # what a relative threshold is a multiple of
    relative_to: str | None
    window: int
    patience: int
    evidence_epochs: int  # epochs of the window in which the signal was measured
    wording: str
    evidence: tuple[str, ...]
    remedy: str
    source: str

    def as_record(self) -> dict[str, Any]:
        """Return the finding as strict JSON takes it."""
        return {**self.__dict__, "evidence": list(self.evidence)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Finding:
        """Return the finding that `as_record` wrote."""
        return cls(**{**record, "evidence": tuple(record["evidence"])})


@dataclass(frozen=True)
class Snapshot:
    """One epoch; None and empty mean "not measured"."""

    epoch: int
    train_loss: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    train_val_gap: float | None = None  # val_loss - train_loss
    relative_gap: float | None = None  # the gap over |train_loss|
    train_accuracy: float | None = None
    accuracy_share: float | None = None  # val_accuracy over its upper bound
    primary: dict[str, Any] | None = None  # name, value, higher_is_better
    global_step: int | None = None
    plateau_length: int | None = None  # epochs up to and with this one whose val_loss equals this one's
    plateau_epochs: int | None = None  # epochs since the accuracy last rose by half a point
    best_val_loss: float | None = None
    best_val_accuracy: float | None = None
    best_primary: float | None = None
    best_epoch: int | None = None  # by the primary metric
    epochs_since_best: int | None = None
    val_loss_range: float | None = None  # (max - min) over the median |val_loss| of the last five epochs
    gradient_stats: dict[str, dict[str, float | None]] = field(default_factory=dict)
    gradient_health: dict[str, Any] | None = None
    gradient_spread: float | None = None  # largest over smallest layer norm
    weight_norms: dict[str, float | None] = field(default_factory=dict)
    update_ratios: dict[str, float | None] = field(default_factory=dict)
    activation_stats: dict[str, dict[str, float | None]] = field(default_factory=dict)
    attention_stats: dict[str, dict[str, float | None]] = field(default_factory=dict)
    head_stats: dict[str, dict[str, float | None]] = field(default_factory=dict)
    per_class_accuracy: dict[str, float | None] = field(default_factory=dict)
    per_class_loss: dict[str, float | None] = field(default_factory=dict)
    per_class_counts: dict[str, float | None] = field(default_factory=dict)
    class_variance: float | None = None  # population variance of the per-class accuracies
    class_range: float | None = None  # best minus worst class accuracy
    class_count_ratio: float | None = None  # most over least frequent class
    confusion: list[list[float | None]] | None = None
    sharpness: float | None = None
    sharpness_se: float | None = None
    top_eigenvalue: float | None = None
    trace: float | None = None
    loss_noise: float | None = None  # standard deviation of the batch losses
    gradient_noise_scale: float | None = None
    non_finite: dict[str, int] = field(default_factory=dict)  # {what: how many values were NaN or infinite}
    narrative: str = ""
    red_flags: tuple[str, ...] = ()
    opportunities: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """Return the snapshot as strict JSON takes it: what was not measured is left out."""
        record: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        record["red_flags"], record["opportunities"] = list(self.red_flags), list(self.opportunities)
        record["findings"] = [finding.as_record() for finding in self.findings]
        return {
            name: value for name, value in record.items() if name in ALWAYS or value not in (None, {}, [])
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Snapshot:
        """Return the snapshot that `as_record` wrote.

        Raises:
            ValueError: a key is unknown or `epoch` is missing.
        """
        known = {item.name for item in fields(cls)}
        for name in record:
            if name not in known:
                raise ValueError(unknown("key of a snapshot", name, known))
        if "epoch" not in record:
            raise ValueError("a snapshot states its `epoch`; this one does not.")
        values = dict(record)
        for name in ("red_flags", "opportunities"):
            values[name] = tuple(values.get(name, ()))
        values["findings"] = tuple(Finding.from_record(item) for item in values.get("findings", ()))
        return cls(**values)
