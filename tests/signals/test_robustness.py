import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from probatum.signals.robustness import compare_robustness, drop_area

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))


def compare(parent, child, **both):
    first, second = ({"missingness_curve": stories.curve(values, **both)} for values in (parent, child))
    return compare_robustness(first, second)


def test_the_area_is_numpys_trapezoid():
    damage, values = [0.0, 0.2, 0.8], [0.9, 0.7, 0.6]
    assert drop_area(damage, values) == pytest.approx(np.trapezoid(0.9 - np.array(values), damage) / 0.8)


def test_intervals_that_overlap_everywhere_are_named_so():
    (pair,) = compare([0.8, 0.7, 0.6], [0.81, 0.72, 0.61], half_width=0.05)["pairs"]
    assert pair["verdict"] == "curves overlap"
    assert [point["overlap"] for point in pair["points"]] == [True, True, True]


def test_curves_apart_say_which_drops_more_slowly():
    (pair,) = compare([0.8, 0.6, 0.4], [0.8, 0.75, 0.7], half_width=0.01)["pairs"]
    assert pair["verdict"] == "drops more slowly"
    (pair,) = compare([0.8, 0.75, 0.7], [0.8, 0.6, 0.4], half_width=0.01)["pairs"]
    assert pair["verdict"] == "drops faster"


def test_without_intervals_no_word_is_said_about_chance():
    (pair,) = compare([0.8, 0.6, 0.4], [0.8, 0.75, 0.7])["pairs"]
    assert pair["verdict"] == "without intervals"


def test_only_common_strengths_are_compared():
    first = {"missingness_curve": stories.curve([0.8, 0.7, 0.6])}
    second = {"missingness_curve": stories.curve([0.8, 0.6, 0.5], strengths=(0.0, 0.4, 0.8))}
    (pair,) = compare_robustness(first, second)["pairs"]
    assert [point["strength"] for point in pair["points"]] == [0.0, 0.4]


def test_truncation_starts_from_the_whole_series():
    curves = {
        "truncation_curve": stories.curve([0.5, 0.7, 0.8], strengths=(0.5, 0.75, 1.0), name="keep_ratio")
    }
    (pair,) = compare_robustness(curves, curves)["pairs"]
    assert [point["strength"] for point in pair["points"]] == [1.0, 0.75, 0.5]
    assert pair["points"][-1]["parent_drop"] == pytest.approx(0.3)


def test_a_lacking_curve_is_named_with_its_run():
    notes = compare_robustness({"missingness_curve": stories.curve([0.8, 0.7, 0.6])}, {})["notes"]
    assert notes == [
        "missingness_curve: not measured in child", "truncation_curve: not measured in parent and child",
    ]  # fmt: skip


def test_the_paired_test_decides_where_both_runs_kept_their_replicates():
    curves = pytest.importorskip("probatum.perturbations.curves")
    record = pytest.importorskip("probatum.perturbations.record")

    def block(slope):
        rates, rng = (0.0, 0.4), np.random.default_rng(0)
        values = [0.8 - slope * rate for rate in rates]
        noise = rng.normal(0, 0.01, (200, 1))
        points = tuple(
            curves.CurvePoint(
                rate, rate, rate, {"auroc": v}, {"auroc": (v - 0.02, v + 0.02)}, {"auroc": None}, 5, 100
            )
            for rate, v in zip(rates, values, strict=True)
        )
        whole = curves.Curve(
            kind="missingness", name="completely_at_random", points=points, n=100, unit="patients", masks=5, seed=0,
            digest="x", resamples=200, confidence=0.95, areas={"auroc": curves.Area(slope * 0.2, None)},
            replicates={"auroc": np.array([values]) + noise},
        )  # fmt: skip
        return record.curves_record([whole])

    found = compare_robustness(block(0.5), block(0.1))
    assert [test["verdict"] for test in found["tests"]] == ["degrades more slowly"]
    assert found["tests"][0]["is_missing_aware"]
