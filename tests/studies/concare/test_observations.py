"""The hourly grid and the cohort that holds it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import RecordError
from probatum.studies.concare.observations import grid, join

EVENTS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-30, 300), st.integers(0, 1), st.floats(-9, 9, width=32)),
    max_size=30,
)


def gridded(events, bins=4):
    rows, minutes, columns, values = np.array(events, dtype=float).reshape(-1, 4).T
    return grid(rows.astype(int), minutes, columns.astype(int), values, shape=(2, bins, 2))


@given(EVENTS)
def test_the_grid_agrees_with_a_loop_over_events_in_time(events):
    expected = np.full((2, 4, 2), np.nan, dtype=np.float32)
    for row, minute, column, value in sorted(events, key=lambda event: event[1]):
        if 0 <= minute < 240:
            expected[row, minute // 60, column] = value
    np.testing.assert_array_equal(gridded(events), expected)


@given(EVENTS, st.integers(1, 3))
def test_later_events_never_change_earlier_bins(events, cut):
    earlier = [event for event in events if event[1] < 60 * cut]
    np.testing.assert_array_equal(gridded(events)[:, :cut], gridded(earlier)[:, :cut])


def test_of_two_values_at_one_minute_the_later_in_the_source_wins():
    assert gridded([(0, 5, 0, 1.0), (0, 5, 0, 2.0)])[0, 0, 0] == 2.0


def test_a_gap_does_not_overwrite_a_value():
    assert gridded([(0, 5, 0, 1.0), (0, 6, 0, np.nan)])[0, 0, 0] == 1.0


def test_taking_rows_keeps_patients_and_truth_together(cohort):
    part = cohort.take(np.array([7, 2]))
    assert part.ids == (cohort.ids[7], cohort.ids[2])
    np.testing.assert_array_equal(part.values[1], cohort.values[2])
    np.testing.assert_array_equal(part.truth.severity[0], cohort.truth.severity[7])


def test_the_digest_sees_values_gaps_and_outcomes(cohort):
    values = cohort.values.copy()
    values[0, 0, 0] = np.nan if np.isfinite(values[0, 0, 0]) else 1.0
    others = [replace(cohort, values=values), replace(cohort, targets=1 - cohort.targets)]
    assert len({cohort.digest(), *(other.digest() for other in others)}) == 3


def test_a_patient_in_two_sets_is_refused(cohort):
    with pytest.raises(RecordError, match="two sides of a split"):
        join([cohort, cohort])


def test_cohorts_with_other_channels_are_not_joined(cohort):
    other = replace(cohort, channels=tuple(reversed(cohort.channels)))
    with pytest.raises(RecordError, match="columns agree"):
        join([cohort, other])


def test_arrays_that_do_not_fit_are_named(cohort):
    with pytest.raises(RecordError, match=r"targets \(3,\), expected \(300,\)"):
        replace(cohort, targets=np.zeros(3))
