"""The seed's five questions: which axes answer them, by which numbers, and what to be careful about.

Source: the seed's findings checklist (document 001); the axes' names in AbProp's plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One point of the checklist."""

    title: str
    asks: str
    axes: tuple[str, ...]  # values of `tags.axis`, as far as their beginnings agree
    metrics: tuple[str, ...]  # words in the names of the columns that answer it
    default: str  # the line of the recommended defaults
    caution: str = ""

    def answers(self, axis: str) -> bool:
        """Return whether an axis belongs to this question.

        Example:
            >>> QUESTIONS[0].answers("model_capacity"), QUESTIONS[0].answers("masking")
            (True, False)
        """
        plain = axis.lower().replace("-", "_").replace(" ", "_")
        return any(plain == name or plain.startswith(f"{name}_") for name in self.axes)

    def columns(self, known: Sequence[str]) -> list[str]:
        """Return the columns that answer it, sorted."""
        return sorted(column for column in known if any(word in column for word in self.metrics))


QUESTIONS = (
    Question(
        "Model scaling", "impact of hidden dimension and layer depth on loss and convergence speed",
        ("model", "capacity", "architecture", "size"), ("perplexity", "steps_to", "step_time"), "Architecture",
        "Parameters, learning rate and clipping may change together with the size: read the plan's overrides.",
    ),
    Question(
        "Task weight shifts", "how re-weighting MLM, CLS and REG affects the respective metrics",
        ("task", "task_weights", "weights", "tasks"), ("mlm_", "cls_", "reg_"), "Task weights",
        "The total loss is the weighted sum: it is another quantity for other weights. Compare the tasks' own "
        "metrics.",
    ),
    Question(
        "Data regime sensitivity", "behaviour under 25%, 50% and full data",
        ("data", "dataset", "data_regime", "fraction"), ("perplexity", "f1", "r2"), "Training data",
        "Where the number of steps changes with the fraction, the two effects cannot be told apart.",
    ),
    Question(
        "Masking probability", "effect on MLM perplexity and downstream tasks",
        ("mask", "masking", "mlm_probability"), ("perplexity", "cls_", "reg_"), "Masking",
        "A perplexity measured at the run's own mask rate is of another task: evaluate all at one rate.",
    ),
    Question(
        "Optimiser swaps", "stability and runtime of the optimisers",
        ("optimizer", "optimiser", "optim", "opt"), ("step_time",), "Optimiser",
        "Each optimiser has its own learning rate in the plan; none was tuned for the others.",
    ),
)  # fmt: skip
