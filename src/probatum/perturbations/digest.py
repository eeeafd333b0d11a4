"""The identity of a task's data: what seeds masks and resamples, and what two curves must share."""

from __future__ import annotations

import hashlib

import numpy as np

from probatum.perturbations.task import PerturbationTask


def data_digest(task: PerturbationTask) -> str:
    """Return the SHA-256 of values, targets, lengths and channel names, in hexadecimal.

    The model has no part in it: two models on the same data get the same masks and the same resamples.
    Every NaN counts as the same NaN and -0 as 0; the type of the numbers does not matter where it holds
    them exactly.

    Example:
        >>> values = np.array([[[1.0], [np.nan]]])
        >>> def task(model):
        ...     return PerturbationTask(values, np.array([1]), model, {}, np.array([2]), ("hr",), "patients")
        >>> data_digest(task(np.nanmax)) == data_digest(task(np.nanmin))
        True
    """
    digest = hashlib.sha256(repr((task.values.shape, task.channels)).encode())
    for sample in task.values:  # one at a time: the data may be large
        plain = np.asarray(sample, dtype="<f8") + 0.0  # a copy, in which -0 has become 0
        plain[np.isnan(plain)] = np.nan
        digest.update(plain.tobytes())
    digest.update(np.asarray(task.targets, dtype="<f8").tobytes())
    digest.update(np.asarray(task.lengths, dtype="<i8").tobytes())
    return digest.hexdigest()
