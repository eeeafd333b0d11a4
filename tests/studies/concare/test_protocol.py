"""Splits by patient: complete, disjoint, stratified, and independent of everything but their seed."""

from dataclasses import replace

import numpy as np
import pytest

from probatum._errors import ParameterError, RecordError
from probatum.studies.concare.protocol import Protocol, split_rows

POOLED = Protocol("pooled", val_share=0.1, test_share=0.1, split_seed=1)
OFFICIAL = Protocol("official", val_share=0.2, test_share=0.1, split_seed=1)


@pytest.mark.parametrize("protocol", [POOLED, OFFICIAL])
def test_every_patient_is_in_exactly_one_split(cohort, protocol):
    rows = np.concatenate(list(split_rows(cohort, protocol).values()))
    assert sorted(rows.tolist()) == list(range(cohort.count))


def test_pooled_shares_are_8_1_1(cohort):
    sizes = {name: len(rows) for name, rows in split_rows(cohort, POOLED).items()}
    assert sizes == {"train": 240, "valid": 30, "test": 30}


def test_official_tests_on_the_other_sets_alone(cohort):
    rows = split_rows(cohort, OFFICIAL)
    assert set(cohort.sets[rows["test"]]) == {"b"}
    assert set(cohort.sets[np.concatenate([rows["train"], rows["valid"]])]) == {"a"}


@pytest.mark.parametrize("protocol", [POOLED, OFFICIAL])
def test_outcomes_have_the_same_share_up_to_one_patient(cohort, protocol):
    rows = split_rows(cohort, protocol)
    whole = np.concatenate([rows["train"], rows["valid"]])
    expected = cohort.targets[whole].mean() * len(rows["valid"])
    assert abs(cohort.targets[rows["valid"]].sum() - expected) <= 1


def test_another_split_seed_gives_another_split(cohort):
    chosen = [split_rows(cohort, replace(POOLED, split_seed=seed))["test"].tolist() for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_values_play_no_part(cohort):
    shuffled = replace(cohort, values=cohort.values[::-1])
    for name, rows in split_rows(cohort, POOLED).items():
        np.testing.assert_array_equal(rows, split_rows(shuffled, POOLED)[name])


def test_a_stated_validation_set_is_kept(cohort):
    sets = np.where(np.arange(cohort.count) < 20, "valid", cohort.sets)
    sets[0] = "a"
    rows = split_rows(replace(cohort, sets=sets), OFFICIAL)
    assert rows["valid"].tolist() == list(range(1, 20))


def test_the_official_protocol_needs_two_sets(cohort):
    with pytest.raises(RecordError, match=r"expected two sets, got \['a'\].*'pooled'"):
        split_rows(replace(cohort, sets=np.full(cohort.count, "a")), OFFICIAL)


def test_shares_that_leave_nobody_to_train_are_refused():
    with pytest.raises(ParameterError, match=r"leave patients to train, got 0\.6 and 0\.4"):
        Protocol("pooled", val_share=0.6, test_share=0.4, split_seed=1)


def test_an_empty_split_is_told(cohort):
    with pytest.raises(RecordError, match="split is empty: expected at least one patient, got 4"):
        split_rows(cohort.take(np.arange(4)), POOLED)
