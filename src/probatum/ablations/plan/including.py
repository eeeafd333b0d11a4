"""Every experiment that a plan writes, includes, or spans by a grid, still without its base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from probatum._errors import ParameterError
from probatum._names import unknown
from probatum.ablations.plan.drafts import Draft, grid, leave_one_out, one_at_a_time, written
from probatum.ablations.plan.reading import Reading
from probatum.ablations.plan.source import PlanFile, Steps
from probatum.ablations.targets.base import Target

_OF_INCLUDED = {"plan_name", "description", "experiments"}


class Including:
    """Follows a plan's `experiments`, its included files and its grids, in this order."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def drafts(self, target: Target | None) -> Iterator[Draft]:
        """Yield the experiments; without a target nothing is known of the base."""
        yield from self._items(self.reading.file, self.reading.raw, (self.reading.path.resolve(),))
        if self.reading.raw.get("matrix"):
            yield from grid(Draft("", self.reading.file, ("matrix",)), self.reading.raw["matrix"])
        base = self._flat_base(target)
        yield from one_at_a_time(self.reading.file, self.reading.raw.get("one_at_a_time", {}), base)
        yield from leave_one_out(self.reading.file, self.reading.raw.get("leave_one_out", {}))

    def _flat_base(self, target: Target | None) -> Mapping[str, Any]:
        if target is None:
            return {}
        flat = {name: value for block in target.base.values() for name, value in block.items()}
        return {**(flat if self.reading.has_study else {}), **target.base}

    def _items(self, file: PlanFile, raw: Mapping[str, Any], above: tuple[Path, ...]) -> Iterator[Draft]:
        for position, item in enumerate(raw.get("experiments") or ()):
            if item is None:
                continue  # its mistake is known
            steps = ("experiments", position)
            if "include" in item:
                yield from self._included(file, raw, item, steps, above)
            elif "name" in item or "matrix" in item:
                yield from written(file, steps, item)
            else:
                self.reading.mistakes.add(
                    f"{file.where(steps)}: expected a `name`, a `matrix` or an `include`."
                )

    def _included(
        self,
        file: PlanFile,
        raw: Mapping[str, Any],
        item: Mapping[str, Any],
        steps: Steps,
        above: tuple[Path, ...],
    ) -> Iterator[Draft]:
        alias, known = item["include"], raw.get("includes") or {}
        where = file.where((*steps, "include"))
        if len(item) > 1:
            self.reading.mistakes.add(
                f"{where}: `include` stands alone, got also {', '.join(sorted(set(item) - {'include'}))}."
            )
        elif alias not in known:
            self.reading.mistakes.add(f"{where}: {unknown('include', alias, known)}")
        elif (found := self.reading.lookup.find_include(known[alias])) is None:
            place = file.where(("includes", alias))
            self.reading.mistakes.add(
                f"{place}: expected a file {known[alias]}, found none beside the plan or above it."
            )
        elif found.resolve() in above:
            self.reading.mistakes.add(f"{where}: {known[alias]} includes itself.")
        else:
            yield from self._of_file(found, above)

    def _of_file(self, path: Path, above: tuple[Path, ...]) -> Iterator[Draft]:
        try:
            file = PlanFile(path)
        except ParameterError as error:
            self.reading.mistakes.add(str(error))
            return
        raw = self.reading.checked(file)
        for name in sorted(set(raw) - _OF_INCLUDED - {"includes"}):
            self.reading.mistakes.add(
                f"{file.where((name,))}: an included file gives experiments only; `{name}` would be "
                "lost. Put it in the plan that includes."
            )
        yield from self._items(file, raw, (*above, path.resolve()))
