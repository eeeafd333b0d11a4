"""Histories: pooling, digests, practice counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import RecordError
from probatum.studies.gainakt.histories import Histories, pool, practice_counts


def small(names, answers, students=("a", "b")):
    return Histories.from_names(names, answers, students[: len(names)])


def test_concepts_are_dense_and_keep_their_original_names():
    histories = small([["40", "7"], ["7"]], [[1, 0], [1]])
    assert histories.concept_names == ("7", "40")
    assert histories.concepts.tolist() == [1, 0, 0]


def test_pooling_unites_concepts_and_keeps_every_interaction():
    pooled = pool([small([["1", "3"]], [[1, 0]]), small([["2"], ["3"]], [[1], [1]])])
    names = [pooled.concept_names[index] for index in pooled.concepts]
    assert names == ["1", "3", "2", "3"]
    assert pooled.offsets.tolist() == [0, 2, 3, 4]
    assert pooled.student_count == 3


def test_pooling_files_with_and_without_folds_is_refused():
    from dataclasses import replace

    plain = small([["1"]], [[1]])
    with pytest.raises(RecordError, match="every pooled file to state folds"):
        pool([plain, replace(plain, folds=np.array([0]))])


@pytest.mark.parametrize(
    "other",
    [
        small([["1", "2"], ["2"]], [[1, 0], [0]]),  # an answer
        small([["1", "1"], ["2"]], [[1, 0], [1]]),  # a concept
        small([["1"], ["2", "2"]], [[1], [0, 1]]),  # who answered
        small([["1", "3"], ["3"]], [[1, 0], [1]]),  # a name
    ],
)
def test_the_digest_sees_every_change(other):
    assert small([["1", "2"], ["2"]], [[1, 0], [1]]).digest() != other.digest()


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=30), min_size=1, max_size=6))
def test_practice_counts_equal_a_plain_count(rows):
    histories = Histories.from_names(
        [list(map(str, row)) for row in rows],
        [[1] * len(row) for row in rows],
        list(map(str, range(len(rows)))),
    )
    expected = [row[:step].count(row[step]) for row in rows for step in range(len(row))]
    assert practice_counts(histories).tolist() == expected
