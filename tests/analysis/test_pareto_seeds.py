import numpy as np
import pytest

from probatum.analysis.pareto import pareto_front
from probatum.analysis.pareto_seeds import places


def test_without_noise_the_places_are_the_front():
    points = np.random.default_rng(0).random((300, 3))
    directions = [True, False, False]
    found = [place == "frontier" for place in places(points, points, directions)]
    assert found == pareto_front(points, directions).tolist()


def test_wide_intervals_leave_everything_ambiguous():
    points = np.random.default_rng(1).random((20, 2))
    assert set(places(points - 5, points + 5, [False, False])) == {"ambiguous"}


def test_a_sure_winner_dominates_and_a_rival_within_the_noise_does_not():
    low, high = [[0.90, 10], [0.89, 10], [0.50, 10]], [[0.92, 10], [0.91, 10], [0.52, 10]]
    assert places(low, high, [True, False]) == ["ambiguous", "ambiguous", "dominated"]


def test_an_interval_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="lower end"):
        places([[1.0]], [[0.0]], [False])
