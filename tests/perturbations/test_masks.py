from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from probatum.perturbations.digest import data_digest
from probatum.perturbations.masks import achieved_rate, generator, observed_cells, uniform_field

RATE = st.floats(0, 1)


@settings(deadline=None, max_examples=60)
@given(first=RATE, second=RATE, mask=st.integers(0, 9), seed=st.integers(0, 99))
def test_what_goes_at_a_rate_goes_at_every_higher_one(first, second, mask, seed):
    field = uniform_field((3, 4, 5), seed=seed, digest="ab", mask=mask, mechanism="m")
    low, high = sorted((first, second))
    assert np.all((field < low) <= (field < high))


def test_a_field_is_uniform():
    field = uniform_field((20, 20, 20), seed=0, digest="ab", mask=0, mechanism="m")
    assert kstest(field.ravel(), "uniform").pvalue > 0.01


@pytest.mark.parametrize("change", [{"seed": 1}, {"digest": "ac"}, {"mask": 1}, {"mechanism": "n"}])
def test_seed_data_mask_and_mechanism_each_give_another_field(change):
    base = {"seed": 0, "digest": "ab", "mask": 0, "mechanism": "m"}
    first, other = (uniform_field((50, 50), **choice) for choice in (base, {**base, **change}))
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.1


def test_a_field_stays_the_same_over_versions():
    """The first numbers of one stream: another number here means that old curves cannot be paired."""
    drawn = generator(0, "ab", 0, "completely_at_random").random(3).round(6).tolist()
    assert drawn == [0.283951, 0.002087, 0.616372]


def test_the_global_generator_is_neither_read_nor_moved():
    before = np.random.get_state()[1].copy()
    uniform_field((5, 5), seed=0, digest="ab", mask=0, mechanism="m")
    assert np.array_equal(before, np.random.get_state()[1])


def test_the_digest_knows_the_data_and_not_the_model(make_task):
    task = make_task()
    assert data_digest(task) == data_digest(replace(task, predict=np.nanmax, metrics={}))


@pytest.mark.parametrize("part", ["values", "targets", "lengths", "channels"])
def test_the_digest_sees_any_change_of_the_data(make_task, part):
    task = make_task()
    changed = ("other", *task.channels[1:]) if part == "channels" else getattr(task, part).copy()
    if part != "channels":
        changed.flat[np.flatnonzero(~np.isnan(changed))[0]] += 1
    assert data_digest(replace(task, **{part: changed})) != data_digest(task)


def test_the_digest_does_not_depend_on_how_numbers_are_stored(make_task):
    task = make_task()
    single = replace(task, values=task.values.astype(np.float32))
    double = replace(single, values=np.asfortranarray(single.values.astype(np.float64)))
    assert data_digest(single) == data_digest(double)


def test_the_digest_takes_minus_zero_for_zero(make_task):
    task = make_task()
    zero, minus = (replace(task, values=np.full_like(task.values, value)) for value in (0.0, -0.0))
    assert data_digest(zero) == data_digest(minus)


def test_padding_is_not_observed_even_where_it_holds_numbers(make_task):
    task = make_task(
        values=np.zeros((2, 3, 1)), targets=np.array([0, 1]), lengths=np.array([3, 1]), channels=1
    )
    assert observed_cells(task)[:, :, 0].tolist() == [[True, True, True], [True, False, False]]


def test_the_achieved_rate_is_over_observed_cells():
    before = np.array([True] * 8 + [False] * 92)
    after = before & (np.arange(100) >= 2)
    assert achieved_rate(before, after) == 0.25


def test_the_achieved_rate_of_nothing_is_undefined():
    assert achieved_rate(np.zeros(3, bool), np.zeros(3, bool)) is None
