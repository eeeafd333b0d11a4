"""Every number against scikit-learn or scipy."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, f1_score, r2_score, recall_score

from probatum.studies.abprop.metrics import cdr_metrics, f1, perplexity, r2, rate_metrics, spearman

DRAW = np.random.default_rng(0)


def test_cdr_metrics_are_those_of_scikit_learn():
    regions, found = DRAW.integers(0, 4, 500), DRAW.random(500) < 0.5
    truth, got = regions > 0, cdr_metrics(regions, found)
    assert got["cls_accuracy"] == pytest.approx(accuracy_score(truth, found))
    assert got["cls_macro_f1"] == pytest.approx(f1_score(truth, found, average="macro"))
    assert got["cls_f1_cdr"] == pytest.approx(f1_score(truth, found))
    assert got["cls_recall_cdr2"] == pytest.approx(recall_score(truth[regions == 2], found[regions == 2]))


def test_rates_are_judged_key_by_key():
    truth = DRAW.normal(size=(200, 3)).round(1)
    guess = truth + DRAW.normal(size=(200, 3))
    got = rate_metrics(truth, guess, "abc")
    for column, name in enumerate("abc"):
        assert got[f"reg_r2_{name}"] == pytest.approx(r2_score(truth[:, column], guess[:, column]))
        expected = spearmanr(truth[:, column], guess[:, column]).statistic
        assert got[f"reg_spearman_{name}"] == pytest.approx(expected)
    assert got["reg_macro_r2"] == pytest.approx(r2_score(truth, guess))  # uniform average over keys


def test_a_constant_per_key_has_no_skill_however_much_the_keys_differ():
    truth = DRAW.normal(size=(300, 2)) * 1e-3 + np.array([0.0, 10.0])
    got = rate_metrics(truth, np.broadcast_to(truth.mean(0), truth.shape), "ab")
    assert got["reg_macro_r2"] == pytest.approx(0)
    assert got["reg_macro_spearman"] is None


def test_what_is_undefined_is_none():
    none, some = np.zeros(0), np.ones(3)
    assert perplexity(none) is None
    assert r2(some, some) is None
    assert spearman(np.arange(3.0), some) is None
    assert f1(np.zeros(3), some) is None
    assert cdr_metrics(np.zeros(3, dtype=int), np.zeros(3, dtype=bool))["cls_macro_f1"] is None
    assert cdr_metrics(np.ones(3, dtype=int), np.ones(3, dtype=bool))["cls_recall_cdr3"] is None
