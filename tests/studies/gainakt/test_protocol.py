"""pyKT's protocol: who is where, and how histories are cut."""

from dataclasses import replace

import numpy as np
import pytest

from probatum._errors import ParameterError, RecordError
from probatum.studies.gainakt.histories import Histories
from probatum.studies.gainakt.protocol import DROPPED, TEST, Protocol, split, student_folds, windows_of

RULES = Protocol(seq_len=5, min_interactions=3, test_share=0.2, fold_count=5, fold=0, split_seed=1)


def cohort(lengths):
    return Histories.from_names(
        [["1"] * n for n in lengths],
        [[k % 2 for k in range(n)] for n in lengths],
        [f"s{i}" for i in range(len(lengths))],
    )


def test_every_kept_student_is_on_exactly_one_side():
    parts = split(cohort([4] * 100), RULES)
    sides = [set(part.students.tolist()) for part in parts.values()]
    assert set.union(*sides) == set(range(100))
    assert sum(map(len, sides)) == 100
    assert {name: len(side) for name, side in zip(parts, sides, strict=True)} == {
        "train": 64, "validation": 16, "test": 20,
    }  # fmt: skip


def test_students_with_fewer_than_three_interactions_are_dropped():
    folds = student_folds(cohort([2] * 5 + [3] * 20), RULES)
    assert (folds[:5] == DROPPED).all()
    assert (folds[5:] != DROPPED).all()


def test_the_folds_cover_all_students_but_the_test_ones_and_share_one_test():
    histories = cohort([4] * 53)
    validated = [set(split(histories, replace(RULES, fold=fold))["validation"].students) for fold in range(5)]
    tested = {tuple(split(histories, replace(RULES, fold=fold))["test"].students) for fold in range(5)}
    assert len(tested) == 1
    assert set.union(*validated) == set(range(53)) - set(next(iter(tested)))
    assert sum(map(len, validated)) == 43
    assert {len(fold) for fold in validated} == {8, 9}


def test_another_split_seed_splits_otherwise_and_the_same_one_alike():
    histories = cohort([4] * 50)
    one, again, other = (split(histories, replace(RULES, split_seed=seed))["test"] for seed in (1, 1, 2))
    assert one.digest() == again.digest() != other.digest()


def test_long_histories_become_windows_and_remainders_under_three_are_lost():
    windows = windows_of(cohort([12, 13, 5, 3]), np.arange(4), seq_len=5, min_length=3)
    assert windows.students.tolist() == [0, 0, 1, 1, 1, 2, 3]
    assert windows.lengths.tolist() == [5, 5, 5, 5, 3, 5, 3]
    assert windows.starts.tolist() == [0, 5, 12, 17, 22, 25, 30]


def test_windows_follow_the_order_of_the_chosen_students():
    windows = windows_of(cohort([4, 3, 6]), np.array([2, 0]), seq_len=5, min_length=1)
    assert windows.students.tolist() == [2, 2, 0]
    assert windows.starts.tolist() == [7, 12, 0]


def test_folds_stated_by_the_file_are_kept():
    stated = np.array([0, 1, TEST] * 4)
    histories = replace(cohort([4] * 12), folds=stated)
    assert student_folds(histories, RULES).tolist() == stated.tolist()


def test_a_file_that_states_folds_but_no_test_still_gets_one():
    histories = replace(cohort([4] * 20), folds=np.arange(20) % 5)
    folds = student_folds(histories, RULES)
    assert (folds == TEST).sum() == 4
    assert (folds[folds != TEST] == (np.arange(20) % 5)[folds != TEST]).all()


def test_the_digest_of_a_split_sees_a_changed_answer():
    histories = cohort([4] * 50)
    changed = replace(histories, responses=1 - histories.responses)
    assert split(histories, RULES)["train"].digest() != split(changed, RULES)["train"].digest()


def test_an_empty_split_is_refused_with_its_name():
    with pytest.raises(RecordError, match="the test split is empty"):
        split(cohort([4] * 4), RULES)
    with pytest.raises(RecordError, match="the validation split is empty"):
        split(replace(cohort([4] * 20), folds=np.ones(20, dtype=np.int64)), RULES)


def test_impossible_rules_are_all_told_at_once():
    with pytest.raises(
        ParameterError, match=r"`seq_len` must be .*, got 2; `test_share` .*got 1.5; `fold` .*0..4, got 5"
    ):
        Protocol(seq_len=2, min_interactions=3, test_share=1.5, fold_count=5, fold=5, split_seed=1)
