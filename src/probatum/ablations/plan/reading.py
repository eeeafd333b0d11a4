"""A plan file while it is read: its content, what a person said beside it, and the mistakes met on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.ablations.plan.lookup import Lookup
from probatum.ablations.plan.schema import faults, without
from probatum.ablations.plan.source import PlanFile, Steps
from probatum.parameters.mistakes import Mistakes


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What a person says beside the plan: recorded with the runs like the plan itself."""

    filters: tuple[str, ...] = ()  # experiments, by name or pattern; all where empty
    sets: tuple[str, ...] = ()  # train.max_steps=50
    rules: tuple[str, ...] = ()  # heads=keep_dimension
    output: Path | None = None
    runs_root: Path | None = None


class Reading:
    """What all who understand a part of the plan share."""

    def __init__(self, path: Path, options: PlanOptions) -> None:
        self.path, self.options = path, options
        self.mistakes = Mistakes(f"plan {path.name}")
        self.file = PlanFile(path)
        self.raw = self.checked(self.file)
        self.name = self.raw.get("plan_name") or path.stem
        self.defaults: Mapping[str, Any] = self.raw.get("defaults") or {}
        self.lookup = Lookup(path)

    @property
    def has_study(self) -> bool:
        """Whether the plan runs a Probatum study."""
        return "study" in self.raw

    def add(self, steps: Steps, sentence: str) -> None:
        """Note a mistake at a place of the plan."""
        self.mistakes.add(f"{self.file.where(steps)}: {sentence}")

    def checked(self, file: PlanFile) -> dict[str, Any]:
        """Return the content of a file without what is against the grammar, which is noted."""
        wrong = list(faults(file.content))
        for fault in wrong:
            self.mistakes.add(f"{file.where(fault.steps)}: {fault.sentence}")
        return without(file.content, wrong)

    def pairs(self, entries: Sequence[str], flag: str) -> Iterator[tuple[str, str]]:
        """Yield name and value of each `name=value`."""
        for entry in entries:
            name, equals, text = entry.partition("=")
            if equals and name and all(name.split(".")):
                yield name, text
            else:
                self.mistakes.add(f"{flag} must be name=value, got {entry!r}.")
