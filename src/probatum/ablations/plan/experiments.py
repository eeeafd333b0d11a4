"""Experiments as meant become `Experiment`: named, told apart, with seeds, tags and environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from probatum._names import unknown
from probatum.ablations.plan.drafts import BASELINE, Draft, full_model
from probatum.ablations.plan.merge import merge, nested
from probatum.ablations.plan.model import BLOCKS, Experiment
from probatum.ablations.plan.names import collisions, folder_name, name_fault
from probatum.ablations.plan.reading import Reading
from probatum.ablations.targets.script import spelled_env


class Experiments:
    """Makes the experiments of a plan from its drafts."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def made_of(self, drafts: list[Draft]) -> Iterator[Experiment]:
        """Yield the experiments, and the full model where one is needed and nobody wrote it."""
        drafts = [*drafts, *self._full_model(drafts)]
        if not drafts and not self.reading.mistakes:
            self.reading.add((), "expected at least one experiment, found none.")
        for draft in drafts:
            if fault := name_fault(draft.name):
                self.reading.mistakes.add(f"{draft.where}: {fault}")
        places: dict[str, list[Draft]] = {}
        for draft in drafts:
            places.setdefault(draft.name, []).append(draft)
        for first, second in collisions(draft.name for draft in drafts):
            one, other = places[first][0], places[second][-1]
            self.reading.mistakes.add(
                f"{other.where}: {second!r} would share the folder {folder_name(second)!r} with {first!r} "
                f"({one.where}). Rename one."
            )
        sets = self._sets()
        for draft in drafts:
            yield self._experiment(draft, sets)

    def _full_model(self, drafts: list[Draft]) -> Iterator[Draft]:
        name = self.reading.raw.get("baseline", BASELINE)
        is_wanted = "one_at_a_time" in self.reading.raw or "leave_one_out" in self.reading.raw
        if is_wanted and all(draft.name != name for draft in drafts):
            yield full_model(self.reading.file, name, ("baseline",))

    def _experiment(self, draft: Draft, sets: Mapping[str, Any]) -> Experiment:
        item = draft.item
        seeds, has_folders = self._seeds(draft)
        env = {name: spelled_env(value) for name, value in (item.get("env") or {}).items()}
        if self.reading.has_study and item.get("extra_args"):
            where = draft.file.where((*draft.steps, "extra_args"))
            self.reading.mistakes.add(f"{where}: means nothing beside `study`. Use overrides.")
        for name, block in draft.overrides.items() if not self.reading.has_study else ():
            if name in BLOCKS and not isinstance(block, Mapping | None):
                where = draft.file.where((*draft.steps, "overrides", name))
                self.reading.mistakes.add(f"{where}: expected a block of names and values, got {block!r}.")
        return Experiment(
            name=draft.name, description=item.get("description") or "",
            overrides=merge({name: block for name, block in draft.overrides.items() if block is not None}, sets),
            tags={**(self.reading.defaults.get("tags") or {}), **draft.tags}, env=env,
            extra_args=tuple(str(word) for word in item.get("extra_args") or ()),
            seeds=seeds, has_seed_folders=has_folders, file=draft.file, steps=draft.steps,
        )  # fmt: skip

    def _seeds(self, draft: Draft) -> tuple[tuple[int | None, ...], bool]:
        for item in (
            draft.item,
            {**self.reading.defaults, **{k: v for k, v in self.reading.raw.items() if k == "seeds"}},
        ):
            if "seed" in item and "seeds" in item:
                self.reading.mistakes.add(
                    f"{draft.where}: `seed` and `seeds` are both given. Keep one of them."
                )
            if "seeds" in item:
                return tuple(item["seeds"]), True
            if item.get("seed") is not None:
                return (item["seed"],), False
        return (None,), False

    def _sets(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for path, text in self.reading.pairs(self.reading.options.sets, "--set"):
            if not self.reading.has_study and path.partition(".")[0] not in BLOCKS:
                self.reading.mistakes.add(f"--set {path}: {unknown('block', path.partition('.')[0], BLOCKS)}")
            result = merge(result, nested(path, _value(text)))
        return result


def _value(text: str) -> Any:
    """Return what a word means: JSON where it is JSON (`50`, `1e-7`, `true`, `[1, 2]`), else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
