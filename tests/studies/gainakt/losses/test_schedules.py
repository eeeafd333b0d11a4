"""Ramps reach their ends when they should."""

import pytest

from probatum.studies.gainakt.losses.schedules import cosine_ramp, linear_ramp


def test_the_linear_ramp_is_full_from_its_last_epoch_on():
    assert [linear_ramp(epoch, 4) for epoch in (1, 2, 4, 9)] == [0.25, 0.5, 1.0, 1.0]


def test_no_warm_up_means_full_weight_at_once():
    assert linear_ramp(1, 0) == 1.0


def test_the_cosine_ramp_is_half_in_the_middle_and_full_at_the_end():
    assert cosine_ramp(6, 12) == pytest.approx(0.5)
    assert cosine_ramp(12, 12) == pytest.approx(1.0)
