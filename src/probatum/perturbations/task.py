"""What a robustness curve needs of a model and its data: raw observations and a way to score them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]  # (samples, steps, channels); NaN where nothing was observed
Score = Callable[[NDArray[Any], NDArray[Any]], float]  # targets (samples,), scores (samples,) -> metric


@dataclass(frozen=True)
class PerturbationTask:
    """Raw observations, before imputation and normalisation, with what turns them into scores.

    A value that is dropped from `values` is dropped everywhere: `predict` imputes and normalises what is left.
    """

    values: Values  # (samples, steps, channels)
    targets: NDArray[Any]  # (samples,)
    predict: Callable[[Values], NDArray[Any]]  # values -> scores (samples,)
    metrics: Mapping[str, Score]  # {"auroc": ..., "auprc": ...}; higher is better
    lengths: NDArray[np.integer[Any]]  # (samples,) steps before the padding
    channels: tuple[str, ...]  # names
    unit: str  # what a sample is: "patients", "students"
