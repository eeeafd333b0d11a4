import numpy as np
import pytest
from scipy import stats

from probatum.analysis.unpaired import cohens_d, unpaired_p, welch_interval

FIRST, SECOND = [0.71, 0.74, 0.70, 0.75], [0.78, 0.73, 0.80]


def _difference(a, b, axis=-1):
    return np.mean(b, axis=axis) - np.mean(a, axis=axis)


def test_the_p_value_is_the_share_of_splits_as_far_apart():
    found = stats.permutation_test((FIRST, SECOND), lambda a, b, axis: abs(_difference(a, b, axis)),
                                   alternative="greater", vectorized=True, n_resamples=np.inf)  # fmt: skip
    assert unpaired_p(FIRST, SECOND) == pytest.approx(found.pvalue)


def test_equal_groups_cannot_differ():
    assert unpaired_p([0.1, 0.2, 0.3], [0.3, 0.2, 0.1]) == 1.0


def test_the_interval_is_welchs_with_whole_degrees_of_freedom():
    welch = stats.ttest_ind(SECOND, FIRST, equal_var=False)
    low, high = welch_interval(FIRST, SECOND)
    half = stats.t.ppf(0.975, int(welch.df)) * (np.mean(SECOND) - np.mean(FIRST)) / welch.statistic
    assert (low + high) / 2 == pytest.approx(np.mean(SECOND) - np.mean(FIRST))
    assert (high - low) / 2 == pytest.approx(half)


def test_the_effect_is_over_the_pooled_deviation():
    pooled = np.sqrt((3 * np.var(FIRST, ddof=1) + 2 * np.var(SECOND, ddof=1)) / 5)
    assert cohens_d(FIRST, SECOND) == pytest.approx(_difference(FIRST, SECOND) / pooled)


def test_one_value_has_no_interval():
    assert welch_interval([0.1], SECOND) is None
    assert cohens_d([0.1], [0.2]) is None


def test_too_many_splits_are_refused():
    with pytest.raises(ValueError, match="at most"):
        unpaired_p(list(range(12)), list(range(12)))
