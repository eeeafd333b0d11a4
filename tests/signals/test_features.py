import itertools
import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import UsageError
from probatum.signals.features import BASE, base_values, feature_schema
from probatum.signals.snapshot import Snapshot

LAYERS = (
    [f"block{index}.conv" for index in range(1, 4)]
    + [f"block{index}.bn" for index in range(1, 4)]
    + ["classifier"]
)
PROFILES = {  # as seed 004 and the shipped profiles state them
    "minimal": {},
    "standard": {"gradients": {"enabled": True}, "track_attention": True},
    "diagnostic": {
        "gradients": {"enabled": True, "percentiles": [1, 25, 50, 75, 99]},
        "per_class": {"enabled": True, "track_loss": True},
        "loss_landscape": {"enabled": True},
        "track_activation_stats": True,
        "track_attention": True,
        "track_head_statistics": True,
    },
    "research": {
        "gradients": {"enabled": True, "percentiles": [1, 5, 25, 50, 75, 95, 99], "noise_scale": True},
        "per_class": {"enabled": True, "track_loss": True, "track_confusion": True},
        "loss_landscape": {"enabled": True},
        "track_weight_norms": True,
        "track_activation_stats": True,
        "track_attention": True,
        "track_head_statistics": True,
    },
}
COUNTS = {"minimal": 27, "standard": 45, "diagnostic": 131, "research": 260}


def config(**given):
    parts = {
        "gradients": {
            "enabled": False, "track_norm": True, "track_std": True, "percentiles": [], "detect_vanishing": True,
            "detect_exploding": True, "noise_scale": False,
        },
        "per_class": {"enabled": False, "track_accuracy": True, "track_loss": False, "track_confusion": False},
        "loss_landscape": {"enabled": False, "estimate_sharpness": True, "curvature": False},
    }  # fmt: skip
    flags = dict.fromkeys(
        ("track_weight_norms", "track_activation_stats", "track_attention", "track_head_statistics"), False
    )
    values = {name: SimpleNamespace(**{**own, **given.get(name, {})}) for name, own in parts.items()}
    return SimpleNamespace(**values, **{name: given.get(name, value) for name, value in flags.items()})


def test_the_base_is_the_observation_of_27_numbers():
    assert len(BASE) == 27
    assert BASE[:5] == ("epoch", "global_step", "train_loss", "val_loss", "loss_delta")
    assert BASE[11] == "val_loss_history_0"
    assert BASE[16] == "val_accuracy_history_0"
    assert BASE[21:] == (
        "has_active_seed", "seed_stage", "seed_epochs_in_stage", "seed_alpha", "seed_improvement",
        "available_slots",
    )  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_the_announced_number_of_features_on_the_seeds_host(profile):
    assert feature_schema(config(**PROFILES[profile]), LAYERS, 10).count == COUNTS[profile]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_shipped_profiles_give_the_same_numbers(profile):
    config_module = pytest.importorskip("probatum.signals.config")
    shipped = config_module.load_profile(profile)
    assert feature_schema(shipped, LAYERS, 10).count == COUNTS[profile]


def test_the_index_is_the_position_in_the_vector():
    schema = feature_schema(config(gradients={"enabled": True}), ["conv1", "fc"], 0)
    record = schema.as_record()
    assert record["_index"]["epoch"] == 0
    assert record["_index"]["train_loss"] == 2
    assert record["_index"]["grad_norm_conv1"] == 27
    assert record["gradients"][:4] == ["grad_norm_conv1", "grad_norm_fc", "grad_std_conv1", "grad_std_fc"]


