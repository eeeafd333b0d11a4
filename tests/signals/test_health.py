import math

import pytest

from probatum.signals.health import gradient_health

CALM = {"norm": 1.0, "vanishing_share": 0.0, "exploding_share": 0.0, "non_finite_share": 0.0}


def health(*layers, history=()):
    found = gradient_health({f"l{i}": own for i, own in enumerate(layers)}, history)
    assert found is not None
    return found


def test_unmeasured_gradients_have_no_health():
    assert gradient_health({}) is None
    assert health({"std": 1.0})["score"] is None


def test_calm_layers_are_fully_healthy():
    assert health(CALM, CALM)["score"] == 1.0


def test_one_layer_of_nan_cannot_hide_among_six_healthy_ones():
    found = health(*[CALM] * 6, {"norm": None, "non_finite_share": 1.0})
    assert found["score"] == pytest.approx(1 - (1 / 7 + 1) / 2)
    assert found["score"] < 0.5
    assert found["non_finite_layers"] == ["l6"]


def test_a_layer_past_the_seeds_share_vanishes():
    found = health({**CALM, "vanishing_share": 0.75}, CALM)
    assert found["vanishing_layers"] == ["l0"]
    assert found["score"] == pytest.approx(1 - (0.25 + 0.5) / 2)


def test_a_layer_past_the_seeds_share_explodes():
    found = health({**CALM, "exploding_share": 0.02}, CALM)
    assert found["exploding_layers"] == ["l0"]
    assert found["score"] == pytest.approx(0.25)


def test_a_norm_far_below_its_own_median_is_seen_though_no_fixed_limit_is_crossed():
    past = [{"l0": {"norm": 1.0}, "l1": {"norm": 1.0}}] * 3
    found = health({**CALM, "norm": 1e-3}, CALM, history=past)
    assert found["vanishing_layers"] == ["l0"]
    assert found["score"] == pytest.approx(1 - (0.5 + 1.0) / 2)


def test_a_norm_may_wander_a_decade_at_no_cost():
    past = [{"l0": {"norm": 1.0}}] * 3
    assert health({**CALM, "norm": 0.11}, history=past)["score"] == 1.0
    assert health({**CALM, "norm": 9.0}, history=past)["score"] == 1.0


def test_nothing_is_compared_with_less_than_three_epochs_of_history():
    assert health({**CALM, "norm": 1e-6}, history=[{"l0": {"norm": 1.0}}] * 2)["score"] == 1.0


def test_a_norm_that_fell_to_zero_is_wholly_ill():
    assert health({**CALM, "norm": 0.0}, history=[{"l0": {"norm": 1.0}}] * 3)["score"] == 0.0


def test_the_overall_norm_is_the_root_of_the_squares_and_not_a_mean():
    assert health({"norm": 3.0}, {"norm": 4.0})["overall_norm"] == 5.0
    assert health({"norm": 3.0}, {"norm": 4.0})["norm_variance"] == 0.25
    given = gradient_health({"a": {"norm": 3.0}}, total_norm=6.0)
    assert given is not None
    assert math.isclose(given["overall_norm"], 6.0)
