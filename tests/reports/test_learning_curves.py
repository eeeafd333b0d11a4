import pytest

from probatum._errors import RecordError
from probatum.analysis.intervals import t_interval
from probatum.reports.learning_curves import learning_curves


def rows_of(chart, layer):
    return chart.to_dict()["layer"][layer]["data"]["values"]


def test_three_seeds_have_a_band_their_lines_and_their_mean():
    seeds = {"1": {1: 0.5, 2: 0.6}, "2": {1: 0.6, 2: 0.7}, "3": {1: 0.7, 2: 0.8}}
    chart = learning_curves({"run": seeds}, "val_auc")
    assert [layer["mark"]["type"] for layer in chart.to_dict()["layer"]] == ["area", "line", "line"]
    assert len(rows_of(chart, 1)) == 6
    first = rows_of(chart, 2)[0]
    assert first["value"] == pytest.approx(0.6)
    assert (first["low"], first["high"]) == pytest.approx(t_interval([0.5, 0.6, 0.7]))


def test_two_seeds_have_no_band_since_it_would_be_wider_than_any_frame():
    chart = learning_curves({"run": {"1": {1: 0.5}, "2": {1: 0.6}}}, "val_auc")
    assert [layer["mark"]["type"] for layer in chart.to_dict()["layer"]] == ["line", "line"]


def test_one_seed_is_one_line_and_says_so():
    chart = learning_curves({"run": {"1": {1: 2.0, 2: 1.0}}}, "loss", higher_is_better=False)
    assert len(chart.to_dict()["layer"]) == 1
    assert chart.to_dict()["title"]["subtitle"] == ["lower is better; one seed"]


def test_the_mean_stands_where_every_seed_has_a_value():
    chart = learning_curves({"run": {"1": {1: 1.0, 2: 1.0, 3: 9.0}, "2": {1: 3.0, 2: 3.0}}}, "loss")
    assert [(row["epoch"], row["value"]) for row in rows_of(chart, 1)] == [(1, 2.0), (2, 2.0)]


def test_a_share_is_not_drawn_above_one_nor_below_nothing():
    seeds = {str(seed): {1: 0.02 * seed, 2: 1.0 - 0.01 * seed} for seed in (1, 2, 3)}
    layers = learning_curves({"run": seeds}, "accuracy").to_dict()["layer"]
    low, high = next(
        own["encoding"]["y"]["scale"]["domain"] for own in layers if "scale" in own["encoding"]["y"]
    )
    assert (low, high) == (0.0, 1.0)


def test_nothing_recorded_is_said():
    with pytest.raises(RecordError, match="no value of val_auc was recorded"):
        learning_curves({"run": {}}, "val_auc")
