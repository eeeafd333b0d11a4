from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from sklearn.metrics import roc_auc_score

from probatum._errors import UsageError
from probatum.perturbations.curves import damages, drop_area, robustness_curve
from probatum.perturbations.masks import generator
from probatum.perturbations.missingness import MECHANISMS
from probatum.perturbations.noise import GaussianNoise
from probatum.perturbations.truncation import ENDS

RANDOM = MECHANISMS["completely_at_random"]


def oracle(targets):
    """Return a model that knows the answer whatever it sees."""
    return lambda values: targets.astype(float)


def test_a_perfect_predictor_has_a_flat_curve_at_one(make_task):
    task = make_task()
    curve = robustness_curve(make_task(oracle(task.targets)), RANDOM, [0.2, 0.8])
    assert [point.metrics["auroc"] for point in curve.points] == [1, 1, 1]
    assert [point.intervals["auroc"] for point in curve.points] == [(1, 1)] * 3
    assert (curve.areas["auroc"].value, curve.areas["auroc"].interval) == (0, (0, 0))


def test_a_constant_predictor_has_a_flat_curve_at_chance(make_task):
    curve = robustness_curve(make_task(lambda values: np.zeros(len(values))), RANDOM, [0.2, 0.8])
    assert [point.metrics["auroc"] for point in curve.points] == [0.5] * 3
    assert [point.metrics["auprc"] for point in curve.points] == pytest.approx([1 / 3] * 3)


def test_without_any_observation_a_model_is_at_chance(make_task):
    curve = robustness_curve(make_task(), RANDOM, [1.0])
    assert curve.points[-1].metrics["auroc"] == 0.5
    assert curve.points[-1].achieved_rate == 1.0


def test_a_point_is_the_mean_over_masks_with_their_spread(make_task):
    task = make_task()
    curve = robustness_curve(task, RANDOM, [0.5], bootstrap=0)
    by_mask = []
    for mask in range(5):
        left = RANDOM.draw(task, generator(0, curve.digest, mask, RANDOM.name))(0.5)
        by_mask.append(roc_auc_score(task.targets, task.predict(left)))
    assert curve.points[1].metrics["auroc"] == pytest.approx(np.mean(by_mask))
    assert curve.points[1].mask_std["auroc"] == pytest.approx(np.std(by_mask, ddof=1))
    assert curve.points[0].mask_std["auroc"] is None  # one score, no spread


def test_the_interval_is_around_the_point(make_task):
    curve = robustness_curve(make_task(samples=200), RANDOM, [0.2, 0.6])
    for point in curve.points:
        interval = point.intervals["auroc"]
        assert interval is not None
        assert interval[0] < point.metrics["auroc"] < interval[1]


def test_the_curve_is_the_same_on_another_day(make_task):
    first, again = (robustness_curve(make_task(), RANDOM, [0.2], bootstrap=30) for _ in range(2))
    assert first.points == again.points
    assert np.array_equal(first.replicates["auroc"], again.replicates["auroc"])


def test_another_seed_is_another_family_of_masks(make_task):
    first, other = (robustness_curve(make_task(), RANDOM, [0.5], bootstrap=0, seed=seed) for seed in (0, 1))
    assert first.points[0] == other.points[0]
    assert first.points[1].metrics != other.points[1].metrics


@pytest.mark.parametrize(
    ("perturbation", "given", "expected"),
    [
        (RANDOM, [0.4, 0.2, 0.2], (0.0, 0.2, 0.4)),
        (ENDS["keep_latest"], [0.5, 0.75], (1.0, 0.75, 0.5)),
        (GaussianNoise(), [2.0, 0.5], (0.0, 0.5, 2.0)),
    ],
)
def test_strengths_run_from_no_damage_on_once_each(make_task, perturbation, given, expected):
    assert robustness_curve(make_task(), perturbation, given, bootstrap=0).strengths == expected


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), float("inf")])
def test_strengths_out_of_bounds_are_refused(make_task, strength):
    with pytest.raises(UsageError, match=r"`mask_rate` must be in \[0, 1\]"):
        robustness_curve(make_task(), RANDOM, [0.2, strength])


@pytest.mark.parametrize("wrong", [{"masks": 0}, {"bootstrap": -1}, {"confidence": 1.0}])
def test_counts_out_of_bounds_are_refused(make_task, wrong):
    with pytest.raises(UsageError, match=f"`{next(iter(wrong))}` must be"):
        robustness_curve(make_task(), RANDOM, [0.2], **wrong)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.05, 0.5), st.floats(0.05, 0.5))
def test_the_area_is_the_mean_drop(metric, first, second):
    damage = np.array([0.0, first, first + second])
    values = np.array(metric)
    expected = trapezoid(values[0] - values, damage) / damage[-1]
    assert drop_area(values, damage) == pytest.approx(expected, abs=1e-12)


def test_the_area_of_a_straight_line_does_not_depend_on_the_grid():
    damage = np.array([0.0, 0.1, 0.25, 0.8])
    assert drop_area(0.9 - 0.5 * damage, damage) == pytest.approx(0.5 * 0.8 / 2)


def test_damage_is_the_distance_from_doing_nothing():
    assert damages(1.0, [1.0, 0.5]).tolist() == [0.0, 0.5]


def test_a_single_point_has_no_area(make_task):
    area = robustness_curve(make_task(), RANDOM, [0.0]).areas["auroc"]
    assert (area.value, area.interval) == (None, None)


def test_a_metric_that_is_undefined_is_none_and_not_a_number(make_task):
    curve = robustness_curve(make_task(targets=np.zeros(60, int)), RANDOM, [0.2], bootstrap=20)
    assert curve.points[0].metrics["auroc"] is None
    assert curve.points[0].intervals["auroc"] is None
    assert curve.areas["auroc"].value is None


def test_without_resamples_there_are_no_intervals(make_task):
    curve = robustness_curve(make_task(), RANDOM, [0.2], bootstrap=0)
    assert curve.points[1].intervals == {"auroc": None, "auprc": None}
    assert curve.areas["auroc"].interval is None


def test_four_thousand_samples_are_a_matter_of_seconds(make_task):
    """A bootstrap that called the metric once per resample would take minutes: see the 10,000 calls."""
    calls = []

    class Counting:
        def __call__(self, targets, scores):
            calls.append(1)
            return 0.5

        def weighted(self, targets, scores, weights):
            calls.append(len(weights))
            return np.full(len(weights), 0.5)

    task = make_task(samples=4000, steps=2, channels=1, metrics={"auroc": Counting()})
    robustness_curve(task, RANDOM, [0.2, 0.4, 0.6, 0.8], bootstrap=500)
    assert len(calls) < 500
    assert sum(calls) == 21 * 500 + 21
