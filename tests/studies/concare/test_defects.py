"""Mistakes of the earlier system (its fact sheet, 1.5) that concern the study: f, l, m, n, o and p."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from probatum._errors import RecordError
from probatum.signals.compare import compare_artifacts
from probatum.signals.reading import read_artifact
from probatum.studies.concare.build import build_concare
from probatum.studies.concare.metrics import auroc, min_se_ppv, operating_points
from probatum.studies.concare.study import ConCare
from probatum.training.launch import LaunchRequest, plan_launch
from probatum.training.recorded import check_against_record

SMALL = {"simulated_patients": "60", "hidden_dim": "4", "epochs": "1", "instrument_signals": "true"}
FACTS = {"channels": 5, "static": 3, "steps": 48, "positive_rate": 0.2}


def _plan(**parameters: str):
    options = {name: [value] for name, value in {**SMALL, **parameters}.items()}
    return plan_launch(LaunchRequest("concare", "test", "", options, (), (), None, {}, ("probatum",)))


@pytest.fixture
def artifact_of(spiral, carry_on):
    """Return a function that trains a very small cohort and returns the run and its signals."""

    def train(**parameters: str):
        paths = _plan(**parameters).prepare(Path("runs"), folder=None, force=False)
        carry_on(paths)
        return read_artifact(paths.instrumentation("signals"))

    return train


def test_f_the_missing_aware_variant_reads_the_inputs_of_the_baseline():
    defaults = ConCare().load_defaults()
    aware = defaults.model_copy(update={"missing_aware_extension": True})
    one, other = (build_concare(parameters, FACTS) for parameters in (defaults, aware))
    assert one.encoder.input_size == other.encoder.input_size
    assert one.encoder.features == other.encoder.features


def test_l_the_smaller_of_precision_and_sensitivity_never_exceeds_f1_and_the_larger_one_never_is_below():
    generator = np.random.default_rng(1)
    targets, scores = generator.integers(0, 2, 200), generator.random(200)
    points = operating_points(targets, scores)
    assert points is not None
    f1 = 2 * points.precision * points.sensitivity / np.maximum(points.precision + points.sensitivity, 1e-12)
    assert (np.minimum(points.precision, points.sensitivity) <= f1 + 1e-12).all()
    assert (f1 <= np.maximum(points.precision, points.sensitivity) + 1e-12).all()
    best = np.minimum(points.precision, points.sensitivity).max()
    assert min_se_ppv(targets, scores) == pytest.approx(best)


def test_m_a_score_that_rises_with_the_risk_has_an_area_above_one_half():
    targets = np.array([0, 0, 1, 1])
    assert auroc(targets, np.array([0.1, 0.2, 0.8, 0.9])) == 1.0
    assert auroc(targets, 1 - np.array([0.1, 0.2, 0.8, 0.9])) == 0.0


def test_n_two_runs_that_differ_in_a_flag_that_cannot_act_are_named_inert(artifact_of):
    aware = {"missing_aware_extension": "true"}
    one = artifact_of(**aware, missing_aware_mask_ratio_max="0.5")
    other = artifact_of(**aware, missing_aware_mask_ratio_max="0.8")
    assert _plan(**aware, missing_aware_mask_ratio_max="0.5").inert_overrides()
    found = compare_artifacts(one, other)
    assert "inert" in json.dumps(found.as_record()["change"])


def test_o_a_command_that_differs_from_the_record_is_refused(spiral):
    paths = _plan().prepare(Path("runs"), folder=None, force=False)
    with pytest.raises(RecordError, match="missing_aware_aux_weight"):
        check_against_record(_plan(missing_aware_aux_weight="0.01"), paths)


def test_p_another_seed_s_signals_are_not_taken_for_a_copy(artifact_of):
    one, other = artifact_of(), artifact_of(seeds="7")
    assert "inert" not in json.dumps(compare_artifacts(one, other).as_record()["change"])
