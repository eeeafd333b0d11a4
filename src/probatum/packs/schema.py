"""The published JSON Schema of a pack, and a check against it: all mistakes at once, with their place.

Only the few words of JSON Schema that `pack.schema.json` uses are understood, so that the grammar stands in one
place and no further package is needed. Tests hold it against the `jsonschema` package.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from probatum._names import unknown

SCHEMA_PATH = Path(__file__).with_name("pack.schema.json")
Schema = Mapping[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "integer": (int,),
    "number": (int, float), "null": (type(None),),
}  # fmt: skip


@cache
def pack_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document that `packs export --format json` writes."""
    return json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))


def header_faults(header: Any) -> list[str]:
    """Return every mistake of a `pack.json`.

    Example:
        >>> header_faults([])
        ['pack.json: expected an object, got []']
    """
    return list(faults(header, pack_schema(), "pack.json"))


def episode_faults(episode: Any, place: str) -> list[str]:
    """Return every mistake of an episode; `place` names its line."""
    return list(faults(episode, pack_schema()["$defs"]["episode"], place))


def faults(value: Any, schema: Schema, place: str) -> Iterator[str]:
    """Yield every mistake of a value against a schema, each with the way to it."""
    if "$ref" in schema:
        schema = pack_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    if not _is_of_type(value, schema):
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        yield f"{place}: expected {' or '.join(map(_noun, kinds))}, got {_shown(value)}"
        return
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [value])
    if value not in choices:
        yield f"{place}: expected {' or '.join(map(_shown, choices))}, got {_shown(value)}"
    if isinstance(value, dict):
        yield from _object_faults(value, schema, place)
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{place}: expected at least {schema['minItems']} entries, got {len(value)}"
        for number, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), f"{place}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place}: expected a finite number, got {value}"
    elif "minimum" in schema and value is not None and value < schema["minimum"]:
        yield f"{place}: expected at least {schema['minimum']}, got {value}"


def _object_faults(value: Mapping[str, Any], schema: Schema, place: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place}: {name} is missing"
    for name, item in value.items():
        if name in known:
            yield from faults(item, known[name], f"{place}.{name}")
        elif others is False:
            yield f"{place}: {unknown('key', name, known)}"
        elif isinstance(others, Mapping):
            yield from faults(item, others, f"{place}.{name}")


def _is_of_type(value: Any, schema: Schema) -> bool:
    """Return whether a value is of the stated type; true is no number, and 2.0 no integer."""
    if "type" not in schema:
        return True
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def _noun(kind: str) -> str:
    return kind if kind == "null" else f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
