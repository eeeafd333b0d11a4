"""Preprocessing: fitted on training patients, blind to what was dropped, blind to the future."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.preprocessing import RobustScaler, StandardScaler

from probatum._errors import UsageError
from probatum.studies.concare.preprocessing import IQR_OF_NORMAL, Preprocessing, carry_forward, skewness

SETTINGS = {"normalisation": "zscore", "log_skewness": 2.0, "clip": 5.0}


@pytest.fixture(scope="module")
def fitted(cohort):
    return Preprocessing.fit(cohort, **SETTINGS)


@pytest.mark.parametrize("normalisation", ["zscore", "robust"])
def test_constants_agree_with_scikit_learn(cohort, normalisation):
    fitted = Preprocessing.fit(cohort, normalisation=normalisation, log_skewness=0, clip=0)
    table = cohort.values.reshape(-1, len(cohort.channels)).astype(np.float64)
    if normalisation == "zscore":
        reference = StandardScaler().fit(table)
        expected = reference.mean_, reference.scale_
    else:
        reference = RobustScaler().fit(table)
        expected = reference.center_, reference.scale_ / IQR_OF_NORMAL
    np.testing.assert_allclose((fitted.centre, fitted.scale), expected, rtol=1e-9)


def test_skewness_agrees_with_scipy():
    values = np.random.default_rng(1).lognormal(size=500)
    assert skewness(values) == pytest.approx(stats.skew(values))


def test_only_skewed_channels_without_negative_values_are_logged(cohort, fitted):
    logged = {name for name, log in zip(cohort.channels, fitted.logged, strict=True) if log}
    assert "Lactate" in logged
    assert not logged & {"HR", "Temp", "pH"}
    shifted = replace(cohort, values=cohort.values - 1000)
    assert not Preprocessing.fit(shifted, **SETTINGS).logged.any()


def test_gaps_are_carried_forward_and_start_at_the_training_centre(gaps):
    carried, since = carry_forward(gaps, np.isfinite(gaps))
    np.testing.assert_array_equal(carried[0].T, [[0, 2, 2, 4], [1, 1, 1, 3]])
    np.testing.assert_array_equal(since[0].T, [[1, 0, 1, 0], [0, 1, 2, 0]])
    np.testing.assert_array_equal(carried[1, :, 0], 0)
    np.testing.assert_array_equal(since[1, :, 0], [1, 2, 3, 4])


def test_the_mask_is_zero_or_one_and_marks_what_was_observed(cohort, fitted):
    mask = fitted.transform(cohort.values, cohort.static).mask.numpy()
    np.testing.assert_array_equal(mask, np.isfinite(cohort.values).astype(np.float32))


def test_a_dropped_value_leaks_nowhere(cohort, fitted):
    """Whatever the dropped cells held, every tensor is the same."""
    draw = np.random.default_rng(1)
    dropped = draw.random(cohort.values.shape) < 0.4
    other = np.where(dropped & np.isfinite(cohort.values), 1e6, cohort.values)
    first = fitted.transform(np.where(dropped, np.nan, cohort.values), cohort.static)
    second = fitted.transform(np.where(dropped, np.nan, other), cohort.static)
    for name, one, two in zip(first._fields, first, second, strict=True):
        assert torch.equal(one, two), name
    assert first.mask.numpy()[dropped].max() == 0


def test_the_future_never_enters_earlier_bins(cohort, fitted):
    changed = cohort.values.copy()
    changed[:, 20:] = np.nan
    changed[:, 30] = 7.0
    for one, two in zip(
        fitted.transform(cohort.values, cohort.static)[:3],
        fitted.transform(changed, cohort.static)[:3],
        strict=True,
    ):
        assert torch.equal(one[:, :20], two[:, :20])


def test_one_patient_does_not_depend_on_the_others(cohort, fitted):
    alone = fitted.transform(cohort.values[5:6], cohort.static[5:6])
    for one, whole in zip(alone, fitted.transform(cohort.values, cohort.static), strict=True):
        assert torch.equal(one[0], whole[5])


def test_raw_observations_stay_as_they_are(cohort, fitted):
    before = cohort.digest()
    fitted.transform(cohort.values, cohort.static, np.minimum(cohort.lengths, 20))
    assert cohort.digest() == before


def test_observed_training_values_have_mean_0_and_deviation_1(cohort):
    fitted = Preprocessing.fit(cohort, normalisation="zscore", log_skewness=2.0, clip=0)
    encoded = fitted.transform(cohort.values, cohort.static)
    for channel in range(len(cohort.channels)):
        seen = encoded.values[..., channel][encoded.mask[..., channel] == 1].double()
        assert abs(seen.mean()) < 1e-4
        assert abs(seen.std() - 1) < 1e-2


def test_values_are_clipped(cohort, fitted):
    encoded = fitted.transform(cohort.values * 1e4, cohort.static)
    assert encoded.values.abs().max() == 5


def test_missing_static_values_become_the_mean_and_are_marked(cohort, fitted):
    encoded = fitted.transform(cohort.values, cohort.static)
    missing = np.isnan(cohort.static)
    assert missing.any()
    assert (encoded.static.numpy()[missing] == 0).all()
    np.testing.assert_array_equal(encoded.static_mask.numpy(), ~missing)


def test_indicators_are_centred_but_not_stretched(cohort, fitted):
    column = cohort.static_names.index("icu_coronary")
    encoded = fitted.transform(cohort.values, cohort.static).static[:, column]
    assert float(encoded.max() - encoded.min()) == pytest.approx(1)


def test_padding_after_a_stay_is_all_zero(cohort, fitted):
    lengths = np.where(np.arange(cohort.count) % 2, 48, 30)
    encoded = fitted.transform(cohort.values, cohort.static, lengths)
    for tensor in encoded[:3]:
        assert not tensor[::2, 30:].any()
        assert tensor[1::2, 30:].any()


def test_a_channel_that_training_never_saw_passes_unchanged(cohort):
    values = cohort.values.copy()
    values[..., 0] = np.nan
    fitted = Preprocessing.fit(replace(cohort, values=values), **SETTINGS)
    assert (fitted.centre[0], fitted.scale[0]) == (0, 1)
    assert not fitted.transform(values, cohort.static).values[..., 0].any()


def test_a_constant_channel_does_not_explode(cohort):
    values = np.where(np.isfinite(cohort.values), np.float32(0.1), np.nan)
    fitted = Preprocessing.fit(replace(cohort, values=values), **SETTINGS)
    assert fitted.transform(values, cohort.static).values.abs().max() < 1e-6


def test_other_channels_than_fitted_are_refused(cohort, fitted):
    with pytest.raises(UsageError, match="expected 12 channels"):
        fitted.transform(cohort.values[..., :3], cohort.static)
