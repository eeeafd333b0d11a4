from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from probatum.perturbations import bootstrap
from probatum.perturbations.bootstrap import draw_resamples, percentile_interval, replicates, two_sided_p
from probatum.perturbations.rank_metrics import auroc


def binormal(random, size):
    targets = np.arange(size) % 2
    return targets, random.normal(size=size) + targets


def test_resamples_come_from_the_data_and_their_number():
    first, again, other = (draw_resamples(30, 5, 4, digest) for digest in ("ab", "ab", "ac"))
    assert np.array_equal(first.samples, again.samples)
    assert np.array_equal(first.masks, again.masks)
    assert not np.array_equal(first.samples, other.samples)


def test_more_resamples_begin_with_the_same_ones():
    few, many = draw_resamples(30, 5, 4, "ab"), draw_resamples(30, 5, 9, "ab")
    assert np.array_equal(few.samples, many.samples[:4])


def test_counts_have_the_variance_of_the_multinomial():
    counts = draw_resamples(200, 5, 500, "ab").samples.astype(float)
    assert counts.var(axis=0).mean() == pytest.approx(1 - 1 / 200, rel=0.03)


def test_a_plain_metric_gives_what_the_weighted_one_gives():
    targets, scores = binormal(np.random.default_rng(0), 40)
    resamples = draw_resamples(40, 2, 20, "ab")
    slow = replicates(lambda t, s: float(roc_auc_score(t, s)), targets, [scores, -scores], resamples)
    np.testing.assert_allclose(replicates(auroc, targets, [scores, -scores], resamples), slow, atol=1e-7)


def test_blocks_of_resamples_do_not_change_the_result(monkeypatch):
    targets, scores = binormal(np.random.default_rng(0), 40)
    resamples = draw_resamples(40, 1, 23, "ab")
    whole = replicates(auroc, targets, [scores], resamples)
    monkeypatch.setattr(bootstrap, "BLOCK_CELLS", 100)
    assert np.array_equal(replicates(auroc, targets, [scores], resamples), whole)


def test_masks_are_averaged_as_they_were_drawn():
    """Reference: the mean over the drawn masks, each of which has a known value."""
    resamples = draw_resamples(4, 3, 6, "ab")
    constant = [np.full(4, value) for value in (0.0, 3.0, 9.0)]
    drawn = replicates(lambda _, scores: float(scores[0]), np.zeros(4), constant, resamples)
    np.testing.assert_allclose(drawn, resamples.masks @ np.array([0.0, 3.0, 9.0]) / 3, atol=1e-7)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Two normal classes one standard deviation apart have AUROC Phi(1 / sqrt 2)."""
    truth, random, covered = norm.cdf(1 / np.sqrt(2)), np.random.default_rng(0), []
    for number in range(150):
        targets, scores = binormal(random, 80)
        drawn = replicates(auroc, targets, [scores], draw_resamples(80, 1, 200, str(number)))
        interval = percentile_interval(drawn, 0.95)
        assert interval is not None
        covered.append(interval[0] <= truth <= interval[1])
    assert 0.88 <= np.mean(covered) <= 0.99


def test_the_interval_equals_the_quantiles_of_what_is_defined():
    values = np.r_[np.arange(101.0), np.nan]
    assert percentile_interval(values, 0.9) == pytest.approx((5.0, 95.0))


@pytest.mark.parametrize("values", [[], [np.nan, np.nan, 1.0]])
def test_an_interval_of_little_is_undefined(values):
    assert percentile_interval(np.array(values), 0.95) is None
    assert two_sided_p(np.array(values)) is None


def test_the_p_value_of_no_difference_is_one():
    assert two_sided_p(np.zeros(100)) == 1.0


def test_the_p_value_does_not_depend_on_the_sign():
    values = np.random.default_rng(0).normal(1.0, 1.0, 300)
    assert two_sided_p(values) == two_sided_p(-values)


def test_the_p_value_agrees_with_a_normal_test():
    values = np.random.default_rng(0).normal(2.0, 1.0, 20_000)
    assert two_sided_p(values) == pytest.approx(2 * norm.sf(2.0), rel=0.1)
