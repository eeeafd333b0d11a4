"""Pearson within groups against numpy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from probatum.studies.gainakt.correlation import grouped_pearson, mean_defined


@given(st.integers(0, 2**32 - 1))
def test_every_group_equals_numpys_correlation(seed):
    draw = np.random.default_rng(seed)
    groups = draw.integers(0, 5, 60)
    x, y = draw.normal(size=60), draw.integers(0, 2, 60)
    found = grouped_pearson(x, y, groups, 6, min_steps=3)
    for group in range(6):
        mine = groups == group
        if mine.sum() >= 3 and y[mine].std() > 0:
            assert np.isclose(found[group], np.corrcoef(x[mine], y[mine])[0, 1], atol=1e-12)
        else:
            assert np.isnan(found[group])


def test_constant_curves_are_undefined_however_they_are_rounded():
    y = np.array([0, 1, 1, 0, 1, 0, 1])
    for value in (0.1, 1 / 3, 1e9 / 7, 0.0):
        x = np.full(7, value)
        assert np.isnan(grouped_pearson(x, y, np.zeros(7, dtype=np.int64), 1, min_steps=3)).all()


def test_a_value_that_is_no_number_spoils_its_own_group_only():
    x = np.array([1.0, 2, np.nan, 1, 2, 3, np.inf, 0, 1])
    y = np.array([0, 1, 1, 0, 1, 1, 1, 0, 1])
    found = grouped_pearson(x, y, np.repeat(np.arange(3), 3), 3, min_steps=3)
    assert np.isnan(found).tolist() == [True, False, True]


def test_an_empty_input_is_undefined():
    empty = np.array([], dtype=np.int64)
    assert np.isnan(grouped_pearson(empty, empty, empty, 2, min_steps=3)).all()
    assert mean_defined(np.array([])) is None
