"""What one sweep over a split keeps of a model's outputs: a few numbers per step, never a whole tensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput
from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.histories import practice_counts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StepFacts:
    """What the data say about every predicted step of a split, flat `(steps,)`, by student, then by time."""

    owners: Integers  # index of the student within the split, 0..student_count-1
    students: Integers  # (students,), index of each student in the histories
    responses: Integers  # r at t+1: the target
    concepts: Integers  # q at t+1: the concept asked next
    step_index: Integers  # answers that the student has given so far, over the whole history
    practice: Integers  # how often the student has practised q at t+1 so far, over the whole history
    true_mastery: Floats | None  # mastery of q at t+1 after step t; known for simulated learners
    true_probability: Floats | None  # of r at t+1
    offsets: Integers  # (windows,), where the steps of each window begin
    concept_count: int

    @property
    def student_count(self) -> int:
        """Return the number of students in the split."""
        return len(self.students)

    @classmethod
    def of(cls, split: Split) -> StepFacts:
        """Return the facts of a split; computed once and used in every epoch."""
        windows, histories = split.windows, split.windows.histories
        offsets, steps = split.step_offsets(), windows.lengths - 1
        owner = np.repeat(windows.students, steps)
        asked = np.repeat(windows.starts + 1 - offsets, steps) + np.arange(len(owner))  # position of t + 1
        students, owners = np.unique(owner, return_inverse=True)
        concepts, truth = histories.concepts[asked], histories.truth
        return cls(
            owners=owners,
            students=students,
            responses=histories.responses[asked],
            concepts=concepts,
            step_index=asked - histories.offsets[owner],
            practice=practice_counts(histories)[asked],
            true_mastery=None if truth is None else truth.mastery[asked - 1, concepts],
            true_probability=None if truth is None else truth.probability[asked],
            offsets=offsets,
            concept_count=histories.concept_count,
        )


@dataclass(frozen=True, eq=False)
class Collected:
    """What a sweep found; `None` where the model has no such head."""

    facts: StepFacts
    logits: NDArray[np.float32]  # (steps,)
    mastery: NDArray[np.float32] | None  # (steps,), at step t, of the concept asked at t+1
    gains: NDArray[np.float32] | None  # (steps,), the same of the gain
    monotonicity_violation_rate: float | None  # share of (step, concept) pairs in which mastery fell
    negative_gain_rate: float | None  # share of (step, concept) pairs
    bounds_violation_rate: float | None  # share of (step, concept) pairs outside [0, 1]; NaN counts
    mastery_variance: Floats | None  # (concepts,), over the steps of the watched students


class Collector:
    """Takes a model's outputs batch by batch; the order of the batches does not matter to the steps.

    Call under `torch.no_grad()`. Nothing is read back from the device before `collected()`, except the
    mastery of the watched students.

    Args:
        facts: of the split that is swept.
        watched: indices of students within the split whose mastery enters the variance.
        tolerance: violations up to this size are rounding and do not count.
    """

    def __init__(self, facts: StepFacts, *, watched: Integers, tolerance: float) -> None:
        """Begin an empty sweep."""
        self.facts = facts
        self.tolerance = tolerance
        self.steps: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}
        self.watched_students = torch.from_numpy(facts.students[watched])
        self.moments = torch.zeros(3, facts.concept_count, dtype=torch.float64)  # n, sum, sum of squares
        self.windows_seen = 0

    def add(self, batch: SequenceBatch, output: TracingOutput) -> None:
        """Keep what the metrics need of one batch."""
        offsets = torch.from_numpy(self.facts.offsets).to(batch.windows.device)
        position = offsets[batch.windows][:, None] + torch.arange(
            batch.mask.shape[1], device=batch.mask.device
        )
        slot = torch.where(batch.mask, position, len(self.facts.owners))  # the last slot takes the padding
        self.windows_seen += len(batch.windows)
        self.keep("logits", slot, output.logits)
        asked = batch.next_concepts[..., None]
        if output.mastery is not None:
            self.keep("mastery", slot, output.mastery.gather(-1, asked)[..., 0])
            self.count_mastery(batch, output.mastery)
        if output.gains is not None:
            self.keep("gains", slot, output.gains.gather(-1, asked)[..., 0])
            self.count("negative_gain_rate", output.gains < -self.tolerance, batch.mask)

    def keep(self, name: str, slot: Tensor, values: Tensor) -> None:
        """Write the values of a batch, `(batch, length)`, into their places."""
        if name not in self.steps:
            self.steps[name] = torch.zeros(len(self.facts.owners) + 1, device=values.device)
        self.steps[name][slot] = values.detach().float()

    def count(self, name: str, violated: Tensor, mask: Tensor) -> None:
        """Count the violations, `(batch, length, concepts)`, at real steps."""
        found = torch.stack([(violated.sum(-1) * mask).sum(), mask.sum() * violated.shape[-1]])
        self.counts[name] = self.counts[name] + found if name in self.counts else found

    def count_mastery(self, batch: SequenceBatch, mastery: Tensor) -> None:
        """Count falls and values out of bounds, and take the moments of the watched students' mastery."""
        fell = mastery[:, 1:] < mastery[:, :-1] - self.tolerance
        self.count("monotonicity_violation_rate", fell, batch.mask[:, 1:])
        inside = (mastery >= -self.tolerance) & (mastery <= 1 + self.tolerance)
        self.count("bounds_violation_rate", ~inside, batch.mask)
        rows = torch.isin(batch.students, self.watched_students.to(batch.students.device))
        values = mastery[rows][batch.mask[rows]].cpu().double()  # (real steps, concepts)
        count = torch.full_like(self.moments[0], len(values))
        self.moments += torch.stack([count, values.sum(0), values.square().sum(0)])

    def collected(self) -> Collected:
        """Return what the sweep found.

        Raises:
            ValueError: some windows were left out or given twice; the numbers would be of another split.
        """
        if self.windows_seen != len(self.facts.offsets):
            raise ValueError(
                f"expected every window of the split once ({len(self.facts.offsets)}), got "
                f"{self.windows_seen}: give all of split.evaluation_batches()."
            )
        steps = {name: values[:-1].cpu().numpy() for name, values in self.steps.items()}
        rates = {name: rate(counts) for name, counts in self.counts.items()}
        size, total, squares = self.moments.numpy()
        has_variance = "mastery" in steps and size[0] > 0
        mean = total / np.maximum(size, 1)
        return Collected(
            facts=self.facts,
            logits=steps["logits"],
            mastery=steps.get("mastery"),
            gains=steps.get("gains"),
            monotonicity_violation_rate=rates.get("monotonicity_violation_rate"),
            negative_gain_rate=rates.get("negative_gain_rate"),
            bounds_violation_rate=rates.get("bounds_violation_rate"),
            mastery_variance=np.maximum(squares / np.maximum(size, 1) - mean**2, 0) if has_variance else None,
        )


def rate(counts: Tensor) -> float | None:
    """Return violations per pair from the two counts, None when there was no pair."""
    violations, pairs = counts.tolist()
    return violations / pairs if pairs else None
