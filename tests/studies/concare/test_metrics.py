"""Metrics against scikit-learn, and the invariants that catch an inverted one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from probatum.studies.concare import metrics

SAMPLES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=4, max_size=60).filter(
    lambda pairs: 0 < sum(target for target, _ in pairs) < len(pairs)
)


def arrays(pairs):
    targets, scores = np.array(pairs).T
    return targets, scores / 20


@given(SAMPLES)
def test_auroc_auprc_f1_and_brier_agree_with_scikit_learn(pairs):
    targets, scores = arrays(pairs)
    assert metrics.auroc(targets, scores) == pytest.approx(reference.roc_auc_score(targets, scores))
    assert metrics.auprc(targets, scores) == pytest.approx(reference.average_precision_score(targets, scores))
    assert metrics.f1(targets, scores) == pytest.approx(reference.f1_score(targets, scores >= 0.5))
    assert metrics.brier(targets, scores) == pytest.approx(reference.brier_score_loss(targets, scores))


@given(SAMPLES)
def test_min_se_ppv_is_the_best_of_the_smaller_one_over_all_thresholds(pairs):
    targets, scores = arrays(pairs)
    found = []
    for threshold in np.unique(scores):
        called = scores >= threshold
        hits = (called & (targets == 1)).sum()
        found.append(min(hits / targets.sum(), hits / called.sum()))
    assert metrics.min_se_ppv(targets, scores) == pytest.approx(max(found))


@given(SAMPLES)
def test_f1_lies_between_precision_and_sensitivity_at_every_threshold(pairs):
    targets, scores = arrays(pairs)
    points = metrics.operating_points(targets, scores)
    for threshold, sensitivity, precision in zip(
        points.thresholds, points.sensitivity, points.precision, strict=True
    ):
        f1 = metrics.f1(targets, scores, threshold)
        assert min(precision, sensitivity) - 1e-12 <= f1 <= max(precision, sensitivity) + 1e-12


@given(SAMPLES)
def test_min_se_ppv_never_exceeds_the_best_f1(pairs):
    targets, scores = arrays(pairs)
    best = max(metrics.f1(targets, scores, threshold) for threshold in np.unique(scores))
    assert metrics.min_se_ppv(targets, scores) <= best + 1e-12


@given(SAMPLES, st.integers(1, 8))
def test_the_calibration_error_agrees_with_a_loop(pairs, groups):
    targets, scores = arrays(pairs)
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, min(groups, len(order)))
    expected = sum(len(part) * abs(scores[part].mean() - targets[part].mean()) for part in parts) / len(order)
    assert metrics.calibration_error(targets, scores, groups) == pytest.approx(expected)


def test_a_perfect_ranking_scores_1():
    targets, scores = np.array([0, 0, 1]), np.array([0.1, 0.2, 0.9])
    found = metrics.mortality_metrics(targets, scores)
    assert found["auroc"] == found["auprc"] == found["min_se_ppv"] == found["f1"] == 1


@pytest.mark.parametrize(
    ("targets", "scores"), [([1, 1], [0.1, 0.9]), ([0, 0], [0.1, 0.9]), ([0, 1], [np.nan, 0.9]), ([], [])]
)
def test_one_class_a_nan_or_nobody_gives_none(targets, scores):
    found = metrics.mortality_metrics(np.array(targets), np.array(scores))
    assert set(found.values()) == {None}


def test_nobody_above_the_threshold_gives_f1_0():
    assert metrics.f1(np.array([0, 1]), np.array([0.1, 0.2])) == 0
