"""The simulated cohort obeys the laws that it states."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from probatum._errors import ParameterError
from probatum.studies.concare.metrics import auroc
from probatum.studies.concare.simulate import MIXED_ICU, draw_severity, respond, simulate


@pytest.fixture(scope="module")
def large():
    return simulate(patients=6000, bins=48, seed=1, ward=MIXED_ICU, second_set=0.2)


def test_the_same_seed_gives_the_same_cohort_and_another_seed_another():
    digests = [
        simulate(patients=30, bins=48, seed=seed, ward=MIXED_ICU, second_set=0.2).digest()
        for seed in (1, 1, 2)
    ]
    assert digests[0] == digests[1] != digests[2]


def test_mortality_is_near_that_of_physionet_2012(large):
    assert abs(large.positive_rate - 0.139) < 0.02


def test_outcomes_follow_the_stated_probabilities(large):
    expected = large.truth.death_probability
    z = (large.targets.sum() - expected.sum()) / np.sqrt((expected * (1 - expected)).sum())
    assert abs(z) < 4
    assert auroc(large.targets, expected) > 0.85


@pytest.mark.parametrize(("channel", "filled"), [("HR", 0.90), ("GCS", 0.32), ("pH", 0.12), ("BUN", 0.07)])
def test_channels_are_measured_about_as_often_as_in_physionet_2012(large, channel, filled):
    share = np.isfinite(large.values[..., large.channels.index(channel)]).mean()
    assert abs(share - filled) < 0.2 * filled


def test_sicker_patients_are_measured_more(large):
    gas = np.isfinite(large.values[..., large.channels.index("pH")]).sum(axis=1)
    assert stats.spearmanr(gas, large.truth.severity.mean(axis=1)).statistic > 0.3


def test_missingness_alone_tells_something_of_the_outcome(large):
    assert auroc(large.targets, np.isfinite(large.values).sum(axis=(1, 2))) > 0.6


def test_without_urgency_missingness_tells_nothing():
    calm = {name: replace(panel, urgency=0.0) for name, panel in MIXED_ICU.panels.items()}
    cohort = simulate(patients=6000, bins=48, seed=1, ward=replace(MIXED_ICU, panels=calm), second_set=0.2)
    assert abs(auroc(cohort.targets, np.isfinite(cohort.values).sum(axis=(1, 2))) - 0.5) < 0.04


def test_severity_forgets_with_the_stated_time_constant():
    ward = replace(MIXED_ICU, level_spread=0.0, slope_spread=0.0, slope_mean=0.0)
    severity = draw_severity(20000, 13, ward, np.random.default_rng(1))
    correlation = np.corrcoef(severity[:, 0], severity[:, 12])[0, 1]
    assert abs(correlation - np.exp(-12 / ward.time_constant_hours)) < 0.03
    assert abs(severity[:, 12].std() / ward.noise_spread - 1) < 0.03


def test_a_channel_answers_a_step_of_severity_with_its_lag():
    channel = replace(MIXED_ICU.channels[0], loading=1.0, lag_hours=4.0, lowest=-np.inf, highest=np.inf)
    severity = np.repeat([[0.0] + [1.0] * 8], 2, axis=0)
    answer = (respond(severity, channel, np.random.default_rng(1)) - channel.centre) / channel.spread
    np.testing.assert_allclose(answer[0], 1 - (1 - 1 / 4) ** np.arange(9), atol=1e-12)


def test_the_last_patients_form_the_second_set(large):
    assert (large.sets[-1200:] == "b").all()
    assert (large.sets[:-1200] == "a").all()


def test_a_cohort_of_nobody_is_refused():
    with pytest.raises(ParameterError, match="at least 1 patient"):
        simulate(patients=0, bins=48, seed=1, ward=MIXED_ICU, second_set=0.2)
