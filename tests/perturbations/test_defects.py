"""The defects e, g, h, i and j of the instrumentation before (concare.md 1.5): each is a test here."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.perturbations.curves import robustness_curve
from probatum.perturbations.masks import generator
from probatum.perturbations.missingness import MECHANISMS
from probatum.perturbations.task import PerturbationTask

RANDOM = MECHANISMS["completely_at_random"]


def carried_forward(values):
    """Return the values with the last observation carried forward, 0 before the first."""
    filled = values.copy()
    filled[:, 0] = np.nan_to_num(filled[:, 0])
    for step in range(1, values.shape[1]):
        gap = np.isnan(filled[:, step])
        filled[:, step][gap] = filled[:, step - 1][gap]
    return filled


def left_at(task, rate, mask=0):
    return RANDOM.draw(task, generator(0, "ab", mask, RANDOM.name))(rate)


@pytest.fixture
def distinct(make_task):
    """Return a task in which no two cells hold the same number."""
    values = np.arange(1.0, 1 + 20 * 10 * 3).reshape(20, 10, 3)
    values[np.random.default_rng(0).random(values.shape) < 0.5] = np.nan
    return make_task(
        samples=20, values=values, targets=np.arange(20) % 2, lengths=np.full(20, 10), channels=3
    )


def test_e_a_model_without_masks_as_inputs_has_its_curve_too(make_task):
    curve = robustness_curve(
        make_task(lambda values: carried_forward(values).sum(axis=(1, 2))), RANDOM, [0.5]
    )
    assert len(curve.points) == 2
    assert curve.points[1].metrics["auroc"] is not None


def test_g_a_dropped_value_is_in_no_later_step(distinct):
    left = left_at(distinct, 0.4)
    dropped = distinct.values[np.isnan(left) & ~np.isnan(distinct.values)]
    assert len(dropped) > 0
    assert not np.isin(dropped, carried_forward(left)).any()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.95, 1.0])
def test_h_a_channel_is_dropped_at_the_rate_however_often_it_is_observed(share):
    values = np.ones((300, 20, 1))
    values[np.random.default_rng(0).random(values.shape) >= share] = np.nan
    task = PerturbationTask(
        values, np.zeros(300), np.nanmax, {}, np.full(300, 20), ("heart rate",), "patients"
    )
    seen = ~np.isnan(values)
    assert np.isnan(left_at(task, 0.4)[seen]).mean() == pytest.approx(0.4, abs=0.06)


def test_i_what_was_dropped_looks_like_what_was_never_observed(distinct):
    """Data in which the dropped cells had never been recorded give the same inputs, bit for bit."""
    left = left_at(distinct, 0.4)
    never = np.where(np.isnan(left), np.nan, distinct.values)
    assert left.tobytes() == never.tobytes()


def test_j_masks_repeat_whatever_the_global_generator_did(distinct):
    np.random.seed(1)
    first = left_at(distinct, 0.4)
    np.random.seed(2)
    assert np.array_equal(left_at(distinct, 0.4), first, equal_nan=True)


def test_j_points_are_nested_repeatable_and_have_an_error_bar(distinct):
    low, high = left_at(distinct, 0.2), left_at(distinct, 0.6)
    assert np.all(np.isnan(high[np.isnan(low)]))
    curves = [robustness_curve(distinct, RANDOM, [0.2, 0.6]) for _ in range(2)]
    assert curves[0].points == curves[1].points
    assert all(point.intervals["auroc"] for point in curves[0].points)
