from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from probatum.perturbations.rank_metrics import WeightedScore, auprc, auroc, minpse

case = st.integers(4, 40).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(0, 1), min_size=size, max_size=size).filter(lambda given: 0 < sum(given) < size),
        st.lists(st.integers(0, 6), min_size=size, max_size=size),  # few values: many ties
        st.lists(st.floats(0.1, 5), min_size=size, max_size=size),
    )
)


def sklearn_minpse(targets, scores, weights=None):
    precision, recall, _ = precision_recall_curve(targets, scores, sample_weight=weights)
    return np.minimum(precision, recall).max()


REFERENCES = [
    (auroc, lambda t, s, w=None: roc_auc_score(t, s, sample_weight=w)),
    (auprc, lambda t, s, w=None: average_precision_score(t, s, sample_weight=w)),
    (minpse, sklearn_minpse),
]
every_metric = pytest.mark.parametrize(("metric", "reference"), REFERENCES, ids=["auroc", "auprc", "minpse"])


@every_metric
@settings(deadline=None, max_examples=60)
@given(drawn=case)
def test_it_equals_scikit_learns(metric, reference, drawn):
    targets, scores, _ = map(np.array, drawn)
    assert metric(targets, scores) == pytest.approx(reference(targets, scores), abs=1e-12)


@every_metric
@settings(deadline=None, max_examples=60)
@given(drawn=case)
def test_weighted_it_equals_scikit_learns_with_sample_weight(metric, reference, drawn):
    targets, scores, weights = map(np.array, drawn)
    rows = np.stack([weights, np.ones_like(weights)])
    expected = [reference(targets, scores, row) for row in rows]
    np.testing.assert_allclose(metric.weighted(targets, scores, rows), expected, atol=1e-12)


@every_metric
def test_counts_equal_repeated_samples(metric, reference):
    random = np.random.default_rng(0)
    targets, scores = random.integers(0, 2, 50), random.normal(size=50)
    counts = random.integers(0, 4, (3, 50))
    repeated = [metric(np.repeat(targets, row), np.repeat(scores, row)) for row in counts]
    np.testing.assert_allclose(metric.weighted(targets, scores, counts), repeated)


@every_metric
def test_a_resample_without_positives_leaves_it_undefined(metric, reference):
    value = metric.weighted(np.array([1, 0, 0]), np.array([3.0, 2.0, 1.0]), np.array([[0, 1, 2]]))
    assert np.isnan(value[0])


def test_area_under_roc_without_negatives_is_undefined():
    assert np.isnan(auroc(np.ones(3), np.arange(3)))


@every_metric
def test_a_perfect_predictor_reaches_one(metric, reference):
    assert metric(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4])) == 1


def test_a_constant_predictor_reaches_chance():
    targets = np.array([1, 0, 0, 0])
    assert [metric(targets, np.zeros(4)) for metric in (auroc, auprc)] == [0.5, 0.25]


@settings(deadline=None, max_examples=60)
@given(drawn=case)
def test_minpse_is_at_most_the_best_f1(drawn):
    targets, scores, _ = map(np.array, drawn)
    precision, recall, _ = precision_recall_curve(targets, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert minpse(targets, scores) <= f1.max() + 1e-12


def test_a_rank_metric_takes_weights_and_a_plain_function_does_not():
    assert isinstance(auroc, WeightedScore)
    assert not isinstance(roc_auc_score, WeightedScore)
