from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._holm import holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_it_is_the_closed_test_of_bonferroni(p_values):
    everything = range(len(p_values))
    families = [chosen for size in everything for chosen in combinations(everything, size + 1)]
    closed = [
        max(min(1, len(family) * min(p_values[i] for i in family)) for family in families if index in family)
        for index in everything
    ]
    assert holm(p_values) == pytest.approx(closed)


def test_no_comparison_needs_no_correction():
    assert holm([]) == []


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="must be in"):
        holm([0.1, 1.2])
