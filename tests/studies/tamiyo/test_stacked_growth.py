"""Runs side by side against the same runs alone, under the same actions."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from probatum._errors import UsageError
from probatum.packs.environment import EpisodeSettings
from probatum.signals.config import load_config
from probatum.studies.tamiyo.actions import DIAGNOSIS_ACTIONS
from probatum.studies.tamiyo.causes import NARROW_CHANNELS
from probatum.studies.tamiyo.growth import GrowthEnvironment
from probatum.studies.tamiyo.images import ImageSplit
from probatum.studies.tamiyo.stacked.growth import (
    StackedGrowthEnvironment,
    make_growth_environment,
    obstacles,
)
from probatum.studies.tamiyo.stacked.run import StackedRun
from probatum.studies.tamiyo.stages import Stage
from probatum.training.study import StudyData

pytestmark = pytest.mark.usefixtures("few")

ONE_PAIR = {"profile": "diagnostic", "loss_landscape": {"perturbation_samples": 1}}
NO_SIGNALS = {"profile": "minimal"}
ONE_IMAGE = 100 / 80 + 1e-6  # of the validation split, in percent
FIRST_EPOCH = 1e-5  # relative, of losses in float32; rounding grows with the epochs
DOUBLE = 1e-9  # the same in float64, of every epoch
SHARPNESS_TOLERANCE = 5e-3  # a second difference: rounding of a loss is multiplied by 1 / (2 * 0.01^2)

Both = tuple[GrowthEnvironment, StackedGrowthEnvironment, Any, Any]


@pytest.fixture
def double(few: StudyData):
    """Compute in float64, where rounding has no time to grow: what still differs is a mistake."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    for name, split in few.splits.items():
        images, labels = split.images.double()[:120], split.labels[:120]  # pyright: ignore[reportAttributeAccessIssue]
        few.splits[name] = ImageSplit(images, labels)  # pyright: ignore[reportIndexIssue]
    yield
    torch.set_default_dtype(before)


def both(settings: list[EpisodeSettings], telemetry: Any = NO_SIGNALS, **changes: Any) -> Both:
    """Return the same runs alone and side by side after their first epoch."""
    alone, beside = (
        kind(diagnosis=True, telemetry=telemetry, **{"epochs": 30, "batch_size": 40, **changes})
        for kind in (GrowthEnvironment, StackedGrowthEnvironment)
    )
    assert isinstance(beside, StackedGrowthEnvironment)
    return alone, beside, alone.reset(settings), beside.reset(settings)


def actions(*names: str) -> list[int]:
    return [DIAGNOSIS_ACTIONS.index(name) for name in names]


def stages(observed: Any) -> list[float]:
    return [one.slot["seed_stage"] for one in observed]


def assert_alike(alone: Any, beside: Any, relative: float) -> None:
    for one, two in zip(alone, beside, strict=True):
        assert two.snapshot.val_loss == pytest.approx(one.snapshot.val_loss, rel=relative)
        assert two.snapshot.train_loss == pytest.approx(one.snapshot.train_loss, rel=relative)
        assert two.snapshot.val_accuracy == pytest.approx(one.snapshot.val_accuracy, abs=ONE_IMAGE)
        assert two.slot["seed_alpha"] == one.slot["seed_alpha"]
        assert two.facts["isolation_violations"] == one.facts["isolation_violations"] == 0
    assert stages(beside) == stages(alone)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("blueprint", ["CONV_ENHANCE", "ATTENTION", "NORM", "DEPTHWISE"])
def test_a_stack_gives_the_single_run_through_every_stage(blueprint: str) -> None:
    alone, beside, first, second = both([EpisodeSettings(1), EpisodeSettings(2)])
    assert_alike(first, second, DOUBLE)
    plan = [
        actions(f"GERMINATE_{blueprint}", "GERMINATE_NORM"),
        actions("ADVANCE", "CULL"),
        *[actions("ADVANCE", "WAIT")] * 2,
    ]
    reached = set()
    for chosen in plan:
        assert [two.allowed for two in second] == [one.allowed for one in first]
        chosen = [a if one.allowed[a] else 0 for a, one in zip(chosen, first, strict=True)]
        first, second = alone.step(chosen), beside.step(chosen)
        assert_alike(first, second, DOUBLE)
        reached.add(stages(second)[0])
    assert {float(Stage.TRAINING), float(Stage.BLENDING)} <= reached


