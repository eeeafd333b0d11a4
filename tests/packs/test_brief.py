import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum._errors import UsageError
from probatum.packs.brief import episode_brief, episode_markdown
from probatum.packs.record import episode_record

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def told(decision=None, **changes):
    episode = json.loads(json.dumps(episode_record(fakes.grown(**changes), fakes.SCHEMA)))
    return episode_brief(episode, decision)


def test_every_decision_has_its_brief():
    brief = told()
    assert [each["decision"] for each in brief["decisions"]] == list(range(9))
    assert json.dumps(brief, allow_nan=False)


def test_one_decision_can_be_asked_for():
    text = episode_markdown(told(4))
    assert "## Epoch 5: GERMINATE_NORM" in text
    assert text.count("## Epoch") == 1


def test_a_decision_that_is_not_there_is_said():
    with pytest.raises(UsageError, match="has 9 decisions, 0 to 8; there is no decision 9"):
        told(9)


def test_numbers_stand_behind_every_flag():
    text = episode_markdown(told(4))
    assert "evidence: accuracy_share 0.402 below 0.5" in text
    assert "| val_accuracy | 40.2 |" in text


def test_why_why_not_and_hindsight_are_told():
    text = episode_markdown(told(4, counterfactuals={4: [40.0, 40.0, 40.0, 40.0, 41.0]}))
    assert "Reason: because of GERMINATE_NORM" in text
    assert "- CULL: not CULL" in text
    assert "A good decision, by counterfactual: 49.0% after 5 epochs, against 41.0% of the same run" in text


def test_an_episode_is_headed_by_its_summary():
    text = episode_markdown(told())
    assert text.startswith("# episode_0000: successful_intervention\n")
    assert "plateau -> germinate -> blend -> fossilize" in text
    assert "- epoch 8: fossilize (+5.8%)" in text


def test_exploration_and_refusal_are_told():
    choices = [fakes.choice("CULL", greedy=0), *[fakes.choice()] * 8]
    text = episode_markdown(told(0, choices=choices, allowed=[(True, *(False,) * 7)] * 10))
    assert "taken to explore in place of WAIT" in text
    assert "not allowed, so that nothing was done" in text


def test_words_of_other_people_are_no_markdown():
    evil = "<script>x</script> [a](http://b) | *c* `d` __e__\n# f"
    choices = [fakes.choice(reason=evil, why_not={evil: evil}), *[fakes.choice()] * 8]
    text = episode_markdown(told(0, choices=choices, policy=evil))
    for bad in ("<script>", "[a](", "http://", " *c*", " `d`", " __e__", "\n# f"):
        assert bad not in text, bad


def test_an_accuracy_that_is_missing_is_said():
    text = episode_markdown(told(0, test_accuracy=None))
    assert "test accuracy not measured" in text
