import numpy as np
import pytest
from scipy import stats

from probatum.analysis.paired import paired_test, permutation_p


def test_the_p_value_is_scipys_exact_one():
    differences = np.array([0.3, -0.1, 0.25, 0.4, 0.05, -0.2])
    found = stats.permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert permutation_p(differences.tolist()) == pytest.approx(found.pvalue)


def test_three_seeds_cannot_reach_less_than_a_quarter():
    found = paired_test({1: 0.1, 2: 0.1, 3: 0.1}, {1: 0.9, 2: 0.8, 3: 0.7})
    assert found.p_value == found.smallest_p == 0.25


def test_ties_of_the_sum_count():
    assert permutation_p([0.1, 0.2, -0.3]) == 1.0


def test_only_common_seeds_are_paired():
    assert paired_test({1: 0.5, 2: 0.6, 9: 0.0}, {2: 0.7, 1: 0.6, 8: 1.0}).seeds == (1, 2)


def test_runs_without_a_common_seed_are_refused():
    with pytest.raises(ValueError, match="no seed is in both"):
        paired_test({1: 0.5}, {2: 0.5})


def test_equal_differences_have_no_effect_size():
    assert paired_test({1: 0.5, 2: 0.5}, {1: 0.75, 2: 0.75}).effect_size is None
