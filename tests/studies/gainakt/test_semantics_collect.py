"""The facts of a split, step by step."""

import numpy as np

from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.histories import Histories
from probatum.studies.gainakt.protocol import windows_of
from probatum.studies.gainakt.semantics_collect import StepFacts


def facts_of(seq_len):
    histories = Histories.from_names(
        [["9"] * 3, ["1", "2", "1", "1", "2", "2"]], [[1, 1, 1], [1, 0, 0, 1, 0, 1]], ["not here", "ann"]
    )
    windows = windows_of(histories, np.array([1]), seq_len=seq_len, min_length=3)
    return StepFacts.of(Split(windows, bucket_batches=1))


def test_a_step_is_about_the_next_interaction():
    facts = facts_of(6)
    assert facts.responses.tolist() == [0, 0, 1, 0, 1]
    assert facts.concepts.tolist() == [1, 0, 0, 1, 1]
    assert facts.students.tolist() == [1]
    assert facts.owners.tolist() == [0] * 5


def test_step_index_and_practice_count_only_what_came_before():
    facts = facts_of(6)
    assert facts.step_index.tolist() == [1, 2, 3, 4, 5]
    assert facts.practice.tolist() == [0, 1, 2, 1, 2]


def test_windows_of_one_student_are_one_student_and_lose_their_first_answer():
    facts = facts_of(3)
    assert facts.owners.tolist() == [0, 0, 0, 0]
    assert facts.responses.tolist() == [0, 0, 0, 1]
    assert facts.step_index.tolist() == [1, 2, 4, 5]
    assert facts.practice.tolist() == [0, 1, 1, 2]
