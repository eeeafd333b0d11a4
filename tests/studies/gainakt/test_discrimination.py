"""AUC, accuracy and cross-entropy against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from probatum.studies.gainakt.discrimination import accuracy, auc, cross_entropy

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.integers(-5, 5)), min_size=2, max_size=60)


@given(PAIRS)
def test_auc_equals_sklearn_with_ties(pairs):
    responses, scores = np.array(pairs).T
    if 0 < responses.sum() < len(responses):
        assert auc(responses, scores / 3) == pytest.approx(roc_auc_score(responses, scores / 3), abs=1e-12)
    else:
        assert auc(responses, scores / 3) is None


def test_auc_of_many_points_equals_sklearn():
    draw = np.random.default_rng(1)
    responses, scores = draw.integers(0, 2, 100_000), draw.normal(size=100_000).astype(np.float32)
    assert auc(responses, scores) == pytest.approx(roc_auc_score(responses, scores), abs=1e-12)


def test_auc_does_not_change_under_a_monotone_map():
    draw = np.random.default_rng(2)
    responses, logits = draw.integers(0, 2, 500), draw.normal(size=500)
    assert auc(responses, logits) == auc(responses, 1 / (1 + np.exp(-logits)))


@given(PAIRS)
def test_accuracy_and_cross_entropy_equal_sklearn(pairs):
    responses, logits = np.array(pairs).T
    chance = 1 / (1 + np.exp(-logits.astype(float)))
    assert accuracy(responses, logits) == pytest.approx(accuracy_score(responses, chance > 0.5))
    assert cross_entropy(responses, logits) == pytest.approx(log_loss(responses, chance, labels=[0, 1]))


def test_cross_entropy_of_certain_logits_is_finite_and_exact():
    assert cross_entropy(np.array([1, 0]), np.array([800.0, 800.0])) == 400.0


@pytest.mark.parametrize("metric", [auc, accuracy, cross_entropy])
def test_what_is_undefined_is_none(metric):
    assert metric(np.array([], dtype=np.int64), np.array([])) is None
    assert metric(np.array([0, 1]), np.array([np.nan, 0.0])) is None
