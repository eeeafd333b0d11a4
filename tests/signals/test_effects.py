import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probatum._holm import holm
from probatum.signals.effects import signal_effects
from probatum.signals.epoch import Statistic


def effects(parent, child):
    """Return the layer's effects from {epoch: values of the batches} of one layer."""
    first, second = ({"fc": {e: Statistic.of(v) for e, v in own.items()}} for own in (parent, child))
    return signal_effects("gradient_norms", first, second)


def draw(seed, epochs, batches, shift=0.0):
    rng = np.random.default_rng(seed)
    return {epoch: list(rng.normal(1 + shift, 0.2, batches)) for epoch in range(1, epochs + 1)}


def test_one_epoch_is_students_test_and_cohens_effect():
    a, b = draw(0, 1, 4)[1], draw(1, 1, 6, shift=0.3)[1]
    ((total,), (cell,)) = effects({1: a}, {1: b})
    reference = stats.ttest_ind(b, a)
    pooled = np.sqrt((3 * np.var(a, ddof=1) + 5 * np.var(b, ddof=1)) / 8)
    assert cell.p_value == pytest.approx(reference.pvalue)
    assert cell.effect_size == pytest.approx((np.mean(b) - np.mean(a)) / pooled)
    low, high = reference.confidence_interval(0.95)
    assert (cell.ci_low, cell.ci_high) == pytest.approx((low, high))
    assert total.p_value == pytest.approx(reference.pvalue)


def test_several_epochs_follow_satterthwaites_formula():
    parent, child = draw(2, 3, 3), draw(3, 3, 4, shift=0.2)
    ((total,), cells) = effects(parent, child)
    s2 = [
        ((2 * np.var(parent[e], ddof=1)) + 3 * np.var(child[e], ddof=1)) / 5 * (1 / 3 + 1 / 4) for e in parent
    ]
    error = np.sqrt(sum(s2)) / 3
    freedom = sum(s2) ** 2 / sum(v**2 / 5 for v in s2)
    difference = np.mean([np.mean(child[e]) - np.mean(parent[e]) for e in parent])
    assert total.difference == pytest.approx(difference)
    assert total.p_value == pytest.approx(2 * stats.t.sf(abs(difference) / error, freedom))
    assert total.ci_high == pytest.approx(difference + stats.t.ppf(0.975, freedom) * error)
    assert (total.epochs, total.batches, len(cells)) == (3, 21, 3)


def test_the_interval_covers_the_true_difference_as_often_as_it_says():
    held = 0
    for seed in range(400):
        ((total,), _) = effects(draw(2 * seed, 4, 2), draw(2 * seed + 1, 4, 2, shift=0.1))
        assert total.ci_low is not None
        assert total.ci_high is not None
        held += total.ci_low <= 0.1 <= total.ci_high
    assert 0.92 <= held / 400 <= 0.985


def test_the_verdict_says_what_the_test_says():
    apart, _ = effects(draw(0, 5, 4), draw(1, 5, 4, shift=1.0))
    near, _ = effects({1: [1.0, 1.4]}, {1: [1.2, 1.6]})
    assert apart[0].verdict == "larger"
    assert near[0].verdict == "cannot separate"
    assert effects(draw(1, 5, 4, shift=1.0), draw(0, 5, 4))[0][0].verdict == "smaller"


def test_equal_runs_are_identical_and_not_merely_inseparable():
    ((total,), (cell, *_)) = effects(draw(0, 3, 2), draw(0, 3, 2))
    assert (total.verdict, total.effect_size, cell.verdict) == ("identical", 0.0, "identical")


def test_means_within_a_percent_are_nearly_identical():
    parent = draw(0, 3, 3)
    ((total,), _) = effects(parent, {e: [1.001 * value for value in own] for e, own in parent.items()})
    assert total.verdict == "nearly identical"


def test_one_batch_per_epoch_has_no_spread_and_no_test():
    ((total,), _) = effects({1: [1.0], 2: [1.0]}, {1: [2.0], 2: [3.0]})
    assert (total.verdict, total.p_value, total.effect_size) == ("no spread", None, None)
    assert total.difference == 1.5


def test_an_epoch_that_one_run_lacks_does_not_count():
    ((total,), _) = effects({1: [1.0, 2.0]}, {1: [1.0, 3.0], 2: [9.0, 9.0]})
    assert total.epochs == 1


def test_epochs_of_nan_do_not_count():
    nan = float("nan")
    assert effects({1: [nan, nan]}, {1: [1.0, 2.0]}) == ([], [])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_the_step_down_maximum(p_values):
    order = np.argsort(p_values, kind="stable")
    raised = np.minimum(
        1, np.maximum.accumulate((len(p_values) - np.arange(len(p_values))) * np.array(p_values)[order])
    )
    expected = np.empty(len(p_values))
    expected[order] = raised
    assert holm(p_values) == pytest.approx(expected.tolist())
