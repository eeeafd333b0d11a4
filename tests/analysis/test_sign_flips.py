from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from probatum.analysis import sign_flips
from probatum.analysis.sign_flips import sign_flip_p


def permutation_p(differences):
    """Return the same p-value by listing every pattern of signs, in exact fractions."""
    exact = [Fraction(repr(value)) for value in map(float, differences)]
    sums = [
        sum(s * v for s, v in zip(signs, exact, strict=True)) for signs in product((1, -1), repeat=len(exact))
    ]
    return sum(abs(total) >= abs(sum(exact)) for total in sums) / len(sums)


@given(st.lists(st.sampled_from([-0.3, -0.1, 0.0, 0.1, 0.2, 0.3, 1e-9]), min_size=1, max_size=9))
def test_it_is_the_listed_test_with_all_its_ties(differences):
    assert sign_flip_p(differences) == permutation_p(differences)


def test_it_is_scipys_exact_one():
    differences = np.random.default_rng(0).normal(0.3, 1, 11)
    found = stats.permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(differences.tolist()) == pytest.approx(found.pvalue)


def test_thirty_seeds_list_the_sums_of_two_halves_and_not_of_all_patterns(monkeypatch):
    listed = []

    def counted(values):
        listed.append(sums := sums_of(values))
        return sums

    sums_of = sign_flips._sums
    monkeypatch.setattr(sign_flips, "_sums", counted)
    assert sign_flip_p([1.0] * 30) == 2.0**-29
    assert [len(sums) for sums in listed] == [2**15, 2**15]


@pytest.mark.parametrize("differences", [[], [float("nan")], [0.1] * 33])
def test_what_has_no_exact_p_is_refused(differences):
    with pytest.raises(ValueError, match=r"expected|at most"):
        sign_flip_p(differences)
