"""From raw observations to what a model is given; every constant is fitted on training patients.

Values: log1p where the channel is skewed, centre and scale of the observed training values, clipped, carried
forward; before the first observation 0, which is the training centre. The mask stays 0 or 1. A value that is
dropped from the raw observations is therefore gone from every bin of every tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from probatum._errors import UsageError
from probatum.studies.concare.observations import Cohort, Floats, Integers

IQR_OF_NORMAL = 1.3489795  # interquartile range of a standard normal: makes the robust scale comparable
SMALLEST_SCALE = 1e-6  # below it a channel is constant and is only centred


class Encoded(NamedTuple):
    """What `Preprocessing.transform` returns; the fields of `ICUBatch` of the same names."""

    values: Tensor
    mask: Tensor
    since: Tensor
    static: Tensor
    static_mask: Tensor


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """Constants fitted on training patients, and their application."""

    logged: np.ndarray  # (channels,) bool, whether log1p comes first
    centre: Floats  # (channels,)
    scale: Floats  # (channels,)
    static_centre: Floats  # (statics,)
    static_scale: Floats  # (statics,)
    clip: float  # largest normalised magnitude; 0 clips nothing

    @classmethod
    def fit(
        cls,
        training: Cohort,
        *,
        normalisation: Literal["zscore", "robust"],
        log_skewness: float,
        clip: float,
    ) -> Preprocessing:
        """Return the constants of the training patients' observed values.

        Args:
            training: the patients that train; nobody else.
            normalisation: `zscore` takes mean and standard deviation, `robust` median and interquartile
                range / 1.349.
            log_skewness: a channel with no negative value whose skewness (third standardised moment) exceeds
                this is taken as log(1 + x); 0 never. The rule looks at values alone, never at outcomes.
            clip: largest normalised magnitude; 0 clips nothing.
        """
        fitted = [_fit_channel(training.values[..., c], normalisation, log_skewness)
                  for c in range(len(training.channels))]  # fmt: skip
        logged, centre, scale = (np.array(column) for column in zip(*fitted, strict=True))
        static = [_fit_static(training.static[:, s]) for s in range(len(training.static_names))]
        static_centre, static_scale = np.array(static).reshape(-1, 2).T
        return cls(logged.astype(bool), centre, scale, static_centre, static_scale, clip)

    def transform(self, values: Floats, static: Floats, lengths: Integers | None = None) -> Encoded:
        """Return the tensors of raw observations, perturbed or not.

        Args:
            values: `(patients, bins, channels)`, NaN where nothing was observed.
            static: `(patients, statics)`, NaN where missing.
            lengths: `(patients,)`, bins that belong to the stay; later bins become padding, all 0.

        Raises:
            UsageError: the channels or static columns are not those that were fitted.

        Example:
            >>> fitted = Preprocessing(np.array([False]), np.array([10.0]), np.array([2.0]),
            ...     np.array([60.0]), np.array([20.0]), clip=0)
            >>> raw = np.array([[[np.nan], [12.0], [np.nan]]])
            >>> encoded = fitted.transform(raw, np.array([[np.nan]]))
            >>> encoded.values.ravel().tolist(), encoded.since.ravel().tolist()
            ([0.0, 1.0, 1.0], [1.0, 0.0, 1.0])
        """
        if values.shape[2:] != self.centre.shape or static.shape[1:] != self.static_centre.shape:
            raise UsageError(
                f"expected {len(self.centre)} channels and {len(self.static_centre)} static columns, as "
                f"fitted on training patients, got {values.shape[2:]} and {static.shape[1:]}."
            )
        inside = None
        if lengths is not None and (lengths < values.shape[1]).any():
            inside = (np.arange(values.shape[1]) < lengths[:, None])[..., None]  # (patients, bins, 1)
            values = np.where(inside, values, np.nan)
        normalised, observed = self._normalise(values)
        carried, since = carry_forward(normalised, observed)
        known = np.isfinite(static)
        with np.errstate(invalid="ignore"):
            demographics = (static - self.static_centre) / self.static_scale
        if inside is not None:
            carried, since = carried * inside, since * inside
        return Encoded(
            torch.from_numpy(carried),
            torch.from_numpy(observed.astype(np.float32)),
            torch.from_numpy(since),
            torch.from_numpy(np.where(known, self._clipped(demographics), 0).astype(np.float32)),
            torch.from_numpy(known.astype(np.float32)),
        )

    def record(self, cohort: Cohort) -> dict[str, Any]:
        """Return the constants by channel, for the provenance record."""
        channels: Mapping[str, Any] = {
            name: {"log1p": bool(log), "centre": float(centre), "scale": float(scale)}
            for name, log, centre, scale in zip(
                cohort.channels, self.logged, self.centre, self.scale, strict=True
            )
        }
        return {"fitted_on": "train", "clip": self.clip, "channels": channels}

    def _normalise(self, values: Floats) -> tuple[Floats, np.ndarray]:
        observed = np.isfinite(values)
        normalised = values.astype(np.float32)  # a copy: the raw observations stay as they are
        for channel in np.flatnonzero(self.logged):
            normalised[..., channel] = np.log1p(np.maximum(normalised[..., channel], 0))
        normalised -= self.centre.astype(np.float32)
        normalised /= self.scale.astype(np.float32)
        return self._clipped(normalised), observed

    def _clipped(self, values: Floats) -> Floats:
        return np.clip(values, -self.clip, self.clip) if self.clip else values


def carry_forward(values: Floats, observed: np.ndarray) -> tuple[Floats, Floats]:
    """Return the values with gaps filled by the last observation, and the hours since it, both float32.

    Before the first observation the value is 0 and the hours are those since admission at the end of the
    bin, t + 1. At an observed bin the hours are 0.

    Args:
        values: `(patients, bins, channels)`; unobserved cells may hold anything.
        observed: `(patients, bins, channels)` bool.
    """
    bins = np.arange(values.shape[1], dtype=np.int16)[None, :, None]
    last = np.where(observed, bins, np.int16(-1))
    np.maximum.accumulate(last, axis=1, out=last)  # bin of the latest observation, -1 before the first
    carried = np.take_along_axis(values, np.maximum(last, 0), axis=1)
    carried[last < 0] = 0
    return carried.astype(np.float32, copy=False), (bins - last).astype(np.float32)


def skewness(values: Floats) -> float:
    """Return the third standardised moment of the values; 0 where they do not vary.

    Example:
        >>> skewness(np.array([0.0, 0.0, 0.0, 1.0])) > 1
        True
    """
    centred = values - values.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    return float(np.mean(centred**3)) / spread**3 if spread > SMALLEST_SCALE else 0.0


def _fit_channel(column: Floats, normalisation: str, log_skewness: float) -> tuple[bool, float, float]:
    seen = column[np.isfinite(column)].astype(np.float64)
    if not len(seen):  # never observed in training: nothing to learn, the values pass unchanged
        return False, 0.0, 1.0
    logged = bool(log_skewness and seen.min() >= 0 and skewness(seen) > log_skewness)
    if logged:
        seen = np.log1p(seen)
    if normalisation == "robust":
        low, centre, high = np.quantile(seen, [0.25, 0.5, 0.75])
        scale = (high - low) / IQR_OF_NORMAL
    else:
        centre, scale = seen.mean(), seen.std()
    if scale <= SMALLEST_SCALE:  # a quarter range may vanish where the values still vary
        scale = seen.std()
    return logged, float(centre), float(scale) if scale > SMALLEST_SCALE else 1.0


def _fit_static(column: Floats) -> tuple[float, float]:
    seen = column[np.isfinite(column)].astype(np.float64)
    if not len(seen):
        return 0.0, 1.0
    is_indicator = bool(
        np.isin(seen, (0, 1)).all()
    )  # centred only: a rare type must not become a huge number
    scale = 1.0 if is_indicator else float(seen.std())
    return float(seen.mean()), scale if scale > SMALLEST_SCALE else 1.0
