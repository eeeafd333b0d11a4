"""The gates G0 to G5 as data: what must hold before a seed takes a step, with the numbers.

G2, G3 and G5 are those of tamiyo.md, section 1, whose generator bypassed them all. G0 and G1 are what the steps
need to make sense at all; G4 stands for the probation that the short path leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from probatum.studies.tamiyo.stages import Stage

_HOLDS = {
    ">=": lambda value, number: value >= number,
    "<=": lambda value, number: value <= number,
    ">": lambda value, number: value > number,
}


@dataclass(frozen=True)
class Check:
    """A quantity and what it must be."""

    quantity: str  # a key of `Lifecycle.measured`
    compare: str
    number: float
    unit: str

    def refusal(self, measured: Mapping[str, float]) -> str | None:
        """Return what is wrong, with the numbers; None where the check holds."""
        value = measured[self.quantity]
        if _HOLDS[self.compare](value, self.number):
            return None
        name = self.quantity.replace("_", " ")
        return f"{name} is {value:.4g}, needs {self.compare} {self.number:g}{f' {self.unit}' if self.unit else ''}"


@dataclass(frozen=True)
class Gate:
    """What is asked before the step to a stage."""

    name: str
    to: Stage
    meaning: str
    checks: tuple[Check, ...]

    def refusals(self, measured: Mapping[str, float]) -> list[str]:
        """Return why the gate stays shut, each check that fails with its numbers."""
        found = (check.refusal(measured) for check in self.checks)
        return [f"{self.name} ({self.meaning}): {reason}" for reason in found if reason]


GATES = (
    Gate("G0", Stage.GERMINATED, "there is room", (Check("available_slots", ">=", 1, ""),)),
    Gate("G1", Stage.TRAINING, "the seed is sound", (Check("non_finite", "<=", 0, "values"),)),
    Gate(
        "G2",
        Stage.BLENDING,
        "the seed learned, in isolation",
        (Check("improvement", ">=", 0.5, "points"), Check("isolation_violations", "<=", 10, "")),
    ),
    Gate(
        "G3",
        Stage.FOSSILIZED,
        "the seed is in place",
        (Check("epochs_in_stage", ">=", 3, "epochs"), Check("alpha", ">=", 0.95, "")),
    ),
    Gate(
        "G4",
        Stage.FOSSILIZED,
        "blending kept what training promised",
        (Check("improvement", ">=", -2.0, "points"),),
    ),
    Gate(
        "G5",
        Stage.FOSSILIZED,
        "it was worth it",
        (Check("total_improvement", ">", 0.0, "points"), Check("non_finite", "<=", 0, "values")),
    ),
)
