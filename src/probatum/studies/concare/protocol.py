"""Who trains, who validates, who is tested: by patient, stratified by outcome, from a seed of its own.

`official`: the first set trains and validates, all other sets test, as the owners of the data divided them
(PhysioNet 2012: set a and set b; the MIMIC-III benchmark: train and test). `pooled`: all sets together are
divided anew; with a `val_share` and `test_share` of 0.1 this is the 8:1:1 of SMART (Yu et al. 2024, NeurIPS).

Stratified: within each outcome the shares are the same up to one patient. The training seed plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from probatum._errors import ParameterError, RecordError
from probatum.studies.concare.observations import Cohort, Integers

SPLIT_NAMES = ("train", "valid", "test")


@dataclass(frozen=True)
class Protocol:
    """The rules of a split; every value is the study's parameter."""

    name: Literal["official", "pooled"]
    val_share: float  # of the patients that do not test (official) or of all (pooled)
    test_share: float  # of all patients (pooled); official sets are not divided by it
    split_seed: int

    def __post_init__(self) -> None:
        """Refuse shares that leave nobody to train."""
        held_out = self.val_share + (self.test_share if self.name == "pooled" else 0)
        if not 0 < self.val_share < 1 or not 0 < self.test_share < 1 or held_out >= 1:
            raise ParameterError(
                "`val_share` and `test_share` must lie in (0, 1) and leave patients to train, got "
                f"{self.val_share} and {self.test_share} under the protocol {self.name!r}."
            )


def split_rows(cohort: Cohort, protocol: Protocol) -> dict[str, Integers]:
    """Return the rows of the patients named `train`, `valid` and `test`, each in the order of the cohort.

    A set named `valid` validates under the official protocol, as the MIMIC-III benchmark divides it.

    Raises:
        RecordError: a split would be empty, or the official protocol is asked of a single set.
    """
    rows = _official(cohort, protocol) if protocol.name == "official" else _pooled(cohort, protocol)
    for name in SPLIT_NAMES:
        if not len(rows[name]):
            raise RecordError(
                f"the {name} split is empty: expected at least one patient, got {cohort.count} in all "
                f"under {protocol}. Choose other shares or more data."
            )
    return rows


def stratified(targets: np.ndarray, rows: Integers, share: float, draw: np.random.Generator) -> Integers:
    """Return a `share` of `rows`, drawn within each outcome, in order.

    Example:
        >>> targets = np.array([1, 0, 0, 0, 1, 0, 0, 0])
        >>> chosen = stratified(targets, np.arange(8), 0.5, np.random.default_rng(1))
        >>> len(chosen), int(targets[chosen].sum())
        (4, 1)
    """
    parts = []
    for outcome in np.unique(targets[rows]):
        members = draw.permutation(rows[targets[rows] == outcome])
        parts.append(members[: round(len(members) * share)])
    return np.sort(np.concatenate(parts))


def _official(cohort: Cohort, protocol: Protocol) -> dict[str, Integers]:
    names = list(dict.fromkeys(cohort.sets.tolist()))
    if len(names) < 2:
        raise RecordError(
            f"the official protocol trains on one set and tests on another: expected two sets, got {names}. "
            "Give the second one, or choose the protocol 'pooled'."
        )
    first = np.flatnonzero(cohort.sets == names[0])
    if "valid" in names:
        valid = np.flatnonzero(cohort.sets == "valid")
    else:
        draw = np.random.default_rng(protocol.split_seed)
        valid = stratified(cohort.targets, first, protocol.val_share, draw)
    test = np.flatnonzero(~np.isin(cohort.sets, [names[0], "valid"]))
    return {"train": np.setdiff1d(first, valid), "valid": valid, "test": test}


def _pooled(cohort: Cohort, protocol: Protocol) -> dict[str, Integers]:
    draw = np.random.default_rng(protocol.split_seed)
    everyone = np.arange(cohort.count)
    test = stratified(cohort.targets, everyone, protocol.test_share, draw)
    others = np.setdiff1d(everyone, test)
    valid = stratified(cohort.targets, others, protocol.val_share / (1 - protocol.test_share), draw)
    return {"train": np.setdiff1d(others, valid), "valid": valid, "test": test}
