import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probatum.signals.diffusion import compare_diffusion, lag_centre, lag_entropy

PEAKED, FLAT = [0.8, 0.1, 0.1], [0.34, 0.33, 0.33]


def verdict(parent, child, rows=None):
    found = compare_diffusion("a", {1: parent, 2: parent}, {1: child, 2: child}, rows)
    assert found is not None
    return found.verdict


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=20))
def test_entropy_is_scipys(curve):
    assert lag_entropy(curve) == pytest.approx(stats.entropy(curve), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=20))
def test_the_centre_is_the_weighted_mean_of_the_distances(curve):
    assert lag_centre(curve) == pytest.approx(np.average(np.arange(len(curve)), weights=curve))


def test_a_flatter_curve_is_more_diffused_and_a_peaked_one_sharper():
    assert verdict(PEAKED, FLAT) == "more diffused"
    assert verdict(FLAT, PEAKED) == "sharper"


def test_a_curve_that_only_moved_is_shifted():
    assert verdict([0.8, 0.1, 0.1], [0.1, 0.1, 0.8]) == "shifted"


def test_the_same_curve_is_unchanged():
    assert verdict(FLAT, FLAT) == "unchanged"


def test_rows_that_disagree_with_the_curve_make_a_mixed_verdict():
    assert verdict(PEAKED, FLAT, rows=-0.5) == "mixed"
    assert verdict(PEAKED, FLAT, rows=0.5) == "more diffused"


def test_the_distance_is_the_total_variation():
    found = compare_diffusion("a", {1: [1.0, 0.0]}, {1: [0.25, 0.75]})
    assert found is not None
    assert found.distance == 0.75
    assert (found.parent_newest, found.child_newest) == (1.0, 0.25)


def test_curves_of_different_lengths_are_not_mixed():
    assert compare_diffusion("a", {1: [1.0, 0.0]}, {1: [1.0, 0.0, 0.0]}) is None
    assert compare_diffusion("a", {1: [1.0]}, {2: [1.0]}) is None
