"""Simulated learners whose mastery is known: item response with learning and forgetting.

Student s, concept c, step t; z is a log-odds, learned_0 = 0::

    z        = ability_s - difficulty_c + learned_sc          Rasch 1960: a logistic item-response model
    mastery  = sigmoid(z)
    P(right) = guess + (1 - guess - slip) * mastery           Corbett & Anderson 1995: guess and slip
    learned += gain_(right|wrong) * (1 - mastery)             Pavlik, Cen & Koedinger 2009 (PFA): successes
                                                              and failures teach at rates of their own
    learned *= 2 ** (-1 / half_life), each step elsewhere     Settles & Meeder 2016: memory halves, and
    half_life = base * growth ** attempts, capped             the half-life grows with every attempt

The forms are theirs; the values in `CLASSROOM` are chosen for a population like ASSISTments 2015 (median
length 20 with a long tail, about 70% right) and fitted to no data. Students stay on a concept for a
while, as in its skill builders, and popular concepts recur.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum._errors import ParameterError
from probatum.studies.gainakt.histories import Floats, Histories, Integers, Truth


@dataclass(frozen=True)
class LearnerModel:
    """The laws of a simulated population; log-odds unless a unit is noted."""

    ability_spread: float  # standard deviation over students
    difficulty_mean: float
    difficulty_spread: float  # standard deviation over concepts
    guess: float  # probability; Corbett & Anderson 1995 bound it by 0.3
    slip: float  # probability; Corbett & Anderson 1995 bound it by 0.1
    gain_right: float  # learned from a right answer by someone who knows nothing
    gain_wrong: float  # learned from a wrong one, with its feedback
    half_life_steps: float  # interactions until half is forgotten, before any practice
    half_life_growth: float  # factor per attempt
    half_life_cap_steps: float
    persistence: float  # probability that the next question asks the same concept
    popularity_exponent: float  # Zipf's law over concepts
    length_median: float  # interactions per student
    length_spread: float  # standard deviation of the logarithm of the length
    length_shortest: int
    length_longest: int


CLASSROOM = LearnerModel(
    ability_spread=1.0,  # the usual scale of a Rasch model
    difficulty_mean=-0.2,  # about 71% right answers; ASSISTments 2015 has 73.2%
    difficulty_spread=1.5,
    guess=0.1,  # open answers are rarely guessed; within the bound of 0.3
    slip=0.05,  # within the bound of 0.1
    gain_right=1.0,  # successes teach more than failures, the order that PFA finds
    gain_wrong=0.5,
    half_life_steps=20.0,
    half_life_growth=1.5,
    half_life_cap_steps=200.0,
    persistence=0.75,  # runs of 4 on average: skill builders ask for three right answers in a row
    popularity_exponent=0.5,
    length_median=20.0,  # ASSISTments 2015
    length_spread=0.95,  # gives a mean of about 30
    length_shortest=3,
    length_longest=200,
)


def simulate(*, students: int, concepts: int, seed: int, model: LearnerModel) -> Histories:
    """Return simulated histories with their truth: the same for the same arguments.

    Args:
        students: how many learners.
        concepts: how many concepts; all are named, the rare ones may be asked of nobody.
        seed: of the population, not of the training.
        model: the laws that the population obeys, `CLASSROOM` for one like ASSISTments 2015.

    Raises:
        ParameterError: fewer than one student or concept.

    Example:
        >>> histories = simulate(students=40, concepts=5, seed=7, model=CLASSROOM)
        >>> histories.student_count, histories.concept_count, histories.truth.mastery.shape[1]
        (40, 5, 5)
    """
    if students < 1 or concepts < 1:
        raise ParameterError(f"expected at least 1 student and 1 concept, got {students} and {concepts}.")
    draw = np.random.default_rng(seed)
    lengths = draw_lengths(students, model, draw)
    asked = draw_concepts(lengths, concepts, model, draw)  # (students, longest)
    ability = draw.normal(0, model.ability_spread, students)
    difficulty = draw.normal(model.difficulty_mean, model.difficulty_spread, concepts)
    luck = draw.random(asked.shape)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    answers, truth = answer(offsets, asked, ability[:, None] - difficulty, luck, model)
    real = np.arange(asked.shape[1]) < lengths[:, None]
    width = len(str(students - 1))
    return Histories(
        concepts=asked[real],
        responses=answers,
        offsets=offsets,
        concept_names=tuple(map(str, range(concepts))),
        student_names=tuple(f"simulated:{index:0{width}d}" for index in range(students)),
        folds=None,
        truth=truth,
    )


def draw_lengths(students: int, model: LearnerModel, draw: np.random.Generator) -> Integers:
    """Return the number of interactions of each student, log-normal and clipped, `(students,)`."""
    lengths = model.length_median * np.exp(model.length_spread * draw.standard_normal(students))
    return np.clip(np.rint(lengths), model.length_shortest, model.length_longest).astype(np.int64)


def draw_concepts(
    lengths: Integers, concepts: int, model: LearnerModel, draw: np.random.Generator
) -> Integers:
    """Return the concept asked at every step, `(students, longest)`: runs of one concept, then another."""
    shape = (len(lengths), int(lengths.max()))
    popularity = np.arange(1, concepts + 1) ** -model.popularity_exponent
    fresh = draw.choice(concepts, size=shape, p=draw.permutation(popularity / popularity.sum()))
    moves = draw.random(shape) >= model.persistence
    moves[:, 0] = True
    since = np.maximum.accumulate(np.where(moves, np.arange(shape[1]), 0), axis=1)  # step of the last move
    return np.take_along_axis(fresh, since, axis=1).astype(np.int64)


def answer(
    offsets: Integers, asked: Integers, start: Floats, luck: Floats, model: LearnerModel
) -> tuple[Integers, Truth]:
    """Return the answers, flat, and the truth, while all students go through their steps together.

    Args:
        offsets: `(students + 1,)`, where each student's interactions begin.
        asked: `(students, longest)`, concept per step.
        start: `(students, concepts)`, log-odds of mastery before any practice.
        luck: `(students, longest)`, uniform in [0, 1); an answer is right if it lies below its probability.
        model: the laws.
    """
    learned, attempts = np.zeros_like(start), np.zeros_like(start)
    answers = np.zeros(offsets[-1], dtype=np.int64)
    truth = Truth(mastery=np.zeros((offsets[-1], start.shape[1])), probability=np.zeros(offsets[-1]))
    lengths = np.diff(offsets)
    for step in range(asked.shape[1]):
        who = np.flatnonzero(lengths > step)
        what, row = asked[who, step], offsets[who] + step
        known = sigmoid(start[who, what] + learned[who, what])
        probability = model.guess + (1 - model.guess - model.slip) * known
        right = luck[who, step] < probability
        decay_steps = model.half_life_steps * model.half_life_growth ** attempts[who]
        kept = 2.0 ** (-1 / np.minimum(decay_steps, model.half_life_cap_steps))
        kept[np.arange(len(who)), what] = 1.0  # what is being practised is not forgotten
        learned[who] *= kept
        learned[who, what] += np.where(right, model.gain_right, model.gain_wrong) * (1 - known)
        attempts[who, what] += 1
        answers[row], truth.probability[row] = right, probability
        truth.mastery[row] = sigmoid(start[who] + learned[who])
    return answers, truth


def sigmoid(log_odds: Floats) -> Floats:
    """Return the probability with these log-odds."""
    return 1 / (1 + np.exp(-log_odds))
