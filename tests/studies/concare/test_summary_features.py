"""Summary features against numpy, patient by patient."""

from dataclasses import replace

import numpy as np
import pytest

from probatum.studies.concare.summary_features import STATISTICS, summary_features


def by_hand(series):
    hours = np.flatnonzero(np.isfinite(series))
    seen = series[hours].astype(np.float64)
    if not len(seen):
        return [np.nan] * 7 + [0, np.nan]
    slope = np.polyfit(hours, seen, 1)[0] if len(seen) > 1 else np.nan
    return [
        seen[0],
        seen[-1],
        seen.min(),
        seen.max(),
        seen.mean(),
        seen.std(),
        slope,
        len(seen),
        47 - hours[-1],
    ]


def test_every_statistic_agrees_with_a_loop_over_patients_and_channels(cohort):
    some = cohort.take(np.arange(25))
    features, names = summary_features(some)
    expected = [[by_hand(some.values[p, :, c]) for c in range(12)] for p in range(25)]
    np.testing.assert_allclose(features[:, :108], np.reshape(expected, (25, -1)), rtol=1e-4, atol=1e-5)
    assert names[:9] == tuple(f"HR_{statistic}" for statistic in STATISTICS)


def test_names_and_columns_agree_and_missing_static_values_are_marked(cohort):
    features, names = summary_features(cohort)
    assert features.shape == (cohort.count, len(names))
    np.testing.assert_array_equal(
        features[:, names.index("height_missing")] == 1, np.isnan(cohort.static[:, 2])
    )


def test_a_patient_with_nothing_observed_has_gaps_and_counts_of_0(cohort):
    empty = replace(cohort, values=np.full_like(cohort.values, np.nan))
    features, names = summary_features(empty)
    assert np.isnan(features[:, names.index("HR_mean")]).all()
    assert not features[:, names.index("HR_count")].any()
    assert (features[:, names.index("channels_never_observed")] == 12).all()


@pytest.mark.parametrize("statistic", ["count", "last"])
def test_features_of_a_patient_do_not_depend_on_the_others(cohort, statistic):
    whole, names = summary_features(cohort)
    alone, _ = summary_features(cohort.take(np.array([4])))
    column = names.index(f"HR_{statistic}")
    assert whole[4, column] == alone[0, column]
