"""A seed's life: the path, the gates with their numbers, and the counts."""

import json

import pytest

from probatum._errors import UsageError
from probatum.studies.tamiyo.gates import GATES
from probatum.studies.tamiyo.lifecycle import Lifecycle, LifecycleSettings, alpha_at
from probatum.studies.tamiyo.stages import TRANSITIONS, Stage


def seed_in_training(*accuracies, germinated_at=50.0, **settings):
    life = Lifecycle(LifecycleSettings(**settings))
    life.germinate("norm", germinated_at)
    for accuracy in accuracies:
        life.start_epoch()
        life.end_epoch(accuracy)
    return life


def blended(*accuracies):
    life = seed_in_training(52.0)
    life.advance()
    for accuracy in accuracies:
        life.start_epoch()
        life.end_epoch(accuracy)
    return life


def test_the_codes_are_those_of_the_original():
    assert [stage.value for stage in Stage] == list(range(11))
    assert (Stage.TRAINING, Stage.FOSSILIZED, Stage.RESETTING) == (3, 7, 10)


def test_alpha_follows_the_sigmoid_to_one():
    assert [round(alpha_at(step), 3) for step in range(-1, 8)] == [0, 0, 0.182, 0.378, 0.622, 0.818, 1, 1, 1]


def test_a_germinated_seed_trains_with_the_next_epoch():
    life = seed_in_training()
    assert life.stage == Stage.GERMINATED
    life.start_epoch()
    assert life.stage == Stage.TRAINING


def test_where_it_must_be_told_it_waits_for_an_advance():
    life = seed_in_training(50.0, starts_training_itself=False)
    assert life.stage == Stage.GERMINATED
    life.advance()
    assert life.stage == Stage.TRAINING


def test_metrics_count_from_germination_and_from_each_stage():
    life = seed_in_training(48.0, 53.0)
    assert (life.epochs_total, life.epochs_in_stage) == (2, 2)
    assert (life.improvement, life.total_improvement, life.best_accuracy) == (3.0, 3.0, 53.0)
    life.advance()
    assert (life.improvement, life.total_improvement, life.epochs_in_stage) == (0.0, 3.0, 0)


def test_alpha_rises_while_blending_and_reaches_one_in_the_last_epoch():
    life = seed_in_training(52.0)
    life.advance()
    seen = []
    for _ in range(6):
        life.start_epoch()
        seen.append(round(life.alpha, 3))
        life.end_epoch(53.0)
    assert seen == [0.182, 0.378, 0.622, 0.818, 1.0, 1.0]


def test_fossilizing_is_terminal_and_counted_once():
    life = blended(*[53.0] * 5)
    life.fossilize()
    for _ in range(6):
        life.start_epoch()
        life.end_epoch(53.0)
    assert (life.stage, life.alpha, life.created, life.fossilized) == (Stage.FOSSILIZED, 1.0, 1, 1)
    assert TRANSITIONS[Stage.FOSSILIZED] == ()
    assert life.slot_state()["available_slots"] == 0.0
    with pytest.raises(UsageError, match="fossilized does not lead to culled"):
        life.cull()


@pytest.mark.parametrize("embargo", [0, 1, 3])
def test_after_a_cull_the_slot_is_free_again_only_after_embargo_and_reset(embargo):
    life = seed_in_training(48.0, embargo_epochs=embargo)
    life.cull()
    seen = [life.stage]
    while life.stage != Stage.DORMANT:
        life.start_epoch()
        life.end_epoch(50.0)
        seen.append(life.stage)
    assert seen == [Stage.CULLED, *[Stage.EMBARGOED] * embargo, Stage.RESETTING, Stage.DORMANT]
    assert not life.refusals(Stage.GERMINATED)
    assert life.culled == 1


def test_every_gate_has_its_numbers():
    assert [gate.name for gate in GATES] == ["G0", "G1", "G2", "G3", "G4", "G5"]
    numbers = {(gate.name, check.quantity): check.number for gate in GATES for check in gate.checks}
    assert numbers["G2", "improvement"] == 0.5
    assert numbers["G2", "isolation_violations"] == 10
    assert numbers["G3", "epochs_in_stage"] == 3
    assert numbers["G3", "alpha"] == 0.95
    assert numbers["G5", "total_improvement"] == 0.0


def test_g0_refuses_a_second_seed():
    assert seed_in_training(50.0).refusals(Stage.GERMINATED)


def test_g1_refuses_a_seed_with_values_that_are_not_finite():
    life = seed_in_training(starts_training_itself=False)
    life.end_epoch(50.0, non_finite=3)
    assert "non finite is 3" in life.refusals(Stage.TRAINING)[0]


def test_g2_refuses_a_seed_that_learned_too_little_and_names_the_numbers():
    assert seed_in_training(50.4).refusals(Stage.BLENDING) == [
        "G2 (the seed learned, in isolation): improvement is 0.4, needs >= 0.5 points"
    ]
    assert not seed_in_training(50.5).refusals(Stage.BLENDING)


def test_g2_refuses_a_seed_that_reached_into_the_host():
    life = seed_in_training(52.0)
    life.isolation_violations = 11
    assert "isolation violations is 11, needs <= 10" in life.refusals(Stage.BLENDING)[0]
    with pytest.raises(UsageError, match="G2"):
        life.advance()


def test_g3_refuses_before_alpha_has_risen():
    refusals = " ".join(blended(53.0, 53.0).refusals(Stage.FOSSILIZED))
    assert "epochs in stage is 2" in refusals
    assert "alpha is 0.3775" in refusals


def test_g4_and_g5_refuse_what_blending_lost():
    refusals = " ".join(blended(*[49.0] * 5).refusals(Stage.FOSSILIZED))
    assert "G4" in refusals
    assert "G5 (it was worth it): total improvement is -1, needs > 0 points" in refusals
    assert not blended(*[50.5] * 5).refusals(Stage.FOSSILIZED)


def test_a_state_survives_json_exactly():
    life = blended(53.3, 51.7)
    twin = Lifecycle(life.settings)
    twin.load_state_dict(json.loads(json.dumps(life.state_dict())))
    assert twin == life
