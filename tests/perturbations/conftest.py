"""Small tasks: irregular observations of a few channels, and models that read them in known ways."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.perturbations.rank_metrics import auprc, auroc
from probatum.perturbations.task import PerturbationTask


def sum_of_observed(values):
    """Return a score that shrinks as observations go."""
    return np.nansum(values, axis=(1, 2))


@pytest.fixture
def make_task():
    """Return a function that makes a task with an effect of the target on every value."""

    def make(predict=sum_of_observed, *, samples=60, steps=12, channels=4, effect=0.5, seed=0, **changes):
        random = np.random.default_rng(seed)
        targets = (np.arange(samples) % 3 == 0).astype(int)
        values = random.normal(size=(samples, steps, channels)) + effect * targets[:, None, None]
        lengths = random.integers(steps // 2, steps + 1, size=samples)
        values[random.random(values.shape) < 0.4] = np.nan
        values[np.arange(steps) >= lengths[:, None]] = np.nan
        parts = {
            "values": values, "targets": targets, "predict": predict,
            "metrics": {"auroc": auroc, "auprc": auprc}, "lengths": lengths,
            "channels": tuple(f"c{number}" for number in range(channels)), "unit": "patients",
        }  # fmt: skip
        return PerturbationTask(**{**parts, **changes})

    return make
