"""Simulated learners: repeatable, shaped like ASSISTments 2015, and true to their own laws."""

from dataclasses import replace

import numpy as np
import pytest

from probatum._errors import ParameterError
from probatum.studies.gainakt.discrimination import auc
from probatum.studies.gainakt.simulate import CLASSROOM, simulate


@pytest.fixture(scope="module")
def learners():
    return simulate(students=600, concepts=20, seed=1, model=CLASSROOM)


def test_the_same_seed_gives_the_same_learners_and_another_gives_others():
    one, again, other = (simulate(students=30, concepts=4, seed=seed, model=CLASSROOM) for seed in (1, 1, 2))
    assert one.digest() == again.digest() != other.digest()
    assert np.array_equal(one.truth.mastery, again.truth.mastery)


def test_lengths_and_answers_look_like_assistments_2015(learners):
    assert 16 <= np.median(learners.lengths) <= 24
    assert learners.lengths.min() >= 3
    assert learners.lengths.max() > 100
    assert 0.65 < learners.responses.mean() < 0.8


def test_answers_follow_the_true_probability(learners):
    chance = learners.truth.probability
    z = (learners.responses.sum() - chance.sum()) / np.sqrt((chance * (1 - chance)).sum())
    assert abs(z) < 4


def test_the_truth_separates_right_from_wrong_far_better_than_a_constant(learners):
    assert auc(learners.responses, learners.truth.probability) > 0.72


def test_the_true_probability_is_the_mastery_before_the_answer_with_guess_and_slip(learners):
    inner = np.setdiff1d(np.arange(1, learners.interaction_count), learners.offsets)
    concept = learners.concepts[inner]
    stays = inner[learners.concepts[inner - 1] == concept]  # a concept asked twice running: nothing forgotten
    before = learners.truth.mastery[stays - 1, learners.concepts[stays]]
    expected = CLASSROOM.guess + (1 - CLASSROOM.guess - CLASSROOM.slip) * before
    # Between the two questions the memory of the practised concept is not touched.
    assert np.allclose(learners.truth.probability[stays], expected, atol=1e-12)


def test_practice_raises_mastery_and_rest_lowers_it():
    learners = simulate(students=50, concepts=2, seed=3, model=replace(CLASSROOM, half_life_steps=3.0))
    inner = np.setdiff1d(np.arange(1, learners.interaction_count), learners.offsets)
    change = learners.truth.mastery[inner] - learners.truth.mastery[inner - 1]
    practised = learners.concepts[inner]
    rows = np.arange(len(inner))
    assert (change[rows, practised] > 0).all()
    assert (change[rows, 1 - practised] <= 0).all()
    assert (change[rows, 1 - practised] < 0).any()


def test_a_vectorised_population_equals_one_student_at_a_time():
    from probatum.studies.gainakt.simulate import answer

    draw = np.random.default_rng(5)
    offsets, asked = np.array([0, 4, 6, 13]), draw.integers(3, size=(3, 7))
    start, luck = draw.normal(size=(3, 3)), draw.random((3, 7))
    answers, truth = answer(offsets, asked, start, luck, CLASSROOM)
    for s in range(3):
        own = slice(offsets[s], offsets[s + 1])
        alone, known = answer(
            np.array([0, offsets[s + 1] - offsets[s]]),
            asked[s : s + 1],
            start[s : s + 1],
            luck[s : s + 1],
            CLASSROOM,
        )
        assert np.array_equal(answers[own], alone)
        assert np.array_equal(truth.mastery[own], known.mastery)


def test_no_learners_or_no_concepts_is_refused():
    with pytest.raises(ParameterError, match="at least 1 student and 1 concept, got 0 and 3"):
        simulate(students=0, concepts=3, seed=1, model=CLASSROOM)
