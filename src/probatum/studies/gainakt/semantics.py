"""The semantic metrics of knowledge tracing: one definition, for every epoch and for the final test.

The correlation of student s is Pearson's r, over the student's steps t, between

    x_t = mastery (or gain) of the concept ASKED NEXT, after step t: it has seen nothing later than t
    y_t = the response at t + 1

It needs `min_steps` steps, and both must vary. The metric is its mean over students: the student is the
unit, and the interval is a bootstrap over students. Epochs, the global pass and the final test share it; only
the students differ. (GainAKT's code had three definitions; two averaged over concepts not being asked.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.bootstrap import interval_over_students
from probatum.studies.gainakt.correlation import grouped_pearson, mean_defined
from probatum.studies.gainakt.discrimination import accuracy, auc, cross_entropy
from probatum.studies.gainakt.sampling import sample_by_length, sample_students, seed_from
from probatum.studies.gainakt.semantics_collect import Collected, Collector, StepFacts
from probatum.studies.gainakt.semantics_nulls import curve_null, shuffled_null

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Metrics = dict[str, float | None]

DESCRIPTIONS: dict[str, str] = {
    "monotonicity_violation_rate": "share of (step, concept) pairs in which mastery falls",
    "negative_gain_rate": "share of (step, concept) pairs with a negative gain",
    "bounds_violation_rate": "share of (step, concept) pairs with mastery outside [0, 1]",
    "mastery_correlation": "mean over sampled students of r(mastery of next concept, next response)",
    "mastery_ci_low": "lower end of its bootstrap interval over students",
    "mastery_ci_high": "upper end of its bootstrap interval over students",
    "gain_correlation": "mean over sampled students of r(gain of next concept, next response)",
    "gain_ci_low": "lower end of its bootstrap interval over students",
    "gain_ci_high": "upper end of its bootstrap interval over students",
    "step_null_corr": "the same for the step index instead of mastery",
    "practice_null_corr": "the same for the number of earlier attempts at the concept asked next",
    "mastery_shuffled_null_corr": "the same for the mastery of another student of about the same length",
    "gain_shuffled_null_corr": "the same for the gain of another student of about the same length",
    "global_alignment_mastery_corr": "mastery_correlation on students drawn evenly from deciles of length",
    "global_alignment_gain_corr": "gain_correlation on students drawn evenly from deciles of length",
    "global_step_null_corr": "step_null_corr on those students",
    "global_practice_null_corr": "practice_null_corr on those students",
    "global_mastery_shuffled_null_corr": "mastery_shuffled_null_corr on those students",
    "global_gain_shuffled_null_corr": "gain_shuffled_null_corr on those students",
    "mastery_next_attempt_corr": "mean over concepts of r(mastery, next response) over its attempts",
    "gain_next_attempt_corr": "mean over concepts of r(gain, next response) over its attempts",
    "mean_mastery_variance": "mean over concepts of mastery's variance over sampled students and steps",
    "min_mastery_variance": "least of these variances",
    "max_mastery_variance": "greatest of these variances",
    "true_mastery_correlation": "mean over students of r(mastery, true mastery) of the concept asked next",
    "true_mastery_correlation_pooled": "r(mastery, true mastery) over all students and steps together",
}


@dataclass(frozen=True)
class SemanticSettings:
    """How the metrics are taken: parameters of the study."""

    max_semantic_students: int  # random sample of mastery_correlation and gain_correlation
    alignment_global_students: int  # sample by deciles of length of the global_* metrics
    min_steps: int  # fewest steps that define a correlation
    violation_tolerance: float
    bootstrap_resamples: int
    confidence_level: float


class Semantics:
    """The semantic metrics of one split: samples and nulls are fixed when it is made.

    Both samples and the bootstrap are seeded from the split's digest, so that every epoch, every training
    seed and every reproduction looks at the same students.

    Example::

        semantics = Semantics(split, settings)
        collector = semantics.collector()
        with torch.no_grad():
            for batch in split.evaluation_batches(512):
                collector.add(batch, model(batch))
        row = semantics.metrics(collector.collected())
    """

    def __init__(self, split: Split, settings: SemanticSettings) -> None:
        """Draw the samples and compute what does not depend on the model."""
        self.settings = settings
        self.facts = StepFacts.of(split)
        self.seed = seed_from(split.digest())
        sizes = np.bincount(self.facts.owners, minlength=self.facts.student_count)
        eligible = np.flatnonzero(sizes >= settings.min_steps)
        self.sample = sample_students(eligible, settings.max_semantic_students, self.seed)
        self.global_sample = sample_by_length(
            eligible, sizes[eligible], settings.alignment_global_students, self.seed
        )
        self.curve_nulls: Metrics = {
            f"{prefix}{name}_null_corr": curve_null(curve, self.facts, students, min_steps=settings.min_steps)
            for prefix, students in (("", self.sample), ("global_", self.global_sample))
            for name, curve in (("step", self.facts.step_index), ("practice", self.facts.practice))
        }

    def collector(self) -> Collector:
        """Return an empty collector for one sweep over the split."""
        return Collector(self.facts, watched=self.sample, tolerance=self.settings.violation_tolerance)

    def metrics(self, collected: Collected) -> Metrics:
        """Return every metric of `DESCRIPTIONS`; None where undefined, never 0 in its place."""
        found: Metrics = dict.fromkeys(DESCRIPTIONS)
        for name in ("monotonicity_violation_rate", "negative_gain_rate", "bounds_violation_rate"):
            found[name] = getattr(collected, name)
        found |= self.curve_nulls
        for name, values in (("mastery", collected.mastery), ("gain", collected.gains)):
            if values is not None:
                found |= self.correlations(name, values)
        if collected.mastery_variance is not None:
            for name in ("mean", "min", "max"):
                found[f"{name}_mastery_variance"] = float(getattr(np, name)(collected.mastery_variance))
        if collected.mastery is not None and self.facts.true_mastery is not None:
            found |= self.recovery(collected.mastery, self.facts.true_mastery)
        return {
            name: None if value is None or not np.isfinite(value) else value for name, value in found.items()
        }

    def correlations(self, name: str, values: NDArray) -> Metrics:
        """Return the correlations, interval and shuffled nulls of `mastery` or `gain`, `(steps,)`."""
        by_student = self.by_student(values, self.facts.responses)
        low, high = interval_over_students(
            by_student[self.sample],
            resamples=self.settings.bootstrap_resamples,
            confidence_level=self.settings.confidence_level,
            seed=self.seed,
        )
        return {
            f"{name}_correlation": mean_defined(by_student[self.sample]),
            f"{name}_ci_low": low,
            f"{name}_ci_high": high,
            f"global_alignment_{name}_corr": mean_defined(by_student[self.global_sample]),
            f"{name}_shuffled_null_corr": self.shuffled(values, self.sample),
            f"global_{name}_shuffled_null_corr": self.shuffled(values, self.global_sample),
            f"{name}_next_attempt_corr": mean_defined(self.by_concept(values)),
        }

    def recovery(self, mastery: NDArray, truth: Floats) -> Metrics:
        """Return how well mastery, `(steps,)`, matches the true mastery of simulated learners."""
        together = np.zeros(len(truth), dtype=np.int64)
        pooled = grouped_pearson(mastery, truth, together, 1, min_steps=self.settings.min_steps)
        return {
            "true_mastery_correlation": mean_defined(self.by_student(mastery, truth)),
            "true_mastery_correlation_pooled": mean_defined(pooled),
        }

    def by_student(self, x: NDArray, y: NDArray) -> Floats:
        """Return Pearson's r of two step curves for every student of the split, `(students,)`."""
        facts = self.facts
        return grouped_pearson(x, y, facts.owners, facts.student_count, min_steps=self.settings.min_steps)

    def by_concept(self, values: NDArray) -> Floats:
        """Return r(value, next response) over the attempts at each concept, `(concepts,)`; NaN undefined."""
        facts = self.facts
        return grouped_pearson(
            values, facts.responses, facts.concepts, facts.concept_count, min_steps=self.settings.min_steps
        )

    def shuffled(self, values: NDArray, students: Integers) -> float | None:
        """Return the correlation of `students` with one another's trajectories."""
        return shuffled_null(values, self.facts, students, seed=self.seed, min_steps=self.settings.min_steps)


def prediction_metrics(collected: Collected) -> Metrics:
    """Return loss (nats per answer), auc, accuracy at 0.5, and oracle_auc where the truth is known.

    `oracle_auc` is the AUC of the true probabilities: no model can be expected to beat it.
    """
    facts = collected.facts
    return {
        "loss": cross_entropy(facts.responses, collected.logits),
        "auc": auc(facts.responses, collected.logits),
        "accuracy": accuracy(facts.responses, collected.logits),
        "oracle_auc": None
        if facts.true_probability is None
        else auc(facts.responses, facts.true_probability),
    }
