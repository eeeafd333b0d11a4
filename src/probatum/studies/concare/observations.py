"""A cohort of ICU stays as it was observed: hourly bins with gaps, before any imputation or normalisation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum._errors import RecordError

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

MINUTES_PER_BIN = 60


@dataclass(frozen=True, eq=False)
class Truth:
    """What a simulated cohort knows and a real one does not."""

    severity: Floats  # (patients, bins), in standard deviations of the population at admission
    death_probability: Floats  # (patients,), behind each outcome
    rate: Floats  # (patients, bins, panels), orders per hour


@dataclass(frozen=True, eq=False)
class Cohort:
    """Stays on an hourly grid; a gap is NaN, in the values and in the static columns.

    Sources that write -1 for missing, as PhysioNet 2012 does, are translated by their reader.
    """

    ids: tuple[str, ...]
    values: Floats  # (patients, bins, channels) float32; the last value of an hour; NaN = not observed
    channels: tuple[str, ...]
    static: Floats  # (patients, statics) float32; NaN = missing
    static_names: tuple[str, ...]
    targets: Floats  # (patients,) float32; 1 = died in hospital
    lengths: Integers  # (patients,) bins that belong to the stay
    sets: NDArray[np.str_]  # (patients,) the source's own part: "a", "b", "train", "test"
    truth: Truth | None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together."""
        patients, bins, channels = self.values.shape
        shapes = {
            "ids": (len(self.ids), patients),
            "channels": (len(self.channels), channels),
            "static": (self.static.shape, (patients, len(self.static_names))),
            "targets": (self.targets.shape, (patients,)),
            "lengths": (self.lengths.shape, (patients,)),
            "sets": (self.sets.shape, (patients,)),
        }
        mistakes = [f"{name} {came}, expected {due}" for name, (came, due) in shapes.items() if came != due]
        if len(set(self.ids)) < len(self.ids):
            mistakes.append("an id stands twice; a patient must not be on two sides of a split")
        if mistakes:
            raise RecordError(
                f"cohort of {patients} patients, {bins} bins, {channels} channels: {'; '.join(mistakes)}."
            )

    @property
    def count(self) -> int:
        """Return the number of stays."""
        return len(self.ids)

    @property
    def positive_rate(self) -> float:
        """Return the share of stays that ended in death."""
        return float(self.targets.mean(dtype=np.float64))

    @property
    def observed_share(self) -> float:
        """Return the share of the cells (bin by channel) of the stays that hold a value."""
        return float(np.isfinite(self.values).sum() / (self.lengths.sum() * len(self.channels)))

    def take(self, rows: Integers) -> Cohort:
        """Return the cohort of the patients in `rows`, in that order."""
        truth = self.truth and Truth(
            self.truth.severity[rows], self.truth.death_probability[rows], self.truth.rate[rows]
        )
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            values=self.values[rows],
            static=self.static[rows],
            targets=self.targets[rows],
            lengths=self.lengths[rows],
            sets=self.sets[rows],
            truth=truth,
        )

    def digest(self) -> str:
        """Return the SHA-256 of what was observed: names, ids, values, static columns, lengths, outcomes."""
        hasher = hashlib.sha256("\x1f".join((*self.channels, *self.static_names, *self.ids)).encode())
        for array, kind in ((self.values, "<f4"), (self.static, "<f4"), (self.targets, "<f4")):
            hasher.update(np.ascontiguousarray(array, dtype=kind).tobytes())
        hasher.update(np.ascontiguousarray(self.lengths, dtype="<i8").tobytes())
        return hasher.hexdigest()


def join(cohorts: Sequence[Cohort]) -> Cohort:
    """Return one cohort of several with the same channels and static columns; truths are dropped.

    Raises:
        RecordError: the columns differ, or a patient stands in two of them.
    """
    first = cohorts[0]
    for other in cohorts[1:]:
        if (other.channels, other.static_names) != (first.channels, first.static_names):
            raise RecordError(
                f"cohorts can be joined when their columns agree: expected {first.channels} and "
                f"{first.static_names}, got {other.channels} and {other.static_names}."
            )
    return replace(
        first,
        ids=tuple(name for cohort in cohorts for name in cohort.ids),
        values=np.concatenate([cohort.values for cohort in cohorts]),
        static=np.concatenate([cohort.static for cohort in cohorts]),
        targets=np.concatenate([cohort.targets for cohort in cohorts]),
        lengths=np.concatenate([cohort.lengths for cohort in cohorts]),
        sets=np.concatenate([cohort.sets for cohort in cohorts]),
        truth=None,
    )


def grid(
    rows: Integers,
    minutes: Floats | Integers,
    columns: Integers,
    values: Floats,
    *,
    shape: tuple[int, int, int],
) -> Floats:
    """Return irregular observations on an hourly grid, `(patients, bins, channels)` float32.

    Bin t holds minutes 60 t to 60 t + 59. The last value of a bin wins; of two at the same minute, the one
    that stands later in the source. What lies outside the bins is left out, so bin t never sees the future.

    Args:
        rows: `(events,)`, patient.
        minutes: `(events,)`, since admission.
        columns: `(events,)`, channel.
        values: `(events,)`; NaN is no observation.
        shape: patients, bins, channels.

    Example:
        >>> one = np.zeros(3, dtype=int)
        >>> grid(one, np.array([59, 10, 60]), one, np.array([2.0, 1.0, 3.0]), shape=(1, 2, 1)).ravel()
        array([2., 3.], dtype=float32)
    """
    bins = np.floor_divide(minutes, MINUTES_PER_BIN).astype(np.int64)
    inside = np.flatnonzero((bins >= 0) & (bins < shape[1]) & ~np.isnan(values))
    ordered = inside[np.argsort(minutes[inside], kind="stable")]
    cells = np.full(shape, np.nan, dtype=np.float32)
    cells[rows[ordered], bins[ordered], columns[ordered]] = values[
        ordered
    ]  # of repeated cells the last stays
    return cells
