"""pyKT's protocol: who is tested, who validates, and how long histories become windows.

Rules (Liu et al. 2022, pyKT, arXiv 2206.11460): all files are pooled; students with fewer than
`min_interactions` = 3 answers are dropped; a `test_share` = 0.2 of the others is held out for test; the
rest falls into 5 folds by student, the chosen `fold` validates and the others train; histories are cut,
without overlap, into windows of `seq_len` = 200, and a last, shorter window is kept if it has at least
`min_interactions` answers. Students, not windows, are split: nobody is on two sides.

The split comes from `split_seed` and never from the training seed, so runs with several seeds share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum._errors import ParameterError, RecordError
from probatum.studies.gainakt.histories import Histories, Integers, digest_of

TEST = -1
DROPPED = -2


@dataclass(frozen=True, eq=False)
class Windows:
    """Stretches of histories: window w covers `starts[w]:starts[w] + lengths[w]` of the flat arrays."""

    histories: Histories
    starts: Integers  # (windows,)
    lengths: Integers  # (windows,)
    students: Integers  # (windows,), index of the student in `histories`

    def digest(self) -> str:
        """Return the SHA-256 of what the windows hold, in order: students, concepts, responses."""
        rows = np.repeat(self.starts - np.cumsum(self.lengths) + self.lengths, self.lengths)
        positions = rows + np.arange(int(self.lengths.sum()))
        owners = "\x1f".join(self.histories.student_names[student] for student in self.students)
        flat = self.histories.concepts[positions], self.histories.responses[positions]
        return digest_of(owners, self.lengths, *flat)


@dataclass(frozen=True)
class Protocol:
    """The rules of a split; every value is the study's parameter."""

    seq_len: int  # longest window, in interactions
    min_interactions: int  # students and last windows below this are dropped
    test_share: float  # share of the students held out for test
    fold_count: int  # folds of the other students
    fold: int  # the fold that validates
    split_seed: int

    def __post_init__(self) -> None:
        """Refuse rules that no data could satisfy."""
        mistakes = [
            f"`{name}` must be {rule}, got {getattr(self, name)}"
            for name, rule, holds in (
                (
                    "seq_len",
                    f"at least min_interactions ({self.min_interactions})",
                    self.seq_len >= self.min_interactions,
                ),
                (
                    "min_interactions",
                    "at least 2: one answer to learn from, one to predict",
                    self.min_interactions >= 2,
                ),
                ("test_share", "in (0, 1)", 0 < self.test_share < 1),
                ("fold_count", "at least 2", self.fold_count >= 2),
                ("fold", f"in 0..{self.fold_count - 1}", 0 <= self.fold < self.fold_count),
            )
            if not holds
        ]
        if mistakes:
            raise ParameterError("; ".join(mistakes) + ".")


def student_folds(histories: Histories, protocol: Protocol) -> Integers:
    """Return the fold of every student, `(students,)`: 0.. to train or validate, -1 test, -2 dropped.

    Folds stated by the file are kept. Where it states none for test, a test share is still held out.

    Example:
        >>> histories = Histories.from_names([["1"] * 3] * 10, [[1, 0, 1]] * 10, list("abcdefghij"))
        >>> rules = Protocol(
        ...     seq_len=200, min_interactions=3, test_share=0.2, fold_count=4, fold=0, split_seed=1)
        >>> np.unique(student_folds(histories, rules), return_counts=True)[1].tolist()
        [2, 2, 2, 2, 2]
    """
    folds = np.full(histories.student_count, DROPPED, dtype=np.int64)
    kept = np.flatnonzero(histories.lengths >= protocol.min_interactions)
    order = np.random.default_rng(protocol.split_seed).permutation(kept)
    test_count = int(len(order) * protocol.test_share)
    pooled = order[: len(order) - test_count]
    folds[order] = TEST
    folds[pooled] = np.sort(np.arange(len(pooled)) % protocol.fold_count)
    if histories.folds is None:
        return folds
    stated = histories.folds[kept]
    if (stated == TEST).any():
        folds[kept] = stated
    else:
        folds[pooled] = histories.folds[pooled]
    return folds


def windows_of(histories: Histories, students: Integers, *, seq_len: int, min_length: int) -> Windows:
    """Return the windows of `students`, in the order of the students and of time.

    Example:
        >>> histories = Histories.from_names([["1"] * 7, ["2"] * 2], [[1] * 7, [0] * 2], ["a", "b"])
        >>> windows = windows_of(histories, np.array([0, 1]), seq_len=3, min_length=2)
        >>> windows.starts.tolist(), windows.lengths.tolist(), windows.students.tolist()
        ([0, 3, 7], [3, 3, 2], [0, 0, 1])
    """
    totals = histories.lengths[students]
    counts = -(-totals // seq_len)  # windows per student, a short last one included
    owner = np.repeat(np.arange(len(students)), counts)
    begin = (np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)) * seq_len
    lengths = np.minimum(seq_len, totals[owner] - begin)
    kept = lengths >= min_length
    starts = histories.offsets[students][owner] + begin
    return Windows(histories, starts[kept], lengths[kept], students[owner][kept])


def split(histories: Histories, protocol: Protocol) -> dict[str, Windows]:
    """Return the windows named `train`, `validation` and `test`.

    Raises:
        RecordError: one of them would be empty.
    """
    folds = student_folds(histories, protocol)
    chosen = {
        "train": (folds >= 0) & (folds != protocol.fold),
        "validation": folds == protocol.fold,
        "test": folds == TEST,
    }
    for name, mask in chosen.items():
        if not mask.any():
            raise RecordError(
                f"the {name} split is empty: expected at least one student, got {histories.student_count} "
                f"students, {int((folds == DROPPED).sum())} of them dropped, "
                f"folds {sorted(set(folds.tolist()))}, "
                f"validation fold {protocol.fold}. Choose another fold or more data."
            )
    return {
        name: windows_of(
            histories, np.flatnonzero(mask), seq_len=protocol.seq_len, min_length=protocol.min_interactions
        )
        for name, mask in chosen.items()
    }
