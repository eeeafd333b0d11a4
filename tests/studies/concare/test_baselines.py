"""The baselines learn, repeat themselves, and never see test patients while fitting."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probatum.studies.concare.baselines import BASELINES, fit_baselines
from probatum.studies.concare.data import ICUSplit, load_icu_data
from probatum.training.study import StudyData


@pytest.fixture
def one_thread(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(1):
        yield


@pytest.fixture
def loaded(data_parameters_of):
    return load_icu_data(data_parameters_of(simulated_patients=600))


def test_both_baselines_find_severity_in_the_simulated_cohort(loaded, one_thread):
    scores = fit_baselines(loaded, seed=1)
    assert set(scores) == set(BASELINES)
    assert all(scores[name][split]["auroc"] > 0.7 for name in BASELINES for split in ("valid", "test"))


def test_the_same_seed_gives_the_same_scores_and_test_patients_play_no_part_in_fitting(loaded, one_thread):
    test = loaded.splits["test"]
    other = replace(test.observations, values=np.full_like(test.observations.values, np.nan))
    without = StudyData({**loaded.splits, "test": ICUSplit(other, test.preprocessing)}, {})
    first, second = fit_baselines(loaded, seed=1), fit_baselines(without, seed=1)
    for name in BASELINES:
        assert first[name]["valid"] == second[name]["valid"]
        assert first[name]["test"] != second[name]["test"]


@pytest.mark.slow
@pytest.mark.realdata
def test_gradient_boosting_reaches_its_known_level_on_physionet_2012(data_parameters_of, one_thread):
    if not (Path(os.environ.get("PROBATUM_DATA", "/nonexistent")) / "physionet2012").is_dir():
        pytest.skip(
            "PROBATUM_DATA/physionet2012 is not here: get it from physionet.org, challenge-2012/1.0.0"
        )
    scores = fit_baselines(
        load_icu_data(data_parameters_of(dataset="physionet2012", protocol="official")), seed=0
    )
    assert scores["gradient_boosting"]["test"]["auroc"] > 0.85
    assert scores["gradient_boosting"]["test"]["auprc"] > 0.50
