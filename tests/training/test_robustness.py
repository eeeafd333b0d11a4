"""Curves that are added to a finished run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probatum._errors import UsageError
from probatum.perturbations.request import CurveRequest
from probatum.runs.integrity import verify_run
from probatum.training.robustness import add_curves, request_of

SMALL = {"simulated_patients": "60", "hidden_dim": "4", "epochs": "1"}
REQUEST = CurveRequest(mask_rates=(0.5,), resamples=20)


@pytest.fixture
def finished(spiral, carry_on):
    from probatum.training.launch import LaunchRequest, plan_launch

    options = {name: [value] for name, value in SMALL.items()}
    request = LaunchRequest("concare", "test", "", options, (), (), None, {}, ("probatum",))
    paths = plan_launch(request).prepare(Path("runs"), folder=None, force=False)
    carry_on(paths)
    return paths


def test_curves_are_added_beside_the_sealed_files_and_the_run_stays_whole(finished):
    curves = add_curves(finished, REQUEST)[42]
    record = json.loads(finished.perturbations("curves_seed42").read_text())
    assert [point["mask_rate"] for point in record["missingness_curve"]] == [0.0, 0.5]
    assert curves[0].points[1].achieved_rate == pytest.approx(0.5, abs=0.05)
    assert [finding for finding in verify_run(finished) if finding.level == "failure"] == []


def test_the_undamaged_point_is_the_run_s_own_validation_metric(finished):
    point = add_curves(finished, REQUEST)[42][0].points[0]
    evaluated = json.loads(finished.eval_results.read_text())
    assert point.metrics["auroc"] == pytest.approx(evaluated["valid_auroc"], abs=1e-9)


def test_a_seed_that_the_run_has_not_is_refused(finished):
    with pytest.raises(UsageError, match="no seed 7"):
        add_curves(finished, CurveRequest(mask_rates=(0.5,), seed=7))


def test_a_split_that_the_data_have_not_is_refused(finished):
    with pytest.raises(UsageError, match="train, valid, test"):
        add_curves(finished, CurveRequest(mask_rates=(0.5,), split="tset"))


def test_a_study_without_observations_is_refused(train):
    with pytest.raises(UsageError, match="offers no observations"):
        add_curves(train(epochs=1), REQUEST)


def test_an_unfinished_run_is_refused(prepare):
    with pytest.raises(UsageError, match="finished run"):
        add_curves(prepare(), REQUEST)


def test_batches_of_the_flag_become_samples():
    from types import SimpleNamespace

    parameters = SimpleNamespace(
        instrument_signals=True, instrumentation_mask_rates=(0.0, 0.2), batch_size=32,
        instrumentation_truncation_keep_ratios=(), instrumentation_eval_batches=4,
    )  # fmt: skip
    request = request_of(parameters)
    assert request is not None
    assert request.samples == 128