def test_a_seed_fossilizes_in_a_stack_as_alone() -> None:
    alone, beside, first, second = both([EpisodeSettings(1), EpisodeSettings(2)], blending_epochs=3)
    for name in (
        "GERMINATE_ATTENTION",
        "WAIT",
        "ADVANCE",
        "ADVANCE",
        "WAIT",
        "WAIT",
        "FOSSILIZE",
        "FOSSILIZE",
    ):
        action = DIAGNOSIS_ACTIONS.index(name)
        chosen = [action if one.allowed[action] else 0 for one in first]
        first, second = alone.step(chosen), beside.step(chosen)
    assert stages(second) == stages(first)
    assert float(Stage.FOSSILIZED) in stages(second)
    assert beside.test_accuracy() == pytest.approx(alone.test_accuracy(), abs=ONE_IMAGE)


def test_features_of_the_first_epoch_are_the_probes() -> None:
    alone, beside, first, second = both([EpisodeSettings(1), EpisodeSettings(7)], ONE_PAIR)
    for one, two in zip(first, second, strict=True):
        expected, found = (e.schema.vector(o.recent, o.slot) for e, o in ((alone, one), (beside, two)))
        assert found.mask == expected.mask
        for name, value, wanted in zip(alone.schema.names, found.values, expected.values, strict=True):
            slack = SHARPNESS_TOLERANCE if "sharpness" in name else 1e-6
            assert value == pytest.approx(wanted, rel=2e-3, abs=slack), name


@pytest.mark.parametrize("blueprint", ["CONV_ENHANCE", "ATTENTION"])
def test_sharpness_counts_a_blended_seed_as_the_probe_does(blueprint: str) -> None:
    alone, beside, first, second = both([EpisodeSettings(1), EpisodeSettings(2)], ONE_PAIR)
    for name in (f"GERMINATE_{blueprint}", "WAIT", "ADVANCE", "ADVANCE"):
        action = DIAGNOSIS_ACTIONS.index(name)
        chosen = [action if one.allowed[action] else 0 for one in first]
        first, second = alone.step(chosen), beside.step(chosen)
    assert float(Stage.BLENDING) in stages(second)
    for one, two in zip(first, second, strict=True):
        assert two.snapshot.sharpness == pytest.approx(
            one.snapshot.sharpness, rel=0.02, abs=SHARPNESS_TOLERANCE
        )


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        ("vanishing_gradients", "RESCALE_GRADIENTS"),
        ("sharp_minimum", "LOWER_LEARNING_RATE"),
        ("low_learning_rate", "RAISE_LEARNING_RATE"),
        ("underfitting", "GERMINATE_DEPTHWISE"),
        ("class_imbalance", "REBALANCE_CLASSES"),
    ],
)
def test_causes_and_what_mends_them_act_as_alone(cause: str, remedy: str) -> None:
    alone, beside, first, second = both([EpisodeSettings(4, cause), EpisodeSettings(5)])
    assert_alike(first, second, DOUBLE)
    for chosen in (actions(remedy, "WAIT"), actions("WAIT", "WAIT")):
        assert_alike(alone.step(chosen), beside.step(chosen), DOUBLE)


def test_a_low_learning_rate_is_that_of_its_run_alone() -> None:
    _, beside, *_ = both([EpisodeSettings(4, "low_learning_rate"), EpisodeSettings(5)])
    slow, usual = (run.learning_rate for run in beside.runs if isinstance(run, StackedRun))
    assert slow == pytest.approx(0.005 * usual)
    beside.step(actions("RAISE_LEARNING_RATE", "WAIT"))
    raised, kept = (run.learning_rate for run in beside.runs if isinstance(run, StackedRun))
    assert (raised, kept) == (pytest.approx(10 * slow), usual)


