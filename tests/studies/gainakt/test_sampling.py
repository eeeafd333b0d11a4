"""Samples of students: seeded, without repetition, even over lengths."""

import numpy as np

from probatum.studies.gainakt.sampling import sample_by_length, sample_students, seed_from


def test_a_sample_holds_distinct_eligible_students_and_is_the_same_again():
    eligible = np.arange(0, 300, 3)
    chosen = sample_students(eligible, 50, seed=4)
    assert len(set(chosen.tolist())) == 50
    assert set(chosen) <= set(eligible)
    assert np.array_equal(chosen, sample_students(eligible, 50, seed=4))
    assert not np.array_equal(chosen, sample_students(eligible, 50, seed=5))


def test_a_sample_is_not_the_first_students_of_the_file():
    assert sample_students(np.arange(10_000), 50, seed=4).mean() > 3000


def test_deciles_of_length_are_drawn_evenly_even_when_the_size_is_no_multiple_of_ten():
    lengths = np.random.default_rng(1).permutation(1000)
    chosen = sample_by_length(np.arange(1000), lengths, 64, seed=4)
    counts = np.bincount(lengths[chosen] // 100, minlength=10)
    assert len(set(chosen.tolist())) == 64
    assert set(counts.tolist()) == {6, 7}


def test_a_small_cohort_is_taken_whole():
    assert sample_by_length(np.array([5, 2]), np.array([1, 1]), 600, seed=1).tolist() == [2, 5]


def test_the_seed_comes_from_the_digest():
    assert seed_from("00000000000000ff" + "0" * 48) == 255
