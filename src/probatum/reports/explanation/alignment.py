"""Epochs of two sides set beside each other: from the first epoch of training proper, where both say which it is.

A child that pretrains first would else be compared, epoch by epoch, with a parent that trains already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probatum.reports.explanation.sides import Side
from probatum.signals.reading import Artifact

TRAINING = "training"


@dataclass(frozen=True)
class Alignment:
    """How many epochs stand before the training proper of each side; 0 and 0 where none are left out."""

    parent: int = 0
    child: int = 0

    @property
    def is_shifted(self) -> bool:
        """Whether epoch 1 of one side is not epoch 1 of the other."""
        return self.parent != self.child

    def as_record(self) -> dict[str, Any]:
        """Return the alignment as plain values."""
        on = "first epoch of training" if self.is_shifted else "epoch"
        return {"on": on, "epochs_before_parent": self.parent, "epochs_before_child": self.child}


def align(parent: Side, child: Side) -> Alignment:
    """Return the alignment that the recorded phases give; none where a side states no phase or seeds disagree."""
    leads = []
    for side in (parent, child):
        found = {lead(rows) for rows in side.trajectories.values()}
        if len(found) != 1 or None in found:
            return Alignment()
        leads.append(found.pop() or 0)
    return Alignment(*leads) if leads[0] != leads[1] else Alignment()


def lead(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """Return how many epochs stand before the first whose phase is `training`; None where no phase is stated.

    Example:
        >>> lead([{"epoch": 1, "phase": "pretraining"}, {"epoch": 2, "phase": "training"}]), lead([{"epoch": 1}])
        (1, None)
    """
    phases = [row.get("phase") for row in rows]
    return phases.index(TRAINING) if TRAINING in phases else None


def shifted(artifact: Artifact, before: int) -> Artifact:
    """Return an artifact without its first epochs, the others counted from 1."""
    if not before:
        return artifact
    epochs = [
        {**record, "epoch": record["epoch"] - before}
        for record in artifact.epochs
        if record["epoch"] > before
    ]
    return Artifact(artifact.path, {**artifact.document, "signal_check": {"epochs": epochs}})


def from_first(rows: Sequence[Mapping[str, Any]], before: int) -> dict[int, Mapping[str, Any]]:
    """Return rows by epoch, counted from the first that is compared.

    Example:
        >>> from_first([{"epoch": 1}, {"epoch": 2, "x": 5}], 1)
        {1: {'epoch': 2, 'x': 5}}
    """
    return {row["epoch"] - before: row for row in rows if row["epoch"] > before}
