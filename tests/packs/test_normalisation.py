import json

import numpy as np
import pytest

from probatum._errors import RecordError, UsageError
from probatum.packs.normalisation import LIMIT, Normaliser

RNG = np.random.default_rng(0)
VALUES = RNG.normal(3.0, 2.0, (500, 4)) * [1.0, 1e-3, 1e6, 1.0]
MASK = (RNG.random((500, 4)) < 0.7).astype(np.uint8)


def learnt(*parts):
    normaliser = Normaliser(list("abcd"))
    for part in parts:
        normaliser.update(VALUES[part], MASK[part])
    return normaliser


def test_mean_and_spread_are_those_of_the_measured_entries():
    found = learnt(slice(None))
    for column in range(4):
        known = VALUES[MASK[:, column] == 1, column]
        assert found.means[column] == pytest.approx(known.mean())
        assert found.spreads[column] == pytest.approx(known.std())


def test_learning_in_parts_gives_the_same():
    whole, parts = learnt(slice(None)), learnt(slice(0, 7), slice(7, 8), slice(8, 500))
    assert np.allclose(whole.means, parts.means, rtol=1e-12)
    assert np.allclose(whole.spreads, parts.spreads, rtol=1e-12)


def test_a_large_mean_does_not_swallow_the_spread():
    normaliser = Normaliser(["a"])
    for part in np.split(1e9 + np.tile([-1.0, 1.0], 500)[:, None], 10):
        normaliser.update(part, np.ones_like(part))
    assert normaliser._squares[0] / 1000 == pytest.approx(1.0, rel=1e-6)


def test_what_was_not_measured_is_zero():
    applied = learnt(slice(None)).apply(VALUES, MASK)
    assert (applied[MASK == 0] == 0).all()
    assert applied.dtype == np.float32


def test_a_constant_feature_stays_at_zero():
    normaliser = Normaliser(["a"])
    normaliser.update(np.full((9, 1), 0.1), np.ones((9, 1)))
    assert normaliser.apply(np.array([[0.1]]), np.ones((1, 1))).item() == pytest.approx(0.0, abs=1e-6)
    assert normaliser.apply(np.array([[0.6]]), np.ones((1, 1))).item() == pytest.approx(0.5)


def test_a_feature_that_was_never_measured_passes_as_it_is():
    normaliser = Normaliser(["a"])
    normaliser.update(np.full((9, 1), 7.0), np.zeros((9, 1)))
    assert normaliser.apply(np.array([[0.5]]), np.ones((1, 1))).item() == 0.5


def test_an_outlier_is_held_back():
    assert learnt(slice(None)).apply(np.full((1, 4), 1e30), np.ones((1, 4))).max() == LIMIT


def test_it_comes_back_from_its_record():
    found = learnt(slice(None))
    again = Normaliser.from_record(json.loads(json.dumps(found.as_record(), allow_nan=False)))
    assert again.names == found.names
    assert np.array_equal(again.apply(VALUES, MASK), found.apply(VALUES, MASK))


def test_rows_of_another_width_are_refused():
    with pytest.raises(UsageError, match="rows of 4 features"):
        learnt().apply(np.zeros((2, 3)), np.zeros((2, 3)))


def test_a_record_that_does_not_fit_together_is_refused():
    record = learnt(slice(None)).as_record() | {"means": [0.0]}
    with pytest.raises(RecordError, match="another number of means"):
        Normaliser.from_record(record)
