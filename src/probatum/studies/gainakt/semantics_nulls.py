"""What a correlation is worth: the same correlation for things that know nothing of the student.

Mastery that can only rise mostly encodes how long the student has practised. So each reported correlation
stands beside that of three contents-free curves: the step index, the number of earlier attempts at the
concept asked next, and the mastery of *another* student with a history of about the same length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probatum.studies.gainakt.correlation import grouped_pearson, mean_defined
from probatum.studies.gainakt.semantics_collect import StepFacts

Integers = NDArray[np.int64]
SHIFTS = 5  # donors per student: neighbours in length


def curve_null(curve: Integers, facts: StepFacts, students: Integers, *, min_steps: int) -> float | None:
    """Return the mean over `students` of Pearson's r between a curve and the next responses."""
    by_student = grouped_pearson(
        curve, facts.responses, facts.owners, facts.student_count, min_steps=min_steps
    )
    return mean_defined(by_student[students])


def shuffled_null(
    values: NDArray, facts: StepFacts, students: Integers, *, seed: int, min_steps: int
) -> float | None:
    """Return the mean correlation when every student is given the trajectory of another.

    The students are put in the order of their lengths, ties at random; each takes the trajectory of the one
    1, 2, .. `SHIFTS` places on, cut to the shorter of the two. Neighbours are of about the same length, so
    what the length and the step index explain stays, and only the student's own answers are lost.

    Args:
        values: `(steps,)`, mastery or gain of the concept asked next.
        facts: of the split.
        students: `(n,)`, indices within the split.
        seed: from the digest of the data; breaks ties.
        min_steps: fewest steps that define a correlation.

    Returns:
        The mean over students and shifts; None where undefined, as with a single student.
    """
    sizes = np.bincount(facts.owners, minlength=facts.student_count)
    begins = np.cumsum(sizes) - sizes
    order = students[np.lexsort((np.random.default_rng(seed).random(len(students)), sizes[students]))]
    means = [
        donated(values, facts, order, np.roll(order, -shift), begins, sizes, min_steps)
        for shift in range(1, min(SHIFTS, len(order) - 1) + 1)
    ]
    defined = [value for value in means if value is not None]
    return float(np.mean(defined)) if defined else None


def donated(
    values: NDArray, facts: StepFacts, takers: Integers, donors: Integers,
    begins: Integers, sizes: Integers, min_steps: int,
) -> float | None:  # fmt: skip
    """Return the mean correlation of the donors' values with the takers' responses."""
    common = np.minimum(sizes[takers], sizes[donors])
    row = np.repeat(np.arange(len(takers)), common)
    step = np.arange(len(row)) - np.repeat(np.cumsum(common) - common, common)
    given, taken = values[begins[donors][row] + step], facts.responses[begins[takers][row] + step]
    return mean_defined(grouped_pearson(given, taken, row, len(takers), min_steps=min_steps))
