import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.packs.hindsight import hindsight

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def judged(position, **changes):
    return hindsight(fakes.record(**changes), position)


def test_a_counterfactual_judges_an_intervention_at_the_last_common_epoch():
    found = judged(1, done={1: "CULL"}, counterfactuals={1: [40.0, 44.0, 46.0, 47.0, 48.0, 49.0]})
    assert found["basis"] == "counterfactual"
    assert (found["accuracy_after"], found["accuracy_without"]) == (62.0, 49.0)
    assert found["difference_points"] == pytest.approx(13.0)
    assert found["was_good_decision"] is True


@pytest.mark.parametrize(("without", "good"), [(61.4, True), (61.5, False), (62.0, False), (63.0, False)])
def test_an_intervention_must_win_more_than_the_margin(without, good):
    found = judged(5, done={5: "CULL"}, counterfactuals={5: [60.0, without]})
    assert found["was_good_decision"] is good


def test_a_counterfactual_that_goes_beyond_the_episode_is_read_to_its_end():
    found = judged(5, done={5: "CULL"}, counterfactuals={5: [60.0, 61.0, 0.0, 0.0]})
    assert (found["horizon_epochs"], found["accuracy_without"]) == (2, 61.0)


def test_without_a_counterfactual_what_came_later_judges():
    found = judged(1, done={1: "CULL"})
    assert found["basis"] == "afterwards"
    assert (found["horizon_epochs"], found["accuracy_after"]) == (5, 60.0)
    assert found["was_good_decision"] is True


def test_a_germination_is_given_time_to_blend():
    assert judged(1, done={1: "GERMINATE_NORM"}, accuracies=(30.0,) * 14)["horizon_epochs"] == 10


def test_accuracy_five_epochs_later_is_null_where_the_episode_ended():
    assert judged(2)["accuracy_5_epochs_later"] == 62.0
    assert judged(3)["accuracy_5_epochs_later"] is None
    assert judged(3)["horizon_epochs"] == 4


def test_waiting_while_accuracy_rises_is_good():
    assert judged(2)["was_good_decision"] is True


def test_waiting_while_accuracy_falls_is_not():
    assert (
        judged(2, accuracies=(60.0, 59.0, 58.0, 50.0, 48.0, 47.0, 46.0, 45.0))["was_good_decision"] is False
    )


def test_waiting_on_a_plateau_with_something_to_do_is_not():
    assert judged(4, accuracies=fakes.FLAT)["was_good_decision"] is False


def test_waiting_on_a_plateau_with_nothing_to_do_is_good():
    only_wait = [(True, *(False,) * 7)] * 10
    assert judged(4, accuracies=fakes.FLAT, allowed=only_wait)["was_good_decision"] is True


def test_waiting_at_the_ceiling_is_good():
    assert judged(4, accuracies=(95.0, 98.0, 98.1, 98.1, 98.1, 98.2, 98.2))["was_good_decision"] is True


def test_a_refused_intervention_is_judged_as_waiting():
    only_wait = [(True, *(False,) * 7)] * 8
    found = judged(1, done={1: "CULL"}, allowed=only_wait, counterfactuals={1: [0.0]})
    assert found["basis"] == "afterwards"


def test_nothing_is_judged_where_accuracy_was_not_measured():
    found = judged(1, accuracies=(30.0, None, 40.0, 50.0))
    assert (found["was_good_decision"], found["basis"]) == (None, "unmeasured")
