import copy

import pytest
from pydantic import ValidationError

from probatum._errors import ParameterError, UnknownNameError, UsageError
from probatum.signals.config import (
    GradientConfig,
    LossLandscapeConfig,
    PerClassConfig,
    TelemetryConfig,
    load_config,
    load_profile,
    profile_names,
)


def test_the_seeds_fields_have_the_seeds_names_and_defaults():
    seed = {
        "profile_name": "standard",
        "history_length": 10,
        "track_weight_norms": False,
        "track_activation_stats": False,
    }
    gradients = {
        "enabled": False,
        "layers": "all",
        "track_norm": True,
        "track_std": True,
        "percentiles": [1, 50, 99],
        "detect_vanishing": True,
        "detect_exploding": True,
        "vanishing_threshold": 1e-7,
        "exploding_threshold": 1e3,
    }
    landscape = {
        "enabled": False,
        "perturbation_samples": 5,
        "perturbation_scale": 0.01,
        "estimate_sharpness": True,
    }
    per_class = {"enabled": False, "track_accuracy": True, "track_loss": False, "track_confusion": False}
    config = TelemetryConfig().model_dump()

    assert seed.items() <= config.items()
    assert gradients.items() <= config["gradients"].items()
    assert landscape.items() <= config["loss_landscape"].items()
    assert per_class == config["per_class"]


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (TelemetryConfig, {"history_length": 4}),
        (TelemetryConfig, {"history_length": 101}),
        (TelemetryConfig, {"probe_batches": 0}),
        (LossLandscapeConfig, {"perturbation_samples": 0}),
        (LossLandscapeConfig, {"perturbation_samples": 21}),
        (LossLandscapeConfig, {"perturbation_scale": 0.0}),
        (LossLandscapeConfig, {"perturbation_scale": 1.0}),
        (GradientConfig, {"percentiles": [101]}),
        (GradientConfig, {"percentiles": [50, 1]}),
        (GradientConfig, {"vanishing_threshold": 0}),
        (GradientConfig, {"exploding_threshold": float("nan")}),
        (PerClassConfig, {"track_accuracies": True}),
    ],
)
def test_what_is_out_of_bounds_or_unknown_is_refused(model, wrong):
    with pytest.raises(ValidationError):
        model(**wrong)


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        TelemetryConfig().history_length = 20


def test_the_profiles_ascend_and_say_what_the_seed_says():
    minimal, standard, diagnostic, research = (load_profile(name) for name in profile_names())

    assert [one.history_length for one in (minimal, standard, diagnostic, research)] == [5, 10, 20, 50]
    assert not minimal.gradients.enabled
    assert standard.gradients.enabled
    assert standard.gradients.layers == "all"
    assert standard.gradients.percentiles == []
    assert diagnostic.gradients.percentiles == [1, 25, 50, 75, 99]
    assert diagnostic.per_class.track_loss
    assert not diagnostic.per_class.track_confusion
    assert research.gradients.full_histogram
    assert research.loss_landscape.perturbation_samples == 10
    assert research.track_weight_norms


def test_a_profile_carries_its_name():
    assert [load_profile(name).profile_name for name in profile_names()] == profile_names()


def test_a_small_float_in_yaml_is_a_float():
    assert load_profile("diagnostic").gradients.vanishing_threshold == 1e-7


def test_overrides_change_only_what_they_name_and_not_themselves():
    overrides = {"gradients": {"percentiles": [50]}, "history_length": 7}
    before = copy.deepcopy(overrides)

    config = load_profile("diagnostic", overrides)

    assert config.gradients.percentiles == [50]
    assert config.gradients.enabled
    assert config.history_length == 7
    assert config.per_class == load_profile("diagnostic").per_class
    assert overrides == before


def test_an_unknown_profile_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'diagnostic'"):
        load_profile("diagnostics")


def test_all_mistakes_are_told_at_once_with_the_nearest_names():
    with pytest.raises(ParameterError) as caught:
        load_config({"gradient": {}, "gradients": {"track_nrm": True, "layers": 3}, "history_length": 3})

    message = str(caught.value)
    assert "Did you mean 'gradients'" in message
    assert "'gradients.track_norm'" in message
    assert "`history_length`" in message
    assert message.count("`gradients.layers`") == 1


def test_a_file_may_change_a_profile_and_mistakes_point_at_its_lines(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("profile: research\ngradients:\n  vanishing_threshold: 1e-9\n")
    bad.write_text("profile: research\ngradients:\n  vanishing: 1e-9\n")

    assert load_config(good).gradients.vanishing_threshold == 1e-9
    assert load_config(str(good)).track_weight_norms
    with pytest.raises(UsageError, match=r"bad\.yaml:3"):
        load_config(bad)


def test_a_profile_file_of_a_persons_own_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("profiles:\n  tiny:\n    history_length: 6\n")

    assert load_profile("tiny", path=path).history_length == 6


@pytest.mark.parametrize("content", ["- a\n", "profile: nothing\n"])
def test_a_file_of_another_form_is_refused(tmp_path, content):
    path = tmp_path / "other.yaml"
    path.write_text(content)

    with pytest.raises(UsageError):
        load_config(path)


def test_a_configuration_is_returned_as_it_is_and_survives_its_own_dump():
    config = load_profile("research")

    assert load_config(config) is config
    assert load_config(config.model_dump()) == config
