from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from probatum._errors import RecordError
from probatum._files import strict_json
from probatum.perturbations.record import curves_record, read_curves
from probatum.perturbations.request import CurveRequest
from probatum.perturbations.requested import requested_curves


@pytest.fixture
def curves(make_task):
    """Return a curve of each kind and two more."""
    request = CurveRequest(
        mask_rates=(0.0, 0.4), keep_ratios=(1.0, 0.5), noise_scales=(0.5,), resamples=8,
        mechanisms=("completely_at_random", "informative"), ends=("keep_earliest", "keep_latest"),
    )  # fmt: skip
    return requested_curves(make_task(), request)


def test_the_seeds_keys_are_where_the_seed_has_them(curves):
    record = curves_record(curves)
    assert [point["mask_rate"] for point in record["missingness_curve"]] == [0.0, 0.4]
    assert [point["keep_ratio"] for point in record["truncation_curve"]] == [1.0, 0.5]
    assert set(record["missingness_curve"][0]["metrics"]) == {"auroc", "auprc"}


def test_a_point_says_what_the_seed_leaves_out(curves):
    record = curves_record(curves)
    assert set(record["missingness_curve"][1]) == {
        "mask_rate", "metrics", "interval", "confidence", "mask_std", "requested_rate", "achieved_rate",
        "mechanism", "masks", "n", "unit",
    }  # fmt: skip
    assert record["missingness_curve"][1]["mechanism"] == "completely_at_random"
    assert record["truncation_curve"][1]["end"] == "keep_earliest"
    assert record["noise_curve"][1]["noise_scale"] == 0.5


def test_every_curve_is_kept_whole(curves):
    names = [(curve["kind"], curve["name"]) for curve in curves_record(curves)["curves"]]
    assert names == [
        ("missingness", "completely_at_random"), ("missingness", "informative"),
        ("truncation", "keep_earliest"), ("truncation", "keep_latest"), ("noise", "gaussian"),
    ]  # fmt: skip


def test_what_was_written_is_read_again(curves):
    read = read_curves(json.loads(strict_json(curves_record(curves))))
    for before, after in zip(curves, read, strict=True):
        assert replace(after, replicates={}) == replace(before, replicates={})
        assert all(
            np.array_equal(before.replicates[name], after.replicates[name]) for name in after.replicates
        )


def test_what_is_undefined_is_none(make_task):
    request = CurveRequest(mask_rates=(0.4,), resamples=4)
    record = curves_record(requested_curves(make_task(targets=np.zeros(60, int)), request))
    read = read_curves(json.loads(strict_json(record)))
    assert record["missingness_curve"][0]["metrics"]["auroc"] is None
    assert np.isnan(read[0].replicates["auroc"]).all()


def test_curves_without_resamples_are_read_again(make_task):
    curves = requested_curves(make_task(), CurveRequest(mask_rates=(0.4,), resamples=0))
    assert read_curves(curves_record(curves))[0].replicates["auroc"].shape == (0, 2)


def test_no_curves_still_have_the_seeds_keys():
    assert curves_record([]) == {"missingness_curve": [], "truncation_curve": [], "curves": []}


def test_an_artifact_of_another_program_is_refused_with_the_next_step():
    with pytest.raises(RecordError, match=r"found missingness_curve\..*`probatum perturb`"):
        read_curves({"missingness_curve": []})


@pytest.mark.parametrize("lost", ["points", "digest", "drop_area", "replicates"])
def test_a_torn_curve_is_refused(curves, lost):
    record = curves_record(curves)
    del record["curves"][0][lost]
    with pytest.raises(RecordError, match=f"not whole.*{lost}"):
        read_curves(record)
