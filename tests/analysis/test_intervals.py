import math

import pytest
from scipy import stats

from probatum.analysis.intervals import mean, std, summarise, t_interval


def test_the_interval_is_scipys():
    values = [0.71, 0.74, 0.69, 0.73]
    low, high = stats.t.interval(0.95, 3, loc=mean(values), scale=stats.sem(values))
    assert t_interval(values) == pytest.approx((low, high), rel=1e-12)


def test_one_seed_has_no_spread_and_no_interval():
    found = summarise([0.7])
    assert (found.std, found.ci_low, found.ci_high) == (None, None, None)


def test_the_standard_deviation_divides_by_n_minus_one():
    assert std([1.0, 3.0]) == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("values", [[], [math.nan], [1.0, math.inf]])
def test_values_that_say_nothing_are_refused(values):
    with pytest.raises(ValueError, match="finite"):
        mean(values)


def test_a_confidence_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="confidence must be in"):
        t_interval([1.0, 2.0], 95)
