"""Nested mappings laid over one another and compared, without ever touching what was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from probatum._files import strict_json


class Difference(NamedTuple):
    """One value that differs, by its dotted path; an absent one is `ABSENT`."""

    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        """Return `path:old->new`, as `overrides_applied.txt` spells it."""
        return f"{self.path}:{_shown(self.old)}->{_shown(self.new)}"


ABSENT = type("Absent", (), {"__repr__": lambda _: "(absent)"})()


def merge(base: Mapping[str, Any], over: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `base` with `over` laid on top: deep for mappings, replacing for lists and scalars.

    Nothing of the result is shared with either, so that one experiment can never change another.

    Example:
        >>> merge({"a": {"x": 1, "y": 2}, "b": [1]}, {"a": {"x": 9}, "b": [2, 3]})
        {'a': {'x': 9, 'y': 2}, 'b': [2, 3]}
    """
    result = {key: _own(value) for key, value in base.items()}
    for key, value in (over or {}).items():
        old = result.get(key)
        result[key] = (
            merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else _own(value)
        )
    return result


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return a mapping that holds `value` at a dotted path.

    Example:
        >>> nested("train.task_weights.mlm", 0.5)
        {'train': {'task_weights': {'mlm': 0.5}}}
    """
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def leaves(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is no mapping (or an empty one) with its dotted path.

    Example:
        >>> list(leaves({"a": {"x": 1}, "b": {}}))
        [('a.x', 1), ('b', {})]
    """
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def value_at(mapping: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or `ABSENT`."""
    found: Any = mapping
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return ABSENT
        found = found[name]
    return found


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two nested mappings, in the order of their paths.

    Example:
        >>> [str(d) for d in differences({"a": {"x": 1}}, {"a": {"x": 2}, "b": True})]
        ['a.x:1->2', 'b:(absent)->true']
    """
    before, after = dict(leaves(old)), dict(leaves(new))
    pairs = ((path, before.get(path, ABSENT), after.get(path, ABSENT)) for path in sorted({*before, *after}))
    return [
        Difference(*pair) for pair in pairs if pair[1] is ABSENT or pair[2] is ABSENT or pair[1] != pair[2]
    ]


def _own(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _own(inner) for key, inner in value.items()}
    return deepcopy(value) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    if value is ABSENT or isinstance(value, str):
        return str(value)
    try:
        return strict_json(value, indent=None)
    except (TypeError, ValueError):
        return str(value)
