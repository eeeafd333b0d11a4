"""Every study's training can be watched, and watching changes nothing of it."""

from __future__ import annotations

import json

import pytest

from probatum._errors import UsageError
from probatum.runs.volatile import stable_digests
from probatum.signals.reading import read_artifact

CONCARE = {"simulated_patients": 60, "hidden_dim": 4, "epochs": 2, "points": None, "hidden": None}
WATCHED = {"instrument_signals": "true", "instrumentation_mask_rates": "0.0,0.5"}


@pytest.fixture
def concare(prepare, carry_on):
    """Return a function that trains a very small ConCare."""

    def finish(**parameters):
        chosen = {name: value for name, value in {**CONCARE, **parameters}.items() if value is not None}
        paths = prepare("concare", **chosen)
        carry_on(paths)
        return paths

    return finish


@pytest.fixture
def prepare(spiral):
    """Plan a run without the spiral's own options."""
    from pathlib import Path

    from probatum.training.launch import LaunchRequest, plan_launch

    def make(study, **parameters):
        options = {name: str(value).split() for name, value in parameters.items()}
        plan = plan_launch(
            LaunchRequest(study, "test", "", options, (), (), None, {}, ("probatum", "launch", study))
        )
        return plan.prepare(Path("runs"), folder=None, force=False)

    return make


@pytest.fixture
def own(prepare, carry_on):
    """Return a function that trains a person's own study, which offers nothing special."""

    def finish(**parameters):
        paths = prepare("./spiral_study.py", **{"epochs": 3, "points": 64, "hidden": 8, **parameters})
        carry_on(paths)
        return paths

    return finish


@pytest.mark.parametrize("profile", ["minimal", "standard", "diagnostic", "research"])
def test_a_watched_run_has_the_weights_and_metrics_of_an_unwatched_one(concare, profile):
    watched, plain = concare(**WATCHED, telemetry_profile=profile), concare()
    assert watched.model_best().read_bytes() == plain.model_best().read_bytes()
    assert watched.metrics_epoch.read_bytes() == plain.metrics_epoch.read_bytes()


def test_watching_does_not_enter_the_config_md5(own):
    one, other = (json.loads(paths.config.read_text()) for paths in (own(), own(**WATCHED)))
    assert one["config_md5"] == other["config_md5"]


def test_the_artifact_has_every_epoch_and_the_curves_of_the_best_one(concare):
    artifact = read_artifact(concare(**WATCHED).instrumentation("signals"))
    assert [record["epoch"] for record in artifact.epochs] == [1, 2]
    curves = artifact.document["perturbations"]
    assert [point["mask_rate"] for point in curves["missingness_curve"]] == [0.0, 0.5]
    assert {curve["name"] for curve in curves["curves"]} == {
        "completely_at_random", "keep_earliest", "keep_latest",
    }  # fmt: skip
    assert "gradient_norms" in artifact.series()


def test_the_attention_over_time_has_a_lag_curve_that_begins_at_the_newest_hour(concare):
    curves = read_artifact(concare(**WATCHED).instrumentation("signals")).lag_curves()
    assert list(curves) == ["time_attention"]  # channels have no order
    newest_first = curves["time_attention"][2]
    assert len(newest_first) == 48
    assert newest_first[0] == max(newest_first)


def test_a_study_without_perturbations_says_so_in_the_artifact(own):
    document = read_artifact(own(**WATCHED).instrumentation("signals")).document
    assert document["perturbations"]["missingness_curve"] is None
    assert "offers no observations" in document["perturbations"]["missing"]["missingness_curve"]


def test_several_seeds_leave_an_artifact_each(own):
    paths = own(**WATCHED, seeds="1 2", epochs=1)
    assert sorted(path.name for path in paths.instrumentation_folder.glob("*.json")) == [
        "signals_seed1.json", "signals_seed2.json",
    ]  # fmt: skip


def test_the_experiment_log_says_where_the_signals_are(own):
    text = own(**WATCHED, instrumentation_tag="a0").experiment_log.read_text()
    assert 'path: "instrumentation/a0.json"' in text
    assert 'summary: ""' in text


def test_a_copy_goes_where_the_person_wants_it(own, tmp_path):
    paths = own(**WATCHED, instrumentation_dir="instrumentation_data", instrumentation_tag="a0")
    copy = tmp_path / "instrumentation_data" / "a0.json"
    assert copy.read_bytes() == paths.instrumentation("a0").read_bytes()


def test_a_copy_never_takes_the_place_of_another_run_s(own, tmp_path):
    named = {"instrumentation_dir": "instrumentation_data", "instrumentation_tag": "a0", "epochs": 1}
    first, second = own(**WATCHED, **named), own(**WATCHED, **named, seeds=7)
    folder = tmp_path / "instrumentation_data"
    assert (folder / "a0.json").read_bytes() == first.instrumentation("a0").read_bytes()
    assert (folder / f"a0_{second.name[-6:]}.json").exists()


def test_an_interrupted_run_leaves_its_signals_and_ends_with_those_of_an_uninterrupted_one(
    prepare, carry_on, monkeypatch
):
    from probatum.training.instrumentation import Watched

    small = {"epochs": 3, "points": 64, "hidden": 8, **WATCHED, "telemetry_profile": "research"}
    whole, broken = prepare("./spiral_study.py", **small), prepare("./spiral_study.py", **small)
    carry_on(whole)
    original = Watched.end_epoch

    def stop(self, row, *words):
        original(self, row, *words)
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Watched, "end_epoch", stop)
    with pytest.raises(Exception, match="interrupted"):
        carry_on(broken)
    assert [record["epoch"] for record in read_artifact(broken.instrumentation("signals")).epochs] == [1, 2]
    monkeypatch.setattr(Watched, "end_epoch", original)
    carry_on(broken)
    assert stable_digests(broken) == stable_digests(whole)


def test_an_unknown_profile_is_answered_with_the_nearest(own):
    with pytest.raises(UsageError, match="research"):
        own(**WATCHED, telemetry_profile="reserch")


def test_a_sharded_training_cannot_be_watched(own):
    from types import SimpleNamespace

    from probatum.training.instrumentation import watch

    parameters = SimpleNamespace(instrument_signals=True, strategy="fsdp")
    with pytest.raises(UsageError, match="ddp"):
        watch(parameters, None, None, 1, None, 1, several=False)
