"""Intervals over students."""

import numpy as np
import pytest

from probatum.studies.gainakt.bootstrap import interval_over_students


def interval(values, seed=1):
    return interval_over_students(np.array(values), resamples=2000, confidence_level=0.95, seed=seed)


def test_the_interval_is_near_the_t_interval_of_a_normal_sample():
    values = np.random.default_rng(3).normal(size=200)
    half = 1.972 * values.std(ddof=1) / np.sqrt(200)
    low, high = interval(values)
    assert low == pytest.approx(values.mean() - half, abs=0.03)
    assert high == pytest.approx(values.mean() + half, abs=0.03)


def test_students_without_a_defined_value_are_left_out():
    values = np.random.default_rng(3).normal(size=50)
    assert interval([*values, np.nan, np.nan]) == interval(values)


def test_the_seed_decides_and_the_global_generator_is_untouched():
    values = np.random.default_rng(3).normal(size=50)
    assert interval(values, 1) == interval(values, 1) != interval(values, 2)


@pytest.mark.parametrize("values", [[], [0.1], [0.1, 0.2], [0.3] * 10, [np.nan] * 10])
def test_too_few_or_equal_students_have_no_interval(values):
    assert interval(values) == (None, None)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    draw = np.random.default_rng(11)
    hits = 0
    for trial in range(200):
        low, high = interval_over_students(
            draw.normal(size=40), resamples=400, confidence_level=0.95, seed=trial
        )
        hits += low < 0 < high
    assert 0.89 <= hits / 200 <= 0.99
