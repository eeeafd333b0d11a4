from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from probatum._errors import ComparisonError
from probatum._files import strict_json
from probatum.perturbations.comparison import compare_curves
from probatum.perturbations.curves import robustness_curve
from probatum.perturbations.missingness import MECHANISMS
from probatum.perturbations.rank_metrics import auroc
from probatum.perturbations.record import comparison_record, curves_record, read_curves

RANDOM = MECHANISMS["completely_at_random"]
METRICS = {"auroc": auroc}


def mean_of_observed(values):
    """Return what redundancy gives: any observed value will do."""
    counts = (~np.isnan(values)).sum(axis=(1, 2))
    return np.nansum(values, axis=(1, 2)) / np.maximum(counts, 1)


def one_cell(values):
    """Return the first cell, 0 where it is gone: as steep a drop as there is."""
    return np.nan_to_num(values[:, 0, 0])


@pytest.fixture
def curve(make_task):
    """Return a function that makes the curve of a model on full, equally informative cells."""

    def make(predict, rates=(0.3, 0.6), **options):
        random = np.random.default_rng(0)
        targets = np.arange(400) % 2
        values = random.normal(size=(400, 4, 3)) + 0.3 * targets[:, None, None]
        values[:, 0, 0] += 1.2 * targets
        task = make_task(
            predict, samples=400, values=values, targets=targets, lengths=np.full(400, 4), channels=3,
            metrics=METRICS,
        )  # fmt: skip
        return robustness_curve(task, RANDOM, rates, **{"bootstrap": 200, **options})

    return make


def test_a_child_that_reads_all_channels_is_genuinely_missing_aware(curve):
    found = compare_curves(curve(one_cell), curve(mean_of_observed)).metrics["auroc"]
    assert found.verdict == "degrades more slowly"
    assert found.is_missing_aware
    assert found.area.value < 0
    assert found.area.interval[1] < 0
    assert "genuinely missing-aware" in found.sentence
    assert "n = 400 patients, 5 masks" in found.sentence


def test_the_other_way_round_it_degrades_faster(curve):
    there = compare_curves(curve(one_cell), curve(mean_of_observed)).metrics["auroc"]
    back = compare_curves(curve(mean_of_observed), curve(one_cell)).metrics["auroc"]
    assert back.verdict == "degrades faster"
    assert not back.is_missing_aware
    assert back.area.value == pytest.approx(-there.area.value)
    assert back.area.p_value == there.area.p_value


def test_a_model_against_itself_overlaps(curve):
    found = compare_curves(curve(one_cell), curve(one_cell)).metrics["auroc"]
    assert found.verdict == "curves overlap"
    assert (found.area.value, found.area.interval, found.area.p_value) == (0, (0, 0), 1)
    assert (found.level.value, found.level.p_value) == (0, 1)


def test_a_level_is_said_apart_from_the_slope(curve):
    """The child ranks by the truth plus noise: higher everywhere, and as flat as a constant parent."""
    targets = np.arange(400) % 2
    noise = np.random.default_rng(1).normal(size=400)
    parent, child = curve(lambda values: noise), curve(lambda values: noise + targets)
    found = compare_curves(parent, child).metrics["auroc"]
    assert found.verdict == "curves overlap"
    assert found.level.value > 0.1
    assert found.level.p_value < 0.05
    assert "starts higher" in found.sentence


def test_a_child_that_never_knew_anything_is_not_missing_aware(curve):
    found = compare_curves(curve(one_cell), curve(lambda values: np.zeros(len(values)))).metrics["auroc"]
    assert found.verdict == "degrades more slowly"
    assert not found.is_missing_aware
    assert "starts lower" in found.sentence


def test_drops_are_given_at_each_strength(curve):
    parent, child = curve(one_cell), curve(mean_of_observed)
    found = compare_curves(parent, child).metrics["auroc"]
    drop = [
        [of.points[0].metrics["auroc"] - point.metrics["auroc"] for point in of.points[1:]]
        for of in (parent, child)
    ]
    assert list(found.drops) == [0.3, 0.6]
    values = [difference.value for difference in found.drops.values()]
    assert values == pytest.approx(np.subtract(drop[1], drop[0]).tolist())


def test_pairs_are_narrower_than_strangers(curve):
    """Two models that make nearly the same mistakes: in pairs their difference is known better."""
    shift = 0.1 * np.random.default_rng(2).normal(size=400)
    parent = curve(mean_of_observed)
    child = curve(lambda values: mean_of_observed(values) + shift)
    paired = compare_curves(parent, child).metrics["auroc"].level.interval
    apart = [curve.points[0].intervals["auroc"] for curve in (parent, child)]
    assert paired[1] - paired[0] < 0.7 * sum(high - low for low, high in apart)


def test_only_the_strengths_that_both_have_are_compared(curve):
    found = compare_curves(curve(one_cell, (0.2, 0.6)), curve(mean_of_observed, (0.3, 0.6)))
    whole = compare_curves(curve(one_cell, (0.6,)), curve(mean_of_observed, (0.6,)))
    assert found.strengths == (0.0, 0.6)
    assert found == whole


def test_records_compare_as_the_curves_did(curve):
    curves = curve(one_cell), curve(mean_of_observed)
    read = [read_curves(curves_record([one]))[0] for one in curves]
    assert compare_curves(*read) == compare_curves(*curves)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digest": "other"}, "differ in digest"),
        ({"seed": 7, "masks": 6}, r"differ in masks \(5 and 6\), seed \(0 and 7\)"),
        ({"name": "by_block"}, "differ in name"),
        ({"replicates": {}}, "no metric is in both"),
    ],
)
def test_curves_that_are_no_pair_are_refused(curve, change, message):
    parent = curve(one_cell, bootstrap=5)
    with pytest.raises(ComparisonError, match=message):
        compare_curves(parent, replace(parent, **change))


def test_the_record_of_a_comparison_is_strict_json(curve):
    record = comparison_record(compare_curves(curve(one_cell), curve(mean_of_observed)))
    read = json.loads(strict_json(record))["metrics"]["auroc"]
    assert [drop["mask_rate"] for drop in read["drops"]] == [0.3, 0.6]
    assert read["drop_area"]["difference"] == pytest.approx(
        read["drop_area"]["child"] - read["drop_area"]["parent"]
    )


def test_curves_without_a_common_strength_are_refused(curve):
    with pytest.raises(ComparisonError, match=r"no mask_rate is in both"):
        compare_curves(curve(one_cell, (0.2,), bootstrap=5), curve(one_cell, (0.3,), bootstrap=5))


def test_curves_without_resamples_are_refused(curve):
    parent = curve(one_cell, bootstrap=0)
    with pytest.raises(ComparisonError, match="without bootstrap resamples"):
        compare_curves(parent, parent)


def test_an_undefined_metric_gives_no_verdict_that_one_could_take_for_a_finding(curve):
    parent = curve(one_cell, bootstrap=5)
    points = tuple(replace(point, metrics={"auroc": None}) for point in parent.points)
    broken = replace(parent, points=points, replicates={"auroc": np.full((5, 3), np.nan)})
    found = compare_curves(broken, parent).metrics["auroc"]
    assert found.area.value is None
    assert found.verdict == "cannot be told"
