"""Experiments as written become experiments as meant: grids, one at a time, leave one out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from probatum.ablations.plan.merge import ABSENT, merge, nested, value_at
from probatum.ablations.plan.model import BLOCKS
from probatum.ablations.plan.source import PlanFile, Steps

BASELINE = "baseline_reference"  # the seed's name for the run without overrides


@dataclass(frozen=True, slots=True)
class Draft:
    """An experiment before its overrides are laid over the base."""

    name: str
    file: PlanFile
    steps: Steps
    item: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """`file:line: path` of the experiment."""
        return self.file.where(self.steps)


def written(file: PlanFile, steps: Steps, item: Mapping[str, Any]) -> Iterator[Draft]:
    """Yield the experiments of one item of `experiments`: one, or one for each point of its `matrix`."""
    blocks = {block: item.get(f"{block}_overrides") or {} for block in BLOCKS}
    overrides = merge({name: block for name, block in blocks.items() if block}, item.get("overrides"))
    draft = Draft(item.get("name", ""), file, steps, item, overrides, item.get("tags") or {})
    if item.get("matrix"):
        yield from grid(draft, item["matrix"])
    else:
        yield draft


def grid(draft: Draft, axes: Mapping[str, list[Any]]) -> Iterator[Draft]:
    """Yield every combination of the values of some dotted paths.

    The names tell the point: `d_model-256_lr-0-001`, after the name of the experiment where it has one.
    """
    for values in product(*axes.values()):
        point = dict(zip(axes, values, strict=True))
        yield _at(draft, point, {"axis": "matrix", **{_short(path): value for path, value in point.items()}})


def one_at_a_time(file: PlanFile, axes: Mapping[str, list[Any]], base: Mapping[str, Any]) -> Iterator[Draft]:
    """Yield one experiment for each value of each path, all else at the base; a value of the base is left out."""
    for path, values in axes.items():
        draft = Draft("", file, ("one_at_a_time", path))
        for value in values:
            if not _equal(value_at(base, path), value):
                yield _at(draft, {path: value}, {"axis": _short(path)})


def leave_one_out(file: PlanFile, components: Mapping[str, Mapping[str, Any]]) -> Iterator[Draft]:
    """Yield the full model minus each named component."""
    for name, removal in components.items():
        draft = Draft(f"without_{name}", file, ("leave_one_out", name))
        yield replace(_at(draft, removal, {"axis": "leave_one_out", "component": name}), name=draft.name)


def full_model(file: PlanFile, name: str, steps: Steps) -> Draft:
    """Return the experiment without overrides that the others are compared with."""
    return Draft(name, file, steps, {"description": "The base without overrides."}, {}, {"axis": "baseline"})


def _at(draft: Draft, point: Mapping[str, Any], tags: Mapping[str, Any]) -> Draft:
    overrides: Mapping[str, Any] = draft.overrides
    for path, value in point.items():
        overrides = merge(overrides, nested(path, value))
    parts = [draft.name, *(f"{_short(path)}-{_text(value)}" for path, value in point.items())]
    plain = {
        key: value for key, value in tags.items() if value is None or isinstance(value, str | int | float)
    }
    name = "_".join(filter(None, parts))
    return replace(draft, name=name, overrides=overrides, tags={**plain, **draft.tags})


def _short(path: str) -> str:
    return path.rpartition(".")[2]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-".join(map(_text, value)) if isinstance(value, list) else str(value)


def _equal(base: Any, value: Any) -> bool:
    return base is not ABSENT and base == value and isinstance(base, bool) == isinstance(value, bool)
