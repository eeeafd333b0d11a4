import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from probatum.analysis.pareto import pareto_front


def by_definition(points, higher_is_better):
    losses = np.asarray(points, dtype=float) * np.where(higher_is_better, -1, 1)
    no_worse = (losses[:, None] <= losses[None]).all(axis=2)
    better = (losses[:, None] < losses[None]).any(axis=2)
    return ~(no_worse & better).any(axis=0)


@settings(deadline=None)
@given(st.data(), st.integers(1, 5), st.integers(0, 90))
def test_it_is_the_front_by_definition_with_ties_and_duplicates(data, objectives, count):
    points = data.draw(arrays(float, (count, objectives), elements=st.integers(0, 4).map(float)))
    directions = data.draw(st.lists(st.booleans(), min_size=objectives, max_size=objectives))
    assert pareto_front(points, directions).tolist() == by_definition(points, directions).tolist()


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_the_filter_before_the_sweep_loses_nothing(objectives):
    points = np.random.default_rng(objectives).normal(size=(600, objectives))
    directions = [True] + [False] * (objectives - 1)
    assert (pareto_front(points, directions) == by_definition(points, directions)).all()


def test_the_seeds_own_example_keeps_the_second_and_the_last():
    assert pareto_front([(1, 20), (1, 10), (2, 10), (3, 5)], [False, False]).tolist() == [
        False,
        True,
        False,
        True,
    ]


def test_duplicates_stay_together():
    assert pareto_front([[1, 1], [1, 1], [2, 2]], [False, False]).tolist() == [True, True, False]


def test_a_direction_turns_the_front_around():
    points = [[0.9, 10], [0.5, 10], [0.4, 5]]
    assert pareto_front(points, [True, False]).tolist() == [True, False, True]


def test_infinite_values_have_their_place():
    assert pareto_front([[np.inf, 0], [0, np.inf], [np.inf, np.inf]] * 30, [False, False]).sum() == 60


@pytest.mark.parametrize("points", [[[1.0, float("nan")]], [[1.0]], [1.0, 2.0]])
def test_points_that_cannot_be_compared_are_refused(points):
    with pytest.raises(ValueError, match=r"NaN|expected"):
        pareto_front(points, [False, False])
