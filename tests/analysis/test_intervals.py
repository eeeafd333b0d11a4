import math
import subprocess
import sys

import pytest
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
