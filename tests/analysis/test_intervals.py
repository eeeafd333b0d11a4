import math
import statistics
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from probatum.analysis.intervals import mean, std, summarise, t_interval
from probatum.runs.statistics import seed_statistics


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("values", [[0.71, 0.74], [0.71, 0.74, 0.69, 0.73], [k / 7 % 1 for k in range(50)]])
def test_the_interval_is_scipys(values, confidence):
    low, high = stats.t.interval(confidence, len(values) - 1, loc=mean(values), scale=stats.sem(values))
    assert t_interval(values, confidence) == pytest.approx((low, high), rel=1e-10, abs=1e-12)


def test_the_interval_of_a_record_and_of_an_analysis_are_one():
    values = [0.71, 0.74, 0.69]
    record = seed_statistics(values)
    assert (record["ci_low"], record["ci_high"]) == pytest.approx(t_interval(values), rel=1e-15)


def test_an_interval_loads_no_scipy():
    code = "import sys; from probatum.analysis.intervals import summarise; summarise([1.0, 2.0])"
    words = [sys.executable, "-c", f"{code}; print('scipy' in sys.modules)"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "False"


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


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8), st.sampled_from([0.0, 1.0, 1e9]))
def test_the_standard_deviation_is_the_exact_one_to_the_last_digits(values, level):
    moved = [level + value for value in values]
    assert std(moved) == pytest.approx(statistics.stdev(moved), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e300, 5e-324])
def test_equal_values_vary_by_nothing_at_all(value):
    assert std([value] * 3) == 0.0


def test_the_standard_deviation_of_huge_and_of_tiny_values_is_a_number():
    assert std([1e200, -1e200]) == pytest.approx(2**0.5 * 1e200)
    assert std([1e-200, 3e-200]) == pytest.approx(2**0.5 * 1e-200)
