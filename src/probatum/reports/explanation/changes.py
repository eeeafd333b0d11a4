"""What changed between two sides, pair by pair: parameters, code, data, environment.

Runs are paired by seed, so that what follows the seed (the seed itself, a split drawn from it) is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from probatum.reports.explanation.sides import Side
from probatum.reproduction import differences
from probatum.reproduction.differences import Difference
from probatum.reproduction.record import RunRecord
from probatum.runs.lenient import as_map
from probatum.signals.compare import LABELS

_SEEDS = frozenset({"seed", "seeds"})
_LONGEST = 40  # fields of one kind in the record
_COMMENTS = frozenset({"citation", "licence", "license", "schema_version"})  # of a data record
_Look = Callable[[RunRecord, RunRecord], list[Difference]]


def pairs_of(parent: Side, child: Side) -> list[tuple[int | None, RunRecord, RunRecord]]:
    """Return (seed, parent, child) of every seed that both have; the first runs of both where none is."""
    first, second = parent.by_seed, child.by_seed
    found = [(seed, first[seed], second[seed]) for seed in sorted(first.keys() & second.keys())]
    if found or not (parent.records and child.records):
        return found  # type: ignore[return-value]
    return [(None, parent.records[0], child.records[0])]


def what_changed(parent: Side, child: Side) -> dict[str, Any]:
    """Return the section `changed`: per part the fields that differ, with how many pairs show each."""
    pairs = pairs_of(parent, child)
    parts: dict[str, _Look] = {
        "parameters": _parameters, "code": differences.code_differences, "data": _data,
        "environment": differences.environment_differences,
    }  # fmt: skip
    found: dict[str, Any] = {name: _collected(pairs, look) for name, look in parts.items()}
    if not pairs:
        found["parameters"] = _of_a_plan(parent, child)
    return {
        **found,
        "pairs": len(pairs),
        "instrumentation": [own for own in found["parameters"] if own["category"] == "instrumentation"],
        "parameters": [own for own in found["parameters"] if own["category"] != "instrumentation"],
        "varies_within": _varying(parent, child),
        "not_recorded": _not_recorded(pairs),
        "never_read": _never_read(child, [own["name"] for own in found["parameters"]]),
    }


def _parameters(source: RunRecord, target: RunRecord) -> list[Difference]:
    found = differences.config_differences(source, target)
    return [own for own in found if not {_leaf(own.field), _top(own.field)} & (_SEEDS | LABELS)]


def _data(source: RunRecord, target: RunRecord) -> list[Difference]:
    if source.data is None or target.data is None:
        return []
    return [own for own in differences.data_differences(source, target) if _leaf(own.field) not in _COMMENTS]


def _collected(pairs: list[tuple[int | None, RunRecord, RunRecord]], look: _Look) -> list[dict[str, Any]]:
    """Return one row per field; values that differ from pair to pair are listed in the order of the pairs."""
    rows: dict[str, dict[str, Any]] = {}
    for _, source, target in pairs:
        for own in look(source, target):
            name = own.field.removeprefix("parameters.")
            row = rows.setdefault(
                name,
                {"name": name, "category": _category(target, name), "parent": [], "child": [], "pairs": 0},
            )
            row["parent"].append(own.source)
            row["child"].append(own.target)
            row["pairs"] += 1
    for row in rows.values():
        for side in ("parent", "child"):
            row[side] = row[side][0] if all(value == row[side][0] for value in row[side]) else row[side]
    return list(rows.values())[:_LONGEST]


def _category(record: RunRecord, name: str) -> str | None:
    types = as_map(record.config.get("types"))
    return next((category for category, names in types.items() if _top(name) in names), None)


def _varying(parent: Side, child: Side) -> list[dict[str, Any]]:
    """Return the parameters that differ among the runs of one side: a spread over seeds holds their effect too."""
    found = {}
    for word, side in (("parent", parent), ("child", child)):
        values: dict[str, list[Any]] = {}
        for record in side.records:
            runtime = set(as_map(record.config.get("types")).get("runtime") or ())
            for name, value in as_map(record.config.get("parameters")).items():
                if name not in _SEEDS | LABELS and name not in runtime:
                    values.setdefault(name, []).append(value)
        for name, own in values.items():
            if any(value != own[0] for value in own):
                found.setdefault(name, {"name": name, "parent": None, "child": None})[word] = own
    return list(found.values())


def _not_recorded(pairs: list[tuple[int | None, RunRecord, RunRecord]]) -> list[str]:
    lacking = []
    for name, read in (("data", lambda own: own.data), ("environment", lambda own: own.environment)):
        if not pairs or not all(read(source) and read(target) for _, source, target in pairs):
            lacking.append(name)
    has_commit = all(own.environment.get("git_commit") for _, *both in pairs for own in both)
    return lacking if pairs and has_commit else [*lacking, "code"]


def _never_read(child: Side, changed: list[str]) -> list[str]:
    """Return the changed parameters that some run of the child recorded and never read: they cannot have acted."""
    unread = set()
    for record in child.records:
        unread |= set(as_map(as_map(record.results).get("parameter_check")).get("unread_params") or ())
    return [name for name in changed if _top(name) in unread]


def _of_a_plan(parent: Side, child: Side) -> list[dict[str, Any]]:
    """Return what the plan's runner noted as overrides, where the runs left no record of their own."""
    first, second = (_overrides(side.metadata) for side in (parent, child))
    return [
        {"name": name, "category": None, "parent": first.get(name), "child": second.get(name),
         "pairs": min(parent.group.n, child.group.n)}
        for name in sorted(first.keys() | second.keys())
        if first.get(name, "the plan's base") != second.get(name, "the plan's base")
    ]  # fmt: skip


def _overrides(metadata: tuple[dict[str, Any], ...]) -> dict[str, str]:
    """Return the overrides of an experiment, `train.epochs:8->3`, by name."""
    found: dict[str, str] = {}
    for line in (metadata[0].get("overrides") or []) if metadata else []:
        name, _, change = str(line).partition(":")
        found[name] = change.partition("->")[2] or change
    return found


def _leaf(field: str) -> str:
    return field.rpartition(".")[2].partition("[")[0]


def _top(field: str) -> str:
    return field.removeprefix("parameters.").partition(".")[0].partition("[")[0]


def is_data_changed(changed: Mapping[str, Any]) -> bool:
    """Return whether what was trained or judged on differs: a digest, a count, a file."""
    telling = {"sha256", "rows", "name", "bytes"}
    return any(_leaf(own["name"]) in telling or own["name"].startswith("splits.") for own in changed["data"])
