"""Mean and spread of every feature, learnt on training episodes; kept with the policy, not with the pack.

An entry that was not measured (mask 0) takes no part, and is 0, the mean, after `apply`. A feature that never
moved keeps the scale 1, so that it stays near 0 and a tiny spread is not blown up to noise.

Source: Chan, Golub and LeVeque 1983 (merging of means and sums of squares).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from probatum._errors import RecordError, UsageError

CONSTANT = 1e-6  # a spread below this share of the mean's size is rounding
LIMIT = 10.0  # spreads; an outlier of a new run must not swamp a network


class Normaliser:
    """Running mean and standard deviation per feature.

    Example:
        >>> normaliser = Normaliser(["a"])
        >>> normaliser.update(np.array([[1.0], [3.0], [99.0]]), np.array([[1], [1], [0]]))
        >>> normaliser.apply(np.array([[3.0], [99.0]]), np.array([[1], [0]])).tolist()
        [[1.0], [0.0]]
    """

    def __init__(self, names: list[str] | tuple[str, ...]) -> None:
        self.names = tuple(names)
        self.counts = np.zeros(len(names), np.int64)
        self.means = np.zeros(len(names))
        self._squares = np.zeros(len(names))  # sums of squared deviations

    @property
    def spreads(self) -> NDArray[np.float64]:
        """The population standard deviation of each feature; 1 where it never moved or was not measured."""
        spread = np.sqrt(self._squares / np.maximum(self.counts, 1))
        moves = spread > CONSTANT * np.maximum(np.abs(self.means), CONSTANT)
        return np.where(moves & (self.counts > 1), spread, 1.0)

    def update(self, values: NDArray[Any], mask: NDArray[Any]) -> None:
        """Learn from some rows: (rows, features).

        Raises:
            UsageError: the rows have another number of features.
        """
        self._refuse(values)
        known = np.asarray(mask) > 0
        numbers = np.where(known, values, 0.0).astype(np.float64)
        count = known.sum(axis=0)
        mean = numbers.sum(axis=0) / np.maximum(count, 1)
        squares = (np.where(known, numbers - mean, 0.0) ** 2).sum(axis=0)
        total = np.maximum(self.counts + count, 1)
        shift = mean - self.means
        self._squares += squares + shift**2 * self.counts * count / total
        self.means += shift * count / total
        self.counts += count

    def apply(self, values: NDArray[Any], mask: NDArray[Any]) -> NDArray[np.float32]:
        """Return rows in spreads from the mean, within `LIMIT`; 0 where the mask is 0.

        Raises:
            UsageError: the rows have another number of features.
        """
        self._refuse(values)
        scaled = (np.asarray(values, np.float64) - self.means) / self.spreads
        return np.where(np.asarray(mask) > 0, np.clip(scaled, -LIMIT, LIMIT), 0.0).astype(np.float32)

    def as_record(self) -> dict[str, Any]:
        """Return what was learnt as strict JSON takes it."""
        return {
            "names": list(self.names),
            "counts": self.counts.tolist(),
            "means": self.means.tolist(),
            "squares": self._squares.tolist(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the normaliser that `as_record` wrote.

        Raises:
            RecordError: its parts do not fit together.
        """
        found = cls(record["names"])
        found.counts = np.asarray(record["counts"], np.int64)
        found.means = np.asarray(record["means"], np.float64)
        found._squares = np.asarray(record["squares"], np.float64)
        wanted = (len(found.names),)
        if any(each.shape != wanted for each in (found.counts, found.means, found._squares)):
            raise RecordError(f"a normaliser of {wanted[0]} names has another number of means or spreads.")
        if not (np.isfinite(found.means).all() and np.isfinite(found._squares).all()):
            raise RecordError("a normaliser holds a number that is not finite.")
        return found

    def _refuse(self, values: NDArray[Any]) -> None:
        if np.ndim(values) != 2 or np.shape(values)[1] != len(self.names):
            raise UsageError(f"expected rows of {len(self.names)} features, got shape {np.shape(values)}.")
