from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from scipy.stats import kstest

from probatum.perturbations import names
from probatum.perturbations.masks import achieved_rate, generator, observed_cells
from probatum.perturbations.missingness import MECHANISMS, ByBlock, CompletelyAtRandom, Informative
from probatum.perturbations.spread import channel_spread
from probatum.perturbations.task import PerturbationTask

every_mechanism = pytest.mark.parametrize("mechanism", MECHANISMS.values(), ids=MECHANISMS)
cells = arrays(np.float64, (5, 6, 3), elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)))


def damage(mechanism, task, mask=0):
    return mechanism.draw(task, generator(0, "ab", mask, mechanism.name))


def simple_task(values):
    samples, steps, channels = values.shape
    lengths = np.full(samples, steps)
    return PerturbationTask(
        values, np.zeros(samples), np.nanmax, {}, lengths, tuple(map(str, range(channels))), "patients"
    )


def test_the_names_are_those_that_the_command_line_offers():
    assert tuple(MECHANISMS) == names.MECHANISMS


@every_mechanism
@settings(deadline=None, max_examples=60)
@given(values=cells, first=st.floats(0, 1), second=st.floats(0, 1), mask=st.integers(0, 5))
def test_masks_are_nested_and_touch_nothing_else(mechanism, values, first, second, mask):
    given_values = values.copy()
    left = damage(mechanism, simple_task(values), mask)
    low, high = (left(rate) for rate in sorted((first, second)))
    assert np.array_equal(values, given_values, equal_nan=True)  # the input is not written to
    assert np.all(np.isnan(low[np.isnan(values)]))  # what was missing stays missing
    assert np.all(np.isnan(high[np.isnan(low)]))  # nested
    assert np.array_equal(high[~np.isnan(high)], values[~np.isnan(high)])  # what stays is unchanged


@every_mechanism
@settings(deadline=None, max_examples=60)
@given(values=cells)
def test_rate_zero_drops_nothing_and_rate_one_everything(mechanism, values):
    left = damage(mechanism, simple_task(values))
    assert np.array_equal(left(0.0), values, equal_nan=True)
    assert np.all(np.isnan(left(1.0)))


@every_mechanism
@pytest.mark.parametrize("rate", [0.1, 0.4, 0.8])
def test_the_achieved_rate_over_observed_cells_is_the_requested_one(mechanism, rate, make_task):
    task = make_task(samples=400)
    observed = observed_cells(task)
    rates = [achieved_rate(observed, ~np.isnan(damage(mechanism, task, mask)(rate))) for mask in range(5)]
    assert np.mean(rates) == pytest.approx(rate, abs=0.02)


@every_mechanism
def test_padding_that_holds_numbers_is_left_alone(mechanism):
    task = PerturbationTask(
        np.ones((4, 6, 2)), np.zeros(4), np.nanmax, {}, np.array([0, 2, 4, 6]), ("a", "b"), "patients"
    )
    left = damage(mechanism, task)(1.0)
    assert np.array_equal(~np.isnan(left), ~observed_cells(task))


@every_mechanism
def test_the_requested_rate_is_the_mask_rate(mechanism):
    assert mechanism.requested_rate(0.3) == 0.3


def test_by_channel_takes_a_channel_whole():
    gone = np.isnan(damage(MECHANISMS["by_channel"], simple_task(np.ones((50, 8, 6))))(0.5))
    assert np.array_equal(gone.all(axis=1), gone.any(axis=1))
    assert 0 < gone.mean() < 1


def test_by_block_takes_all_channels_at_once():
    gone = np.isnan(damage(MECHANISMS["by_block"], simple_task(np.ones((50, 16, 6))))(0.5))
    assert np.array_equal(gone.all(axis=2), gone.any(axis=2))


def test_by_block_takes_stretches_of_its_own_length():
    gone = np.isnan(damage(ByBlock(block_share=0.25), simple_task(np.ones((50, 48, 1))))(0.3))[:, :, 0]
    inner = [run for row in gone for run in _inner_runs(row)]
    assert inner
    assert all(run % 12 == 0 for run in inner)


def _inner_runs(row):
    """Return the lengths of runs of True that touch neither end."""
    edges = np.flatnonzero(np.diff(np.r_[0, row.astype(int), 0]))
    return [
        end - start
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if start > 0 and end < len(row)
    ]


def test_completely_at_random_does_not_look_at_the_values():
    values = np.random.default_rng(0).normal(size=(100, 20, 5))
    gone = np.isnan(damage(CompletelyAtRandom(), simple_task(values))(0.5))
    assert kstest(values[gone], values[~gone].ravel()).pvalue > 0.01


def test_informative_drops_what_is_far_from_the_median():
    values = np.random.default_rng(0).normal(size=(200, 20, 5))
    gone = np.isnan(damage(Informative(), simple_task(values))(0.3))
    assert np.abs(values[gone]).mean() > 1.5 * np.abs(values[~gone]).mean()


def test_informative_follows_its_formula():
    """Reference: the share that went at each distance, against the logistic curve with a solved by hand."""
    values = np.repeat([0.0, 1.0, 2.0, 3.0, -3.0], 20_000).reshape(1000, 100, 1)
    task, mechanism = simple_task(values), Informative(slope=1.5)
    centre, spread = channel_spread(values, observed_cells(task))
    distance = np.round(np.abs(values - centre) / spread * 64) / 64
    offsets = np.linspace(-20, 20, 40_001)
    kinds, counts = np.unique(distance, return_counts=True)
    mean = (counts[:, None] * expit(offsets + 1.5 * kinds[:, None])).sum(axis=0) / values.size
    offset = np.interp(0.4, mean, offsets)
    gone = np.isnan(damage(mechanism, task)(0.4))
    measured = [gone[distance == kind].mean() for kind in kinds]
    np.testing.assert_allclose(measured, expit(offset + 1.5 * kinds), atol=0.01)


def test_informative_without_slope_is_completely_at_random():
    task = simple_task(np.random.default_rng(0).normal(size=(20, 10, 3)))
    flat, plain = Informative(slope=0.0), CompletelyAtRandom()
    fields = [mechanism.field(task, generator(0, "ab", 0, "m")) for mechanism in (flat, plain)]
    np.testing.assert_allclose(*fields, atol=1e-4)


def test_in_a_constant_channel_no_value_is_far():
    task = simple_task(np.full((40, 20, 1), 7.0))
    assert np.isnan(damage(Informative(), task)(0.5)).mean() == pytest.approx(0.5, abs=0.06)


def test_spread_is_that_of_a_normal_distribution():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=(100, 100, 1))
    centre, spread = channel_spread(values, np.ones(values.shape, bool))
    assert [centre[0], spread[0]] == pytest.approx([3.0, 2.0], rel=0.03)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5.0] * 10, 0.0),
        ([0.1] * 9, 0.0),  # whose mean is not exactly 0.1
        ([0.0] * 99 + [1.0], np.std([0.0] * 99 + [1.0])),
        ([], 0.0),
    ],
)
def test_spread_of_channels_without_a_middle_width(values, expected):
    array = np.array(values).reshape(1, -1, 1)
    _, spread = channel_spread(array, np.ones(array.shape, bool))
    assert spread[0] == pytest.approx(expected)
