from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.perturbations import names
from probatum.perturbations.masks import generator
from probatum.perturbations.task import PerturbationTask
from probatum.perturbations.truncation import ENDS, steps_kept


def truncated(end, lengths, keep_ratio, steps=8):
    """Return which steps are left of a full record, `(samples, steps)`."""
    values = np.ones((len(lengths), steps, 2))
    values[np.arange(steps) >= np.array(lengths)[:, None]] = np.nan
    task = PerturbationTask(
        values, np.zeros(len(lengths)), np.nanmax, {}, np.array(lengths), ("a", "b"), "patients"
    )
    left = ~np.isnan(ENDS[end].draw(task, generator(0, "", 0, end))(keep_ratio))
    assert np.array_equal(left.all(axis=2), left.any(axis=2))
    return left[:, :, 0].astype(int).tolist()


def test_the_names_are_those_that_the_command_line_offers():
    assert tuple(ENDS) == names.ENDS


def test_keep_earliest_takes_the_newest_of_each_samples_own_length():
    assert truncated("keep_earliest", [8, 4], 0.5) == [[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]]


def test_keep_latest_takes_the_oldest_of_each_samples_own_length():
    assert truncated("keep_latest", [8, 4], 0.5) == [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize("end", ENDS)
@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(0, 8), min_size=1, max_size=5),
    ratios=st.lists(st.floats(0, 1), min_size=2, max_size=2),
)
def test_a_smaller_share_is_part_of_a_larger_one(end, lengths, ratios):
    small, large = (np.array(truncated(end, lengths, ratio)) for ratio in sorted(ratios))
    assert np.all(small <= large)


@pytest.mark.parametrize("end", ENDS)
def test_the_whole_share_keeps_everything(end):
    assert truncated(end, [3, 1], 1.0, steps=3) == [[1, 1, 1], [1, 0, 0]]


@settings(deadline=None, max_examples=60)
@given(length=st.integers(1, 500), percent=st.integers(0, 100))
def test_steps_are_rounded_up_as_exact_fractions_are(length, percent):
    assert steps_kept(np.array([length]), percent / 100)[0] == ceil(Fraction(percent, 100) * length)


@pytest.mark.parametrize("end", ENDS)
def test_the_requested_rate_is_what_is_not_kept(end):
    assert ENDS[end].requested_rate(0.75) == 0.25
