"""Impossible values: evident slips are repaired, the rest is dropped, the very ill are kept."""

import numpy as np
import pytest

from probatum.studies.concare.cleaning import PLAUSIBLE, REPAIRS, clean
from probatum.studies.concare.physionet2012 import PARAMETERS


def one(name, value):
    return clean((name,), np.array([0]), np.array([value]))[0][0]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("pH", 735, 7.35), ("pH", 73.5, 7.35), ("FiO2", 50, 0.5), ("Height", 1.8, 180), ("Height", 431.8, 170)],
)
def test_evident_slips_are_repaired(name, value, expected):
    assert one(name, value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [("Temp", -17.8), ("Temp", 0), ("pH", 1), ("HR", 0), ("SysABP", 0), ("Weight", 0.6), ("Height", 13)],
)
def test_impossible_values_are_dropped(name, value):
    assert np.isnan(one(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [("pH", 6.8), ("Temp", 28), ("K", 9.8), ("Glucose", 1143), ("Lactate", 29.3), ("Urine", 0), ("GCS", 3)],
)
def test_what_the_very_ill_have_is_kept(name, value):
    assert one(name, value) == value


def test_room_air_survives_single_precision():
    assert not np.isnan(one("FiO2", np.float32(0.21)))


def test_repairs_and_drops_are_counted_by_name():
    values = np.array([735, 1, 80, np.nan])
    assert clean(("pH", "HR"), np.array([0, 0, 1, 1]), values)[1] == {"pH": {"repaired": 1, "dropped": 1}}


def test_the_input_is_not_changed():
    values = np.array([735.0])
    clean(("pH",), np.array([0]), values)
    assert values[0] == 735


def test_every_parameter_has_a_rule_and_every_repair_ends_within_bounds():
    assert set(PLAUSIBLE) == set(PARAMETERS)
    for name, repairs in REPAIRS.items():
        low, high = PLAUSIBLE[name]
        for repair in repairs:
            assert low <= round(repair.low * repair.factor, 6)
            assert round(repair.high * repair.factor, 6) <= high
