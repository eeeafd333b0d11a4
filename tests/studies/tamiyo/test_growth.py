"""The environment: reproducible, forkable, gated, and silent about its hidden causes."""

import json
import math

import pytest
import torch

from probatum._errors import UnknownNameError, UsageError
from probatum.packs.environment import EpisodeSettings
from probatum.signals.config import profile_names
from probatum.studies.tamiyo.causes import CAUSES
from probatum.studies.tamiyo.growth import GrowthEnvironment

WAIT, CONV, NORM, DEPTHWISE, ADVANCE, CULL, FOSSILIZE = 0, 1, 3, 4, 5, 6, 7


@pytest.fixture
def environment(few):
    def make(**changes):
        return GrowthEnvironment(**{"epochs": 12, "batch_size": 64, "telemetry_profile": "minimal"} | changes)

    return make


def weights(environment):
    return {name: tensor.clone() for name, tensor in environment.runs[0].network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def open_gates(environment):
    """Let the seed look worth it, so that a test can follow the path with few data."""
    for run in environment.runs:
        life = run.lifecycle
        life.initial_accuracy = life.stage_start_accuracy = life.current_accuracy - 1.0


def grown(environment, blueprint=DEPTHWISE, cause="none"):
    """Return the observations of an episode that goes the whole way."""
    seen = environment.reset([EpisodeSettings(3, cause)])
    for action in (blueprint, WAIT, ADVANCE, WAIT, WAIT, WAIT, WAIT, FOSSILIZE, WAIT):
        if action in (ADVANCE, FOSSILIZE):
            open_gates(environment)
        seen += environment.step([action])
    return seen


def test_the_whole_path_is_walked_in_order_and_fossilized_is_counted_once(environment):
    seen = grown(environment())
    stages = [int(observed.slot["seed_stage"]) for observed in seen]
    assert stages == [1, 3, 3, 4, 4, 4, 4, 4, 7, 7]
    assert [round(observed.slot["seed_alpha"], 3) for observed in seen[3:]] == [
        0.182,
        0.378,
        0.622,
        0.818,
        1,
        1,
        1,
    ]
    assert seen[-1].facts["seeds_fossilized"] == 1.0
    assert seen[2].facts["parameters_added"] == 0.0  # it trains aside
    assert seen[-1].facts["parameters_added"] == 4800.0
    assert seen[-1].facts["isolation_violations"] == 0.0
    assert not any(seen[-1].allowed[1:])


def test_the_same_settings_and_actions_give_the_same_numbers_and_move_no_global_generator(environment):
    one, other = environment(), environment()
    state = torch.get_rng_state()
    first = grown(one)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert [o.snapshot for o in grown(other)] == [o.snapshot for o in first]
    assert same(weights(one), weights(other))


@pytest.mark.parametrize("profile", profile_names())
def test_watching_changes_no_number(environment, profile):
    plain, watched = environment(), environment(telemetry_profile=profile, epochs=3)
    for each in (plain, watched):
        each.reset([EpisodeSettings(1)])
        each.step([CONV])
        each.step([WAIT])
    assert same(weights(plain), weights(watched))


@pytest.mark.parametrize("cause", ["none", "sharp_minimum"])
@pytest.mark.parametrize("epochs", [1, 3, 5, 10])
def test_a_fork_goes_on_bit_for_bit_from_any_stage(environment, epochs, cause):
    origin = environment(telemetry_profile="diagnostic" if epochs == 3 else "standard")
    origin.reset([EpisodeSettings(5, cause)])
    for action in (CONV, WAIT, ADVANCE, WAIT, WAIT, WAIT, WAIT, FOSSILIZE, WAIT)[: epochs - 1]:
        if action in (ADVANCE, FOSSILIZE):
            open_gates(origin)
        origin.step([action])
    twin = origin.fork(0)
    for _ in range(2):
        assert origin.step([WAIT]) == twin.step([WAIT])
    assert same(weights(origin), weights(twin))
    assert origin.test_accuracy() == twin.test_accuracy()


def test_a_fork_leaves_the_run_it_came_from_alone(environment):
    alone, forked = environment(), environment()
    for each in (alone, forked):
        each.reset([EpisodeSettings(5)])
    forked.fork(0).step([CONV])
    assert alone.step([WAIT]) == forked.step([WAIT])


def test_several_runs_side_by_side_are_each_what_they_are_alone(environment):
    together, alone = environment(), environment()
    seen = together.reset([EpisodeSettings(1), EpisodeSettings(2, "low_learning_rate")])
    seen = together.step([WAIT, NORM])
    alone.reset([EpisodeSettings(2, "low_learning_rate")])
    assert seen[1] == alone.step([NORM])[0]


def test_in_training_the_host_goes_on_exactly_as_if_it_were_alone_and_the_seed_learns(environment):
    alone, seeded = environment(), environment()
    for each in (alone, seeded):
        each.reset([EpisodeSettings(5)])
    seeded.step([CONV])
    alone.step([WAIT])
    before = weights(seeded)
    for _ in range(2):
        alone.step([WAIT])
        seeded.step([WAIT])
    host = {name: tensor for name, tensor in weights(seeded).items() if name.startswith("host.")}
    assert same(host, {name: tensor for name, tensor in weights(alone).items() if name.startswith("host.")})
    assert not torch.equal(weights(seeded)["slot.seed.conv1.weight"], before["slot.seed.conv1.weight"])
    assert not torch.equal(weights(seeded)["host.block1.conv.weight"], before["host.block1.conv.weight"])


def test_a_culled_seed_leaves_the_network_and_the_optimisers(environment):
    own = environment()
    own.reset([EpisodeSettings(5)])
    own.step([CONV])
    observed = own.step([CULL])[0]
    assert not any(name.startswith("slot.seed") for name in weights(own))
    assert list(own.runs[0].optimizers) == ["host"]
    assert not observed.allowed[CONV]
    own.step([WAIT])
    assert own.step([WAIT])[0].allowed[CONV]
    assert own.step([DEPTHWISE])[0].slot["has_active_seed"] == 1.0


def test_an_action_that_a_gate_refuses_is_not_allowed_and_the_reason_is_at_hand(environment):
    own = environment()
    own.reset([EpisodeSettings(5)])
    own.runs[0].recent[-1].__dict__["val_accuracy"] = 100.0  # nothing improves on that
    observed = own.step([CONV])[0]
    assert not observed.allowed[ADVANCE]
    assert "G2" in own.refusals(0)["ADVANCE"][0]
    with pytest.raises(UsageError, match=r"needs >= 0\.5 points"):
        own.step([ADVANCE])


def test_the_budget_ends_an_episode(environment):
    own = environment(epochs=1)
    assert own.reset([EpisodeSettings(5)])[0].is_last
    with pytest.raises(UsageError, match="budget of 1 epochs"):
        own.step([WAIT])


@pytest.mark.parametrize("actions", [[99], [-1], [0, 0]])
def test_an_action_that_is_none_is_refused(environment, actions):
    own = environment()
    own.reset([EpisodeSettings(5)])
    with pytest.raises(UsageError, match="expected"):
        own.step(actions)


def test_overrides_belong_to_one_episode(environment):
    own = environment()
    own.reset([EpisodeSettings(5, overrides={"learning_rate": 0.5, "embargo_epochs": 4})])
    assert own.runs[0].parameters.learning_rate == 0.5
    with pytest.raises(UsageError, match="common to all runs"):
        own.reset([EpisodeSettings(5, overrides={"epochs": 3})])
    with pytest.raises(UnknownNameError, match="learning_rate"):
        own.reset([EpisodeSettings(5, overrides={"learning_rat": 3})])
    with pytest.raises(UsageError, match="greater than 0"):
        environment(learning_rate=-1.0)


@pytest.mark.parametrize(
    ("profile", "count"), [("minimal", 27), ("standard", 45), ("diagnostic", 117), ("research", 246)]
)
def test_the_number_of_features_follows_from_the_profile_and_a_seed_does_not_change_it(
    environment, profile, count
):
    own = environment(telemetry_profile=profile)
    assert own.schema.count == count
    own.reset([EpisodeSettings(1)])
    observed = own.step([CONV])[0]
    vector = own.schema.vector(observed.recent, observed.slot)
    assert len(vector.values) == count
    if profile != "minimal":
        assert "slot.seed.conv1" in observed.snapshot.gradient_stats


@pytest.mark.parametrize("profile", profile_names())
def test_every_feature_is_measured_once_the_windows_are_full(environment, profile):
    own = environment(telemetry_profile=profile)
    observed = own.reset([EpisodeSettings(1)])[0]
    for _ in range(4):
        observed = own.step([WAIT])[0]
    vector = own.schema.vector(observed.recent, observed.slot)
    assert [name for name, known in zip(own.schema.names, vector.mask, strict=True) if not known] == []


def test_accuracies_are_in_percent(environment):
    observed = environment().reset([EpisodeSettings(1)])[0]
    assert observed.snapshot.val_accuracy > 1.0
    assert observed.snapshot.accuracy_share == observed.snapshot.val_accuracy / 100.0


@pytest.mark.parametrize("cause", CAUSES)
def test_a_cause_leaves_counts_and_steps_as_they_are_and_no_observation_names_it(environment, cause):
    own, plain = environment(diagnosis=True), environment(diagnosis=True)
    observed, usual = own.reset([EpisodeSettings(1, cause)])[0], plain.reset([EpisodeSettings(1)])[0]
    assert own.runs[0].train.count == plain.runs[0].train.count
    assert observed.snapshot.global_step == usual.snapshot.global_step
    assert observed.allowed == usual.allowed
    assert cause not in json.dumps(observed.facts) or cause == "none"
    assert {name: t.shape for name, t in weights(own).items()} == {
        n: t.shape for n, t in weights(plain).items()
    }
    assert math.isfinite(observed.snapshot.val_loss)


def test_what_an_environment_says_of_itself_is_strict_json_with_checksums(environment):
    said = json.loads(json.dumps(environment(diagnosis=True).describe(), allow_nan=False))
    assert said["study"] == "tamiyo"
    assert said["actions"][0] == "WAIT"
    assert said["actions"][-1] == "REBALANCE_CLASSES"
    assert len(said["data"]["splits"]["test"]["sha256"]) == 64
