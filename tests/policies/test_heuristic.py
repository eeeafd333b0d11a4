import pytest

from probatum.packs.environment import Observed
from probatum.policies.heuristic import VARIANTS, Heuristic, Thresholds
from probatum.signals.snapshot import Snapshot

ACTIONS = (
    "WAIT", "GERMINATE_CONV_ENHANCE", "GERMINATE_ATTENTION", "GERMINATE_NORM", "GERMINATE_DEPTHWISE",
    "ADVANCE", "CULL", "FOSSILIZE",
)  # fmt: skip
EMPTY = (True, True, True, True, True, False, False, False)
FULL = (True, False, False, False, False, True, True, True)


def observed(epoch=8, plateau=0, stage=1, in_stage=0, improvement=0.0, total=0.0, allowed=None):
    has_seed = stage in (2, 3, 4)
    slot = {
        "has_active_seed": float(has_seed), "seed_stage": float(stage), "seed_epochs_in_stage": float(in_stage),
        "seed_alpha": 0.0, "seed_improvement": improvement, "available_slots": float(not has_seed),
    }  # fmt: skip
    shot = Snapshot(epoch, plateau_epochs=plateau)
    return Observed(
        epoch, shot, (shot,), slot, {"total_improvement": total}, allowed or (FULL if has_seed else EMPTY), 10
    )


def decided(policy=None, **state):
    choice = (policy or Heuristic()).choose(observed(**state), ACTIONS)
    return ACTIONS[choice.action], choice


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ({"epoch": 4, "plateau": 9}, "WAIT"),
        ({"epoch": 5, "plateau": 2}, "WAIT"),
        ({"epoch": 5, "plateau": 3}, "GERMINATE_CONV_ENHANCE"),
        ({"stage": 2}, "ADVANCE"),
        ({"stage": 3, "in_stage": 2, "improvement": 9.0}, "WAIT"),
        ({"stage": 3, "in_stage": 3, "improvement": 1.0}, "ADVANCE"),
        ({"stage": 3, "in_stage": 4, "improvement": -9.0}, "WAIT"),
        ({"stage": 3, "in_stage": 5, "improvement": -2.0}, "WAIT"),
        ({"stage": 3, "in_stage": 5, "improvement": -2.1}, "CULL"),
        ({"stage": 4, "in_stage": 4, "total": 5.0}, "WAIT"),
        ({"stage": 4, "in_stage": 5, "total": 0.1}, "FOSSILIZE"),
        ({"stage": 4, "in_stage": 5, "total": 0.0}, "CULL"),
    ],
)
def test_the_rules_are_those_of_the_fact_sheet(state, action):
    assert decided(**state)[0] == action


def test_confidences_are_those_of_the_fact_sheet():
    assert decided(plateau=3)[1].confidence == pytest.approx(0.6)
    assert decided(plateau=9)[1].confidence == 1.0
    assert decided(stage=3, in_stage=3, improvement=2.5)[1].confidence == pytest.approx(0.5)
    assert decided(epoch=1)[1].confidence == 1.0


def test_blueprints_are_taken_in_turn_and_begin_anew_with_an_episode():
    policy = Heuristic()
    turns = [decided(policy, plateau=3)[0] for _ in range(5)]
    assert turns == [*ACTIONS[1:5], ACTIONS[1]]
    policy.begin(0)
    assert decided(policy, plateau=3)[0] == ACTIONS[1]


def test_what_is_not_allowed_is_not_done_and_the_reason_says_so():
    name, choice = decided(plateau=3, allowed=(True, *[False] * 7))
    assert name == "WAIT"
    assert "GERMINATE cannot be carried out now" in choice.reason


def test_every_other_allowed_action_has_a_why_not_with_numbers():
    choice = decided(stage=3, in_stage=3, improvement=0.4)[1]
    assert set(choice.why_not) == {"ADVANCE", "CULL", "FOSSILIZE"}
    assert "+0.40" in choice.why_not["ADVANCE"]
    assert "-2.00" in choice.why_not["CULL"]


def test_a_choice_is_certain():
    choice = decided(plateau=3)[1]
    assert choice.probabilities == (0, 1, 0, 0, 0, 0, 0, 0)
    assert not choice.is_exploratory


def test_a_variant_decides_otherwise():
    assert decided(Heuristic(VARIANTS["eager"]), epoch=3, plateau=1)[0] == "GERMINATE_CONV_ENHANCE"
    assert Thresholds() not in VARIANTS.values()
