from __future__ import annotations

import numpy as np
import pytest

from probatum.perturbations.masks import generator, observed_cells
from probatum.perturbations.noise import GaussianNoise
from probatum.perturbations.task import PerturbationTask


def noisy(values, scale, mask=0):
    samples, steps, channels = values.shape
    task = PerturbationTask(
        values, np.zeros(samples), np.nanmax, {}, np.full(samples, steps), ("c",) * channels, "patients"
    )
    return GaussianNoise().draw(task, generator(0, "ab", mask, "gaussian"))(scale)


def test_noise_is_in_units_of_each_channels_spread():
    values = np.random.default_rng(0).normal([0.0, 50.0], [1.0, 20.0], size=(200, 50, 2))
    added = noisy(values, 0.5) - values
    np.testing.assert_allclose(added.std(axis=(0, 1)), [0.5, 10.0], rtol=0.05)


def test_what_was_not_observed_stays_so(make_task):
    task = make_task()
    disturbed = GaussianNoise().draw(task, generator(0, "ab", 0, "gaussian"))(1.0)
    assert np.array_equal(np.isnan(disturbed), np.isnan(task.values))
    assert not np.any(disturbed[observed_cells(task)] == task.values[observed_cells(task)])


def test_scale_zero_changes_nothing():
    values = np.random.default_rng(0).normal(size=(5, 4, 3))
    assert np.array_equal(noisy(values, 0.0), values)


def test_one_field_serves_all_scales():
    values = np.random.default_rng(0).normal(size=(5, 4, 3))
    np.testing.assert_allclose(noisy(values, 2.0) - values, 2 * (noisy(values, 1.0) - values))


def test_a_constant_channel_takes_no_noise():
    assert np.array_equal(noisy(np.ones((5, 4, 1)), 3.0), np.ones((5, 4, 1)))


def test_noise_keeps_the_type_of_the_values():
    assert noisy(np.ones((2, 2, 1), np.float32), 1.0).dtype == np.float32


def test_noise_removes_nothing():
    assert GaussianNoise().requested_rate(1.0) is None


@pytest.mark.parametrize("mask", [1, 2])
def test_another_mask_number_is_other_noise(mask):
    values = np.random.default_rng(0).normal(size=(5, 4, 3))
    assert not np.array_equal(noisy(values, 1.0), noisy(values, 1.0, mask))