def test_every_entry_of_the_vector_is_the_snapshots_number():
    shot = Snapshot(
        3,
        val_loss=0.5,
        gradient_stats={"fc": {"norm": 2.0, "std": 0.1, "p50": 0.3}},
        gradient_health={
            "score": 0.9,
            "overall_norm": 2.5,
            "vanishing_layers": ["a", "b"],
            "exploding_layers": [],
        },
        per_class_accuracy={"0": 0.7, "1": 0.8},
        class_variance=0.0025,
        confusion=[[3, 1], [0, 4]],
        weight_norms={"fc": 7.0},
    )
    asked = config(
        gradients={"enabled": True, "percentiles": [50]},
        per_class={"enabled": True, "track_confusion": True},
        track_weight_norms=True,
    )
    schema = feature_schema(asked, ["fc"], 2)
    vector = schema.vector([shot])
    read = {name: vector.values[place] for name, place in schema.index.items() if vector.mask[place]}
    assert read == {
        "epoch": 3, "val_loss": 0.5, "val_loss_history_4": 0.5, "grad_norm_fc": 2.0, "grad_std_fc": 0.1,
        "grad_p50_fc": 0.3, "grad_global_norm": 2.5, "gradient_health": 0.9, "vanishing_layers": 2,
        "exploding_layers": 0, "acc_class_0": 0.7, "acc_class_1": 0.8, "class_variance": 0.0025,
        "confusion_0_0": 3, "confusion_0_1": 1, "confusion_1_0": 0, "confusion_1_1": 4, "weight_norm_fc": 7.0,
    }  # fmt: skip


def test_an_unmeasured_value_is_zero_with_a_mask_of_zero():
    schema = feature_schema(config(gradients={"enabled": True}), LAYERS, 10)
    vector = schema.vector([Snapshot(1)])
    place = schema.index["gradient_health"]
    assert (vector.values[place], vector.mask[place]) == (0.0, 0)
    assert sum(vector.mask) == 1


def test_the_first_epoch_has_no_delta_instead_of_an_infinite_one():
    values = base_values([Snapshot(1, val_loss=0.5, val_accuracy=0.4)])
    assert values["loss_delta"] is None
    assert values["accuracy_delta"] is None


def test_the_windows_hold_the_oldest_first_and_are_padded_in_front():
    values = base_values([Snapshot(epoch, val_loss=float(epoch)) for epoch in range(1, 8)])
    assert [values[f"val_loss_history_{index}"] for index in range(5)] == [3, 4, 5, 6, 7]
    short = base_values([Snapshot(1, val_loss=1.0), Snapshot(2, val_loss=2.0)])
    assert [short[f"val_loss_history_{index}"] for index in range(5)] == [None, None, None, 1, 2]


def test_the_slots_state_is_taken_as_given_and_a_strange_name_refused():
    assert base_values([Snapshot(1)], {"seed_alpha": 0.3})["seed_alpha"] == 0.3
    with pytest.raises(UsageError, match="Did you mean 'seed_alpha'"):
        base_values([Snapshot(1)], {"seed_alfa": 0.3})


def test_a_layer_given_twice_is_refused():
    with pytest.raises(UsageError, match="every layer once"):
        feature_schema(config(gradients={"enabled": True}), ["fc", "fc"], 0)


GRADIENT_FLAGS = ("enabled", "track_norm", "track_std", "detect_vanishing", "noise_scale")
flags = st.booleans()
configs = st.builds(
    lambda g, p, landscape, w, a, t, h: config(
        gradients=dict(zip(GRADIENT_FLAGS, g, strict=True)),
        per_class=dict(zip(("enabled", "track_accuracy", "track_loss", "track_confusion"), p, strict=True)),
        loss_landscape=dict(zip(("enabled", "estimate_sharpness", "curvature"), landscape, strict=True)),
        track_weight_norms=w,
        track_activation_stats=a,
        track_attention=t,
        track_head_statistics=h,
    ),
    st.tuples(*[flags] * 5), st.tuples(*[flags] * 4), st.tuples(*[flags] * 3), flags, flags, flags, flags,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(configs, st.integers(0, 4), st.integers(0, 4), st.floats(allow_nan=True, allow_infinity=True))
def test_every_vector_has_the_schemas_size_and_no_nan(asked, layers, classes, loss):
    schema = feature_schema(asked, [f"l{index}" for index in range(layers)], classes, heads=["h"])
    vector = schema.vector([Snapshot(1, val_loss=loss)])
    assert len(vector.values) == len(vector.mask) == schema.count == len(set(schema.names))
    assert all(math.isfinite(value) for value in vector.values)
    assert list(itertools.chain(*schema.groups.values())) == sorted(
        schema.index, key=schema.index.__getitem__
    )
