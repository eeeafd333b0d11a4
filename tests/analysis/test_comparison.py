import numpy as np
import pytest
from scipy import stats

from probatum.analysis.comparison import adjust, compare

BASE = {1: 0.70, 2: 0.72, 3: 0.69, 4: 0.71, 5: 0.73, 6: 0.70}


def _shifted(shift, seeds=6):
    return {seed: BASE[seed] + shift + seed / 1000 for seed in range(1, seeds + 1)}


def test_seeds_that_match_are_paired_as_scipy_does():
    found = compare(BASE, _shifted(0.05), True)
    differences = np.array(list(_shifted(0.05).values())) - np.array(list(BASE.values()))
    interval = stats.ttest_1samp(differences, 0).confidence_interval()
    assert found.is_paired
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(interval))
    assert found.effect_size == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert found.p_value == 2**-5


def test_foreign_seeds_are_two_independent_groups():
    found = compare({1: 0.7, 2: 0.8, 3: 0.75}, {7: 0.9, 8: 0.95, 9: 1.0}, True)
    assert (found.is_paired, found.p_value) == (False, 0.1)


def test_runs_without_a_seed_pair_with_nothing():
    assert not compare({"r/a": 0.7, "r/b": 0.8}, {"r/c": 0.9, "r/d": 0.7}, True).is_paired


def test_three_seeds_cannot_separate_and_six_could():
    sentence = compare(BASE, _shifted(0.05, 3), True).sentence()
    assert sentence == "cannot separate at n=3 (smallest p 0.25); n=6 could"


def test_a_family_needs_more_seeds_than_one_comparison():
    family = adjust([compare(BASE, _shifted(0.05, 3), True) for _ in range(14)])
    assert family[0].sentence().endswith("n=6 could alone, n=10 among 14 comparisons")


def test_one_seed_tests_nothing_and_is_no_member_of_the_family():
    single, several = adjust([compare({1: 0.5}, {1: 0.6}, True), compare(BASE, _shifted(0.05), True)])
    assert single.verdict == "one seed"
    assert (several.comparisons, several.verdict) == (1, "better")


@pytest.mark.parametrize(
    ("higher", "verdict", "regression"), [(True, "better", None), (False, "worse", "confirmed")]
)
def test_the_direction_decides_what_is_worse(higher, verdict, regression):
    [found] = adjust([compare(BASE, _shifted(0.05), higher)])
    assert (found.verdict, found.regression) == (verdict, regression)


def test_an_interval_without_zero_makes_a_possible_regression():
    assert compare(BASE, _shifted(-0.05, 3), True).regression == "possible"


def test_forty_seeds_take_the_normal_approximation():
    values = np.random.default_rng(0).normal(0.1, 0.3, 40)
    found = compare(dict.fromkeys(range(40), 0.0), dict(enumerate(values.tolist())), True)
    assert found.p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue, rel=0.5)