def test_an_underfitting_run_begins_as_narrow_made_it() -> None:
    _, beside, *_ = both([EpisodeSettings(4, "underfitting"), EpisodeSettings(5)])
    narrowed, usual = beside.stacks[0][1].host.weights["block3.conv.weight"].detach()
    assert not narrowed[:, NARROW_CHANNELS:].any()  # no such channel passed in training: no gradient came
    assert narrowed[:, :NARROW_CHANNELS].all()
    assert usual.all()


def test_narrowing_a_run_is_done_by_the_cause_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probatum.studies.tamiyo.causes.NARROW_CHANNELS", 3)
    _, beside, first, second = both([EpisodeSettings(4, "underfitting"), EpisodeSettings(5)])
    assert_alike(first, second, FIRST_EPOCH)
    assert beside.stacks[0][1].host.weights["block3.conv.weight"][0, :, 2].all()


def test_a_fork_goes_on_as_its_origin() -> None:
    environment = StackedGrowthEnvironment(epochs=6, telemetry=ONE_PAIR)
    environment.reset([EpisodeSettings(1), EpisodeSettings(2, "sharp_minimum")])
    environment.step([0, 1])
    fork = environment.fork(1)
    for _ in range(3):
        kept, copied = environment.step([0, 0])[1], fork.step([0])[0]
        assert copied.snapshot.val_loss == pytest.approx(kept.snapshot.val_loss, rel=FIRST_EPOCH)
        assert copied.snapshot.train_loss == pytest.approx(kept.snapshot.train_loss, rel=FIRST_EPOCH)
        assert copied.snapshot.sharpness == pytest.approx(kept.snapshot.sharpness, abs=SHARPNESS_TOLERANCE)
        assert (copied.slot, copied.facts, copied.allowed) == (kept.slot, kept.facts, kept.allowed)
    assert fork.test_accuracy() == environment.test_accuracy()[1:]


def test_a_fork_leaves_its_origin_alone() -> None:
    settings = [EpisodeSettings(1), EpisodeSettings(2)]
    losses = []
    for forks in (False, True):
        environment = StackedGrowthEnvironment(epochs=4, telemetry=NO_SIGNALS)
        environment.reset(settings)
        if forks:
            environment.fork(0).step([1])
        losses.append([one.snapshot.val_loss for one in environment.step([0, 0])])
    assert losses[0] == losses[1]


def test_the_first_epochs_agree_in_single_precision() -> None:
    alone, beside, first, second = both([EpisodeSettings(1), EpisodeSettings(2)])
    assert_alike(first, second, FIRST_EPOCH)
    assert_alike(alone.step([0, 0]), beside.step([0, 0]), FIRST_EPOCH)


def test_runs_of_other_batch_sizes_go_side_by_side() -> None:
    settings = [EpisodeSettings(1), EpisodeSettings(2, overrides={"batch_size": 64, "weight_decay": 0.01})]
    _, _, first, second = both(settings)
    assert_alike(first, second, FIRST_EPOCH)


def test_large_images_are_an_obstacle_for_the_memory_of_their_patches(few: StudyData) -> None:
    large = ImageSplit(torch.zeros(4, 3, 32, 32), torch.zeros(4, dtype=torch.long))
    (reason,) = obstacles(StudyData({"train": large}, {}, {}), load_config("minimal"))
    assert reason.startswith("images of 32 x 32: a stack would keep 0.0 GB of patches")
    assert obstacles(few, load_config("diagnostic")) == []


def test_the_factory_takes_single_runs_for_what_a_stack_does_not_measure() -> None:
    assert type(make_growth_environment(runs=4)) is StackedGrowthEnvironment
    assert type(make_growth_environment(runs=1)) is GrowthEnvironment
    assert type(make_growth_environment(runs=4, telemetry_profile="research")) is GrowthEnvironment
    with pytest.raises(UsageError, match="noise_scale"):
        StackedGrowthEnvironment(telemetry_profile="research")
