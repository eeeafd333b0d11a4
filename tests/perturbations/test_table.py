from __future__ import annotations

import re

import numpy as np

from probatum.perturbations.curves import robustness_curve
from probatum.perturbations.missingness import MECHANISMS
from probatum.perturbations.rank_metrics import auprc, auroc
from probatum.perturbations.table import curves_table
from probatum.perturbations.task import PerturbationTask


def _curve():
    generator = np.random.default_rng(1)
    values = generator.normal(size=(40, 6, 1))
    task = PerturbationTask(
        values, np.arange(40) % 2, lambda left: np.nan_to_num(left).sum((1, 2)), {"auroc": auroc, "auprc": auprc},
        np.full(40, 6), ("hr",), "patients",
    )  # fmt: skip
    return robustness_curve(task, MECHANISMS["completely_at_random"], [0.5], bootstrap=50)


def test_a_row_states_strength_rate_and_every_metric_with_its_interval():
    title, head, clean, damaged, mean_drop = curves_table([_curve()]).splitlines()
    assert title.startswith("missingness, completely at random: n = 40 patients, 5 masks")
    assert head.split() == ["mask_rate", "achieved", "auroc", "auprc"]
    assert damaged.split()[0] == "0.5"
    assert mean_drop.startswith("   mean drop")
    assert clean.count("[") == 2


def test_columns_stay_apart_when_every_number_is_negative():
    assert not re.search(r"\]-?\d", curves_table([_curve()]))
