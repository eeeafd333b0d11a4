"""Nulls against counts by hand."""

import numpy as np
import pytest

from probatum.studies.abprop.baselines import Baselines
from probatum.studies.abprop.prediction import nulls


def test_perplexities_are_those_of_counts(split_of):
    train, judged = split_of("AC", "AC", "AD"), split_of("AC")
    judged.__dict__["hidden"] = judged.tokens == 5  # C alone
    found = Baselines.fit(train).perplexities(judged, judged.hidden)
    assert found["uniform"] == pytest.approx(20)
    assert found["unigram"] == pytest.approx(
        (6 + 20) / (2 + 1)
    )  # two of six residues, one added to each of 20
    assert found["bigram"] == pytest.approx((3 + 20) / (2 + 1))  # after A: C, C, D
    assert found["position"] == pytest.approx((3 + 20) / (2 + 1))


def test_places_beyond_the_training_sequences_fall_back_on_frequencies(split_of):
    baselines, judged = Baselines.fit(split_of("AC")), split_of("AAAA")
    judged.__dict__["hidden"] = judged.tokens == 4
    found = baselines.perplexities(judged, judged.hidden)
    assert found["position"] == pytest.approx((21 / 2 * 21 * 11**2) ** 0.25)


def test_the_majority_of_each_place_is_what_training_has_most(split_of):
    baselines = Baselines.fit(split_of("ACD", "ACE", "AC"))
    assert baselines.cdr_places(4).tolist() == [False, False, True, False]


def test_the_null_of_the_mean_has_no_skill_and_that_of_the_majority_no_cdr(tiny_data):
    _, data = tiny_data
    names, train = data.facts["rate_names"], data.splits["train"]
    found = nulls(train, data.facts["baselines"], data.facts["rule_rates"]["train"], names)
    assert found["null_reg_macro_r2_mean"] == pytest.approx(0, abs=1e-6)
    assert found["null_cls_f1_cdr_majority"] == 0
    assert found["null_mlm_perplexity_uniform"] == pytest.approx(20)


def test_motif_rules_know_the_labels_that_they_make(parameters_of):
    from probatum.studies.abprop.study import AbProp

    data = AbProp().load_data(parameters_of(labels="abprop"))
    names, test = data.facts["rate_names"], data.splits["test"]
    found = nulls(test, data.facts["baselines"], data.facts["rule_rates"]["test"], names)
    assert found["null_reg_macro_r2_motif_rules"] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(test.rates.numpy(), data.facts["rule_rates"]["test"], rtol=1e-5, atol=1e-6)
