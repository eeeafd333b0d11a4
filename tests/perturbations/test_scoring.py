from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probatum._errors import UsageError
from probatum.perturbations.curves import robustness_curve
from probatum.perturbations.missingness import MECHANISMS
from probatum.perturbations.noise import GaussianNoise
from probatum.perturbations.truncation import ENDS

RANDOM = MECHANISMS["completely_at_random"]


class Spy:
    """A model that keeps what it was asked about, and spoils it."""

    def __init__(self):
        self.seen = []

    def __call__(self, values):
        self.seen.append(values.copy())
        scores = np.nansum(values, axis=(1, 2))
        values[:] = 0
        return scores


def test_two_models_see_the_same_damaged_observations(make_task):
    spies = Spy(), Spy()
    for spy in spies:
        robustness_curve(make_task(spy), RANDOM, [0.0, 0.2, 0.4], bootstrap=0)
    assert len(spies[0].seen) == 1 + 2 * 5
    assert all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(spies[0].seen, spies[1].seen, strict=True)
    )


def test_a_rate_gets_the_same_masks_in_another_grid(make_task):
    spies = Spy(), Spy()
    robustness_curve(make_task(spies[0]), RANDOM, [0.4], bootstrap=0)
    robustness_curve(make_task(spies[1]), RANDOM, [0.1, 0.4], bootstrap=0)
    pairs = zip(spies[0].seen[1:], spies[1].seen[2::2], strict=True)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def test_a_model_that_writes_into_its_input_spoils_nothing(make_task):
    task = make_task(Spy())
    before = task.values.copy()
    robustness_curve(task, RANDOM, [0.2], bootstrap=0)
    assert np.array_equal(task.values, before, equal_nan=True)
    assert np.array_equal(task.predict.seen[0], before, equal_nan=True)


def test_masks_differ_from_each_other(make_task):
    task = make_task(Spy())
    robustness_curve(task, RANDOM, [0.5], bootstrap=0)
    damaged = [np.isnan(values).tobytes() for values in task.predict.seen[1:]]
    assert len(set(damaged)) == 5


def test_the_untouched_observations_are_scored_once_and_truncation_has_one_mask(make_task):
    task = make_task(Spy())
    curve = robustness_curve(task, ENDS["keep_latest"], [1.0, 0.5], bootstrap=0)
    assert len(task.predict.seen) == 2
    assert [point.masks for point in curve.points] == [1, 1]


def test_known_clean_scores_are_not_asked_for_again(make_task):
    task = make_task(Spy())
    robustness_curve(task, RANDOM, [0.5], bootstrap=0, clean_scores=np.arange(60.0))
    assert len(task.predict.seen) == 5


def test_progress_counts_predictions(make_task):
    seen = []
    robustness_curve(make_task(), RANDOM, [0.2, 0.4], bootstrap=0, progress=lambda *at: seen.append(at))
    assert seen == [(done, 11) for done in range(1, 12)]


def test_requested_and_achieved_rates_are_both_said(make_task):
    points = robustness_curve(make_task(samples=200), RANDOM, [0.3], bootstrap=0).points
    assert [point.requested_rate for point in points] == [0.0, 0.3]
    assert [point.achieved_rate for point in points] == pytest.approx([0.0, 0.3], abs=0.02)


def test_the_achieved_rate_of_truncation_is_counted_and_not_assumed(make_task):
    task = make_task(
        values=np.ones((2, 4, 1)), targets=np.array([0, 1]), lengths=np.array([4, 4]), channels=1
    )
    task.values[:, 2:] = np.nan  # everything stands in the first half
    points = robustness_curve(task, ENDS["keep_earliest"], [0.5], bootstrap=0).points
    assert [point.achieved_rate for point in points] == [0.0, 0.0]


def test_noise_has_no_rates(make_task):
    points = robustness_curve(make_task(), GaussianNoise(), [1.0], bootstrap=0).points
    assert {point.requested_rate for point in points} | {point.achieved_rate for point in points} == {None}


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        (lambda values: np.zeros(3), r"one score per sample, shape \(60,\), got \(3,\)"),
        (lambda values: values[:, 0, 0], r"returned NaN for \d+ of 60 patients"),
    ],
)
def test_scores_that_cannot_be_used_are_refused(make_task, predict, message):
    with pytest.raises(UsageError, match=message):
        robustness_curve(make_task(predict), RANDOM, [0.5])


def test_all_parts_that_do_not_fit_are_named_at_once(make_task):
    task = replace(make_task(), targets=np.zeros(3), channels=("a",), lengths=np.full(60, 99), metrics={})
    with pytest.raises(UsageError, match=r"`targets`.*`channels`.*`lengths`.*`metrics`"):
        robustness_curve(task, RANDOM, [0.5])


def test_values_without_three_axes_are_refused(make_task):
    with pytest.raises(UsageError, match=r"\(samples, steps, channels\), got shape \(4,\)"):
        robustness_curve(replace(make_task(), values=np.zeros(4)), RANDOM, [0.5])
