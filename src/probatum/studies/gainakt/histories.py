"""Who practised what, and whether it went right: the one structure every reader returns."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probatum._errors import RecordError

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Truth:
    """What only a simulation knows, one row per interaction."""

    mastery: Floats  # (interactions, concepts), probability that a concept is known, after this interaction
    probability: Floats  # (interactions,), probability of a correct answer when it was asked


@dataclass(frozen=True, eq=False)
class Histories:
    """The interactions of many students, flat: student s owns `offsets[s]:offsets[s + 1]`.

    Example:
        >>> histories = Histories.from_names([["7", "9"], ["9"]], [[1, 0], [1]], ["ann", "ben"])
        >>> histories.concepts.tolist(), histories.offsets.tolist(), histories.concept_names
        ([0, 1, 1], [0, 2, 3], ('7', '9'))
        >>> histories.student_count, histories.interaction_count, histories.concept_count
        (2, 3, 2)
    """

    concepts: Integers  # (interactions,), 0..concept_count-1
    responses: Integers  # (interactions,), 1 if correct, else 0
    offsets: Integers  # (students + 1,)
    concept_names: tuple[str, ...]  # the ids as they stood in the file; position = concept index
    student_names: tuple[str, ...]
    folds: Integers | None  # (students,), the fold that the file states; -1 = test; None when it states none
    truth: Truth | None  # known for simulated learners only

    @classmethod
    def from_names(
        cls, concepts: Sequence[Sequence[str]], responses: Sequence[Sequence[int]], students: Sequence[str]
    ) -> Histories:
        """Return histories from plain lists: handy for small examples and tests."""
        offsets = np.cumsum([0, *(len(row) for row in concepts)], dtype=np.int64)
        flat = [int(name) for row in concepts for name in row]
        answers = np.array([value for row in responses for value in row], dtype=np.int64)
        return from_ids(np.array(flat, dtype=np.int64), answers, offsets, tuple(students), None)

    @property
    def student_count(self) -> int:
        """Return the number of students."""
        return len(self.offsets) - 1

    @property
    def interaction_count(self) -> int:
        """Return the number of answered items over all students."""
        return len(self.concepts)

    @property
    def concept_count(self) -> int:
        """Return the number of distinct concepts, as found in the data."""
        return len(self.concept_names)

    @property
    def lengths(self) -> Integers:
        """Return the number of interactions of every student, `(students,)`."""
        return np.diff(self.offsets)

    def digest(self) -> str:
        """Return the SHA-256 of the content: names, order, concepts, responses and stated folds."""
        parts = [self.concepts, self.responses, self.offsets]
        parts += [] if self.folds is None else [self.folds]
        return digest_of("\x1f".join((*self.concept_names, "", *self.student_names)), *parts)


def digest_of(text: str, *arrays: Integers) -> str:
    """Return the SHA-256 of a text and of integer arrays, the same on every machine."""
    state = hashlib.sha256(text.encode())
    for array in arrays:
        state.update(f"|{len(array)}|".encode())
        state.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    return state.hexdigest()


def from_ids(
    ids: Integers, responses: Integers, offsets: Integers, students: tuple[str, ...], folds: Integers | None
) -> Histories:
    """Return histories whose concept indices are dense, in the order of the file's integer `ids`."""
    names, concepts = np.unique(ids, return_inverse=True)
    return Histories(
        concepts=concepts.astype(np.int64).reshape(-1),
        responses=responses,
        offsets=offsets,
        concept_names=tuple(map(str, names.tolist())),
        student_names=students,
        folds=folds,
        truth=None,
    )


def from_texts(
    names: Sequence[str], responses: Integers, offsets: Integers, students: tuple[str, ...]
) -> Histories:
    """Return histories whose concepts are called by texts, dense in alphabetical order."""
    ordered = sorted(set(names))
    index = {name: position for position, name in enumerate(ordered)}
    ids = np.fromiter((index[name] for name in names), dtype=np.int64, count=len(names))
    return replace(from_ids(ids, responses, offsets, students, None), concept_names=tuple(ordered))


def pool(parts: Sequence[Histories]) -> Histories:
    """Return the students of all `parts`, one after the other, over the union of their concepts.

    Raises:
        RecordError: some parts state folds and others do not.

    Example:
        >>> one = Histories.from_names([["1", "3"]], [[1, 0]], ["a"])
        >>> two = Histories.from_names([["2"]], [[1]], ["b"])
        >>> both = pool([one, two])
        >>> both.concept_names, both.concepts.tolist(), both.student_names
        (('1', '2', '3'), [0, 2, 1], ('a', 'b'))
    """
    if len({part.folds is None for part in parts}) != 1:
        raise RecordError("expected every pooled file to state folds, or none; some do and some do not.")
    ordered = in_order({name for part in parts for name in part.concept_names})
    index = {name: position for position, name in enumerate(ordered)}
    ids = [np.array([index[name] for name in part.concept_names], np.int64)[part.concepts] for part in parts]
    starts = np.cumsum([0, *(part.interaction_count for part in parts)])
    folds = [part.folds for part in parts if part.folds is not None]
    pooled = from_ids(
        np.concatenate(ids),
        np.concatenate([part.responses for part in parts]),
        np.concatenate(
            [[0], *(part.offsets[1:] + start for part, start in zip(parts, starts, strict=False))]
        ),
        tuple(name for part in parts for name in part.student_names),
        np.concatenate(folds) if folds else None,
    )
    return replace(pooled, concept_names=tuple(ordered[int(position)] for position in pooled.concept_names))


def in_order(names: Collection[str]) -> list[str]:
    """Return whole numbers by their value, other names alphabetically.

    Example:
        >>> in_order({"10", "9"}), in_order({"10", "9", "area"})
        (['9', '10'], ['10', '9', 'area'])
    """
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names)


def practice_counts(histories: Histories) -> Integers:
    """Return, per interaction, how often the student had practised its concept before, `(interactions,)`.

    Example:
        >>> practice_counts(Histories.from_names([["5", "5", "8", "5"]], [[1, 1, 0, 1]], ["a"])).tolist()
        [0, 1, 0, 2]
    """
    owner = np.repeat(np.arange(histories.student_count), histories.lengths)
    key = owner * histories.concept_count + histories.concepts
    order = np.argsort(key, kind="stable")
    is_first = np.diff(key[order], prepend=-1) != 0
    position = np.arange(len(key))
    counts = np.empty(len(key), dtype=np.int64)
    counts[order] = position - np.maximum.accumulate(np.where(is_first, position, 0))
    return counts
