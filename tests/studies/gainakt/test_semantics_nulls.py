"""Null baselines: they know the length and the step, and nothing of the student."""

import numpy as np

from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.histories import Histories
from probatum.studies.gainakt.protocol import windows_of
from probatum.studies.gainakt.semantics_collect import StepFacts
from probatum.studies.gainakt.semantics_nulls import curve_null, shuffled_null


def facts_of(answers):
    histories = Histories.from_names(
        [["1"] * len(row) for row in answers], answers, [str(i) for i in range(len(answers))]
    )
    windows = windows_of(histories, np.arange(len(answers)), seq_len=200, min_length=3)
    return StepFacts.of(Split(windows, bucket_batches=1))


def test_the_step_null_is_the_mean_correlation_with_the_step():
    answers = [[0, 0, 1, 1, 1], [1, 1, 0, 1, 0, 0]]
    expected = np.mean([np.corrcoef(range(1, len(row)), row[1:])[0, 1] for row in answers])
    facts = facts_of(answers)
    assert np.isclose(curve_null(facts.step_index, facts, np.arange(2), min_steps=3), expected)


def test_a_curve_that_is_the_answer_itself_is_worth_nothing_once_shuffled():
    draw = np.random.default_rng(1)
    facts = facts_of([draw.integers(0, 2, draw.integers(10, 40)).tolist() for _ in range(300)])
    everyone = np.arange(300)
    assert curve_null(facts.responses, facts, everyone, min_steps=3) > 0.999
    assert abs(shuffled_null(facts.responses, facts, everyone, seed=1, min_steps=3)) < 0.03


def test_two_students_swap_their_trajectories_cut_to_the_shorter():
    answers = [[0, 0, 1, 1, 0], [1, 1, 0, 1, 0, 0, 1]]
    facts = facts_of(answers)
    one, two = answers[0][1:], answers[1][1:]
    expected = np.corrcoef(one, two[:4])[0, 1]  # both directions are the same
    assert np.isclose(shuffled_null(facts.responses, facts, np.arange(2), seed=1, min_steps=3), expected)


def test_a_single_student_has_no_one_to_swap_with():
    facts = facts_of([[0, 1, 0, 1]])
    assert shuffled_null(facts.responses, facts, np.arange(1), seed=1, min_steps=3) is None
