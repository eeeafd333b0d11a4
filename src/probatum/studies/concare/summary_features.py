"""A stay as a row of numbers, for models without a sense of time: the reference that a network must beat."""

from __future__ import annotations

import numpy as np

from probatum.studies.concare.observations import Cohort, Floats

STATISTICS = ("first", "last", "min", "max", "mean", "std", "slope", "count", "hours_since_last")


def summary_features(cohort: Cohort) -> tuple[Floats, tuple[str, ...]]:
    """Return the features `(patients, features)` of raw observations, and their names.

    Per channel, over its observed hours: first, last, smallest, largest and mean value, standard deviation
    (of the population), least-squares slope per hour, number of observed hours, and hours since the last one
    at the end of the stay. Then the static columns, one indicator per static column (1 = missing), and the
    number of channels never observed. NaN stands where nothing was observed (and for the slope where fewer
    than two hours were); the count is 0 then, not NaN.

    Example:
        >>> from probatum.studies.concare.simulate import MIXED_ICU, simulate
        >>> features, names = summary_features(
        ...     simulate(patients=5, bins=48, seed=1, ward=MIXED_ICU, second_set=0.2))
        >>> features.shape, names[0], names[-1]
        ((5, 125), 'HR_first', 'channels_never_observed')
    """
    observed = np.isfinite(cohort.values)
    parts = channel_statistics(cohort.values, observed, cohort.lengths)
    stacked = np.stack([parts[name] for name in STATISTICS], axis=-1)  # (patients, channels, statistics)
    missing = np.isnan(cohort.static).astype(np.float64)
    never = (~observed.any(axis=1)).sum(axis=1, keepdims=True)
    features = np.concatenate([stacked.reshape(cohort.count, -1), cohort.static, missing, never], axis=1)
    names = (
        *(f"{channel}_{statistic}" for channel in cohort.channels for statistic in STATISTICS),
        *cohort.static_names,
        *(f"{name}_missing" for name in cohort.static_names),
        "channels_never_observed",
    )
    return features.astype(np.float64), names


def channel_statistics(values: Floats, observed: np.ndarray, lengths: np.ndarray) -> dict[str, Floats]:
    """Return each statistic `(patients, channels)` of `values` `(patients, bins, channels)`."""
    bins = np.arange(values.shape[1], dtype=np.float64)[None, :, None]
    count = observed.sum(axis=1)
    filled = np.where(observed, values, 0).astype(np.float64)
    seen = count > 0
    first = observed.argmax(axis=1)
    last = values.shape[1] - 1 - observed[:, ::-1].argmax(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=1) / count  # 0 / 0 is NaN: never observed
        mean_bin = (observed * bins).sum(axis=1) / count
        centred = np.where(observed, filled - mean[:, None], 0)
        spread_of_bins = np.where(observed, bins - mean_bin[:, None], 0)
        slope = (spread_of_bins * centred).sum(axis=1) / (spread_of_bins**2).sum(axis=1)
        std = np.sqrt((centred**2).sum(axis=1) / count)
    return {
        "first": np.take_along_axis(values, first[:, None], axis=1)[:, 0],
        "last": np.take_along_axis(values, last[:, None], axis=1)[:, 0],
        "min": np.where(seen, np.where(observed, values, np.inf).min(axis=1), np.nan),
        "max": np.where(seen, np.where(observed, values, -np.inf).max(axis=1), np.nan),
        "mean": mean,
        "std": std,
        "slope": slope,
        "count": count.astype(np.float64),
        "hours_since_last": np.where(seen, lengths[:, None] - 1.0 - last, np.nan),
    }
