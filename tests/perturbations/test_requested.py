from __future__ import annotations

import numpy as np

from probatum.perturbations.request import CurveRequest
from probatum.perturbations.requested import requested_curves
from probatum.perturbations.table import curves_table

REQUEST = CurveRequest(
    mask_rates=(0.4,),
    keep_ratios=(0.5,),
    noise_scales=(1.0,),
    mechanisms=("by_block", "by_channel"),
    resamples=5,
)


def test_each_mechanism_end_and_noise_has_a_curve(make_task):
    curves = requested_curves(make_task(), REQUEST)
    assert [(curve.kind, curve.name) for curve in curves] == [
        ("missingness", "by_block"), ("missingness", "by_channel"), ("truncation", "keep_earliest"),
        ("noise", "gaussian"),
    ]  # fmt: skip


def test_all_curves_start_at_the_same_point(make_task):
    starts = [curve.points[0] for curve in requested_curves(make_task(), REQUEST)]
    assert all(start.metrics == starts[0].metrics for start in starts)
    assert all(start.intervals == starts[0].intervals for start in starts)


def test_the_untouched_observations_are_scored_once_for_all_curves(make_task):
    asked = []

    def predict(values):
        asked.append(values)
        return np.nansum(values, axis=(1, 2))

    requested_curves(make_task(predict), REQUEST)
    assert len(asked) == 1 + 5 + 5 + 1 + 5


def test_progress_names_the_curve(make_task):
    seen = []
    requested_curves(make_task(), REQUEST, lambda name, done, total: seen.append((name, done, total)))
    assert seen[5] == ("missingness by_block", 6, 6)
    assert seen[-1] == ("noise gaussian", 6, 6)


def test_the_table_shows_rates_metrics_intervals_and_mean_drop(make_task):
    text = curves_table(requested_curves(make_task(), REQUEST))
    assert text.isascii()
    assert "missingness, by block: n = 60 patients, 5 masks, 95% intervals" in text
    assert "truncation, keep earliest: n = 60 patients, 1 mask," in text
    assert text.count("mean drop") == 4
    assert max(map(len, text.splitlines())) <= 100
