"""The middle and the width of each channel, untouched by outliers and typing errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum.perturbations.task import Values

MAD_TO_STD = 1.482602218505602  # 1 / Phi^-1(3/4): of a normal distribution
IQR_TO_STD = 0.7413011092528009  # 1 / (2 Phi^-1(3/4))


def channel_spread(
    values: Values, observed: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median and the robust standard deviation of each channel, in the channel's own unit.

    1.4826 times the median absolute deviation; where more than half of the values are equal, 0.7413 times
    the interquartile range; where that is 0 too, as for rare events, the standard deviation. A constant or
    never observed channel has spread 0.

    Args:
        values: `(samples, steps, channels)`.
        observed: which of them count, of the same shape.

    Source:
        Rousseeuw and Croux 1993, Alternatives to the Median Absolute Deviation.

    Example:
        >>> values = np.array([1.0, 2.0, 3.0, 4.0, 1000.0]).reshape(1, 5, 1)
        >>> centre, spread = channel_spread(values, np.ones_like(values, bool))
        >>> centre.tolist(), spread.round(4).tolist()
        ([3.0], [1.4826])
    """
    centre, spread = np.zeros(values.shape[2]), np.zeros(values.shape[2])
    for channel in range(values.shape[2]):
        seen = values[:, :, channel][observed[:, :, channel]].astype(np.float64)
        if len(seen):
            centre[channel] = np.median(seen)
            spread[channel] = _width(seen, centre[channel])
    return centre, spread


def _width(seen: NDArray[Any], centre: float) -> float:
    width = MAD_TO_STD * float(np.median(np.abs(seen - centre)))
    if width == 0:
        low, high = np.quantile(seen, [0.25, 0.75])
        width = IQR_TO_STD * float(high - low)
    if width == 0 and np.ptp(seen) > 0:  # the deviation of equal numbers may differ from 0 by rounding
        width = float(seen.std())
    return width
