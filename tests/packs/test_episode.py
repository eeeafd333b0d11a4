import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum._errors import UsageError
from probatum.packs.record import episode_record

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def test_a_record_names_its_interventions():
    assert fakes.grown().interventions == [4, 5, 7]


def test_an_action_that_was_not_allowed_is_no_intervention():
    only_wait = [(True, *(False,) * 7)] * 8
    assert fakes.record(done={2: "CULL"}, allowed=only_wait).interventions == []


def test_all_that_does_not_fit_is_said_at_once():
    with pytest.raises(UsageError) as error:
        fakes.record(choices=[fakes.choice(action=99)], counterfactuals={7: [1.0]})
    text = str(error.value)
    assert "one choice per observation but the last, got 1 for 8" in text
    assert "choice 0 names action 99 of 8" in text
    assert "a counterfactual of decision 7, and 1 decisions" in text


def test_probabilities_are_one_per_action():
    with pytest.raises(UsageError, match="choice 0 has 2 probabilities for 8 actions"):
        fakes.record(choices=[fakes.choice(probabilities=(0.5, 0.5))] * 7)


def test_wait_is_the_first_action():
    with pytest.raises(UsageError, match="WAIT as the first action"):
        fakes.record(actions=("CULL", *fakes.ACTIONS[1:]))


def test_an_id_is_one_line():
    with pytest.raises(UsageError, match="id of one line"):
        fakes.record(episode_id="a\nb")


def test_a_record_has_the_seeds_keys():
    episode = episode_record(fakes.grown(), fakes.SCHEMA)
    assert {"episode_id", "summary", "decisions"} <= set(episode)
    assert {"trajectory", "key_moments", "outcome"} <= set(episode["summary"])
    decision = episode["decisions"][4]
    assert {"observation", "action", "decision_context", "hindsight"} <= set(decision)
    context = {"narrative", "red_flags", "opportunities", "why_this_action", "why_not_alternatives"}
    assert context <= set(decision["decision_context"])
    assert {"was_good_decision", "accuracy_5_epochs_later"} <= set(decision["hindsight"])


def test_an_action_is_told_by_family_and_blueprint():
    action = episode_record(fakes.grown(), fakes.SCHEMA)["decisions"][4]["action"]
    assert (action["action"], action["blueprint_id"]) == ("GERMINATE", "norm")
    assert (action["name"], action["index"]) == ("GERMINATE_NORM", 3)


def test_the_hidden_cause_and_the_test_accuracy_are_in_no_observation():
    settings = fakes.EpisodeSettings(seed=1, cause="sharp_minimum")
    plain = episode_record(fakes.record(test_accuracy=11.25), fakes.SCHEMA)
    other = episode_record(fakes.record(test_accuracy=99.75, settings=settings), fakes.SCHEMA)
    assert [each["observation"] for each in plain["decisions"]] == [
        each["observation"] for each in other["decisions"]
    ]
    assert [each["reward"] for each in plain["decisions"]] == [each["reward"] for each in other["decisions"]]


def test_what_was_not_measured_is_null_in_an_observation():
    observation = episode_record(fakes.record(), fakes.SCHEMA)["decisions"][0]["observation"]
    assert observation["loss_delta"] is None
    assert observation["val_accuracy"] == 20.0


def test_a_number_that_is_not_finite_becomes_null():
    facts = {2: {"total_improvement": float("inf")}}
    episode = episode_record(fakes.record(facts=facts, test_accuracy=float("nan")), fakes.SCHEMA)
    assert episode["decisions"][2]["facts"] == {"total_improvement": None}
    assert episode["test_accuracy"] is None
