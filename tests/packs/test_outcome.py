import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.packs.outcome import lifecycle_counts, summary

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def outcome(**changes):
    return summary(fakes.record(**changes))["outcome"]


def test_the_seeds_sample_trajectory_is_told():
    assert summary(fakes.grown())["trajectory"] == "plateau -> germinate -> blend -> fossilize"


def test_key_moments_carry_epochs_and_the_improvement():
    moments = summary(fakes.grown(facts={7: {"total_improvement": 4.2}}))["key_moments"]
    assert moments[0] == {"epoch": 5, "event": "plateau_detected"}
    assert moments[-1] == {
        "epoch": 8, "event": "fossilize", "improvement": "+4.2%", "improvement_points": 4.2
    }  # fmt: skip


def test_without_a_stated_improvement_it_is_counted_from_the_germination():
    assert summary(fakes.grown())["key_moments"][-1]["improvement_points"] == pytest.approx(46.0 - 40.2)


def test_an_episode_without_plateau_and_intervention_is_steady():
    told = summary(fakes.record())
    assert (told["trajectory"], told["outcome"]) == ("steady", "no_intervention_needed")


def test_a_second_plateau_is_a_moment_of_its_own():
    accuracies = (30.0, 30.0, 30.0, 30.0, 30.0, 40.0, 40.0, 40.0, 40.0, 40.0)
    events = [each["event"] for each in summary(fakes.record(accuracies=accuracies))["key_moments"]]
    assert events == ["plateau_detected", "plateau_detected"]


@pytest.mark.parametrize(
    ("without", "expected"),
    [(48.0, "successful_intervention"), (49.4, "neutral_intervention"), (50.0, "failed_intervention")],
)
def test_the_fork_of_the_first_intervention_decides(without, expected):
    told = summary(fakes.grown(counterfactuals={4: [40.0, 40.0, 40.0, 40.0, without]}))
    assert (told["outcome"], told["outcome_basis"]) == (expected, "counterfactual")
    assert told["gain_points"] == pytest.approx(49.0 - without)


def test_a_fork_of_a_later_intervention_does_not_decide():
    assert summary(fakes.grown(counterfactuals={7: [99.0, 99.0]}))["outcome_basis"] == "afterwards"


def test_a_fork_that_ends_early_is_compared_where_it_ends():
    assert summary(fakes.grown(counterfactuals={4: [40.0]}))["gain_points"] == pytest.approx(1.0)


def test_a_plateau_that_nobody_answered_is_a_missed_intervention():
    assert outcome(accuracies=fakes.FLAT) == "missed_intervention"


@pytest.mark.parametrize(
    "changes",
    [
        {"accuracies": fakes.FLAT[:7]},  # too late to do anything
        {"accuracies": fakes.FLAT, "allowed": [(True, *(False,) * 7)] * 10},  # nothing could be done
        {"accuracies": tuple(68.0 + value for value in fakes.FLAT)},  # nothing to gain
        {"accuracies": (*fakes.FLAT[:9], 35.0)},  # it rose by itself
    ],
)
def test_such_a_plateau_needed_no_intervention(changes):
    assert outcome(**changes) == "no_intervention_needed"


def test_the_outcome_is_unmeasured_without_a_last_accuracy():
    assert outcome(accuracies=(30.0, 40.0, None)) == "unmeasured"
    assert outcome(accuracies=(30.0, 40.0, None), done={0: "CULL"}) == "unmeasured"


def test_the_test_accuracy_decides_nothing():
    assert summary(fakes.grown(test_accuracy=0.0)) == summary(fakes.grown(test_accuracy=100.0))


def test_every_seed_is_counted_once():
    assert lifecycle_counts(fakes.grown()) == {"created": 1, "fossilized": 1, "culled": 0}


def test_advance_into_the_last_stage_counts_as_fossilized():
    record = fakes.record(done={1: "GERMINATE_NORM", 3: "ADVANCE"}, stages=(1, 1, 3, 4, 7, 7, 7, 7))
    assert lifecycle_counts(record)["fossilized"] == 1
