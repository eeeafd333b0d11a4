"""The grammar of a plan is its JSON Schema; this checks a file against it, all mistakes at once.

Only the few words of JSON Schema that `plan.schema.json` uses are understood, so that the grammar stands in
one place and no further package is needed. Tests hold it against the `jsonschema` package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from probatum._names import unknown
from probatum.ablations.plan.source import Steps

SCHEMA_PATH = Path(__file__).with_name("plan.schema.json")
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,),
    "integer": (int,), "number": (int, float), "null": (type(None),),
}  # fmt: skip
_NOUNS = {
    "object": "a block of names and values", "array": "a list", "string": "a text", "null": "nothing",
    "boolean": "true or false", "integer": "an integer", "number": "a number",
}  # fmt: skip


class Fault(NamedTuple):
    """One mistake: the way to the value, and the sentence."""

    steps: Steps
    sentence: str


@cache
def plan_schema() -> dict[str, Any]:
    """Return the published JSON Schema of a plan."""
    return json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))


def faults(value: Any) -> Iterator[Fault]:
    """Yield every place where `value` does not follow the grammar.

    Example:
        >>> [fault.sentence for fault in faults({"seedz": [1]})]
        ["unknown key 'seedz'. Did you mean 'seeds'?"]
    """
    yield from _faults(value, plan_schema(), ())


def _faults(value: Any, rule: Mapping[str, Any], steps: Steps) -> Iterator[Fault]:
    if "$ref" in rule:
        rule = plan_schema()["$defs"][rule["$ref"].rpartition("/")[2]]
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield Fault(steps, f"expected {' or '.join(_NOUNS[kind] for kind in kinds)}, got {value!r}.")
    elif "enum" in rule and value not in rule["enum"]:
        yield Fault(steps, unknown("value", str(value), map(str, rule["enum"])))
    elif isinstance(value, dict):
        yield from _object_faults(value, rule, steps)
    elif isinstance(value, list):
        yield from _array_faults(value, rule, steps)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def _object_faults(value: dict[str, Any], rule: Mapping[str, Any], steps: Steps) -> Iterator[Fault]:
    known, rest = rule.get("properties", {}), rule.get("additionalProperties", True)
    for name in rule.get("required", ()):
        if name not in value:
            yield Fault(steps, f"expected a `{name}`, found none.")
    for name, inner in value.items():
        if name in known:
            yield from _faults(inner, known[name], (*steps, name))
        elif rest is False:
            yield Fault((*steps, name), unknown("key", str(name), known))
        elif not isinstance(name, str):
            yield Fault((*steps, name), f"expected a text as name, got {name!r}. Put it in quotes.")
        elif isinstance(rest, dict):
            yield from _faults(inner, rest, (*steps, name))


def _array_faults(value: list[Any], rule: Mapping[str, Any], steps: Steps) -> Iterator[Fault]:
    if len(value) < rule.get("minItems", 0):
        yield Fault(steps, "expected at least one element, got none.")
    if rule.get("uniqueItems") and len({repr(item) for item in value}) < len(value):
        yield Fault(steps, f"expected each element once, got {value!r}.")
    for position, item in enumerate(value) if "items" in rule else ():
        yield from _faults(item, rule["items"], (*steps, position))


def without(content: dict[str, Any], wrong: list[Fault]) -> dict[str, Any]:
    """Return the content without its faulty values, so that the rest can be checked for further mistakes.

    A faulty experiment becomes None; a faulty element takes its whole list along.
    """
    result = content
    for fault in wrong:
        result = _without(result, fault.steps)
    return result


def _without(value: Any, steps: Steps, *, has_places: bool = False) -> Any:
    """Return `value` without what stands at `steps`; a list that `has_places` keeps them, filled with None."""
    if not steps:
        return None
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict) and step in value:
        inner = _without(value[step], rest, has_places=step == "experiments")
        kept = {name: item for name, item in value.items() if name != step}
        return kept if inner is None else {**kept, step: inner}
    if isinstance(value, list) and isinstance(step, int):
        inner = _without(value[step], rest)
        is_gone = inner is None and not has_places
        return None if is_gone else [*value[:step], inner, *value[step + 1 :]]
    return value
