"""Plain YAML straight from the parser's events: many times faster than by a tree of nodes.

Tags, keys that are no texts, and merges where the lines of names are kept are left to the loader of
`documents`, and so is every mistake: its messages have the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

Names = tuple[str, ...]
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it
_DEPTH = 3  # lines are kept down to `section.block.name`


class UnusualError(Exception):
    """The text holds something that only the full loader understands."""


class PlainReader:
    """Reads one text.

    Args:
        text: YAML.
        value_of: What a word without quotes means.

    Attributes:
        lines: The line of each name, by the names that lead to it.
    """

    def __init__(self, text: str, value_of: Callable[[str], Any]) -> None:
        self.lines: dict[Names, int] = {}
        self._parser = _PARSER(text)
        self._next = self._parser.get_event
        self._value_of = value_of
        self._known: dict[str, Any] = {}  # words repeat
        self._anchors: dict[str, Any] = {}

    def read(self) -> Any:
        """Return the content of the only document.

        Raises:
            UnusualError: the full loader must read it.
            yaml.YAMLError: the text is no YAML.
        """
        try:
            self._next()
            if isinstance(self._next(), StreamEndEvent):
                return None
            content = self._value(self._next(), ())
            self._next()
            if not isinstance(self._next(), StreamEndEvent):
                raise UnusualError
            return content
        finally:
            self._parser.dispose()

    def _value(self, event: Any, names: Names | None) -> Any:
        """Return the value that begins with an event; `names` lead to it, None where no lines are kept."""
        kind = event.__class__
        if kind is AliasEvent:
            return self._alias(event.anchor, names)
        if event.tag is not None:
            raise UnusualError
        if kind is ScalarEvent:
            value = self._scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = value
            return value
        if kind is MappingStartEvent:
            return self._mapping(event.anchor, names)
        if kind is SequenceStartEvent:
            return self._sequence(event.anchor)
        raise UnusualError

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if not event.implicit[0]:  # in quotes, or a block of text
            return text
        if text not in self._known:
            self._known[text] = self._value_of(text)
        return self._known[text]

    def _sequence(self, anchor: str | None) -> list[Any]:
        result: list[Any] = []
        if anchor is not None:
            self._anchors[anchor] = result
        take, value, add = self._next, self._value, result.append
        while (event := take()).__class__ is not SequenceEndEvent:
            add(value(event, None))
        return result

    def _mapping(self, anchor: str | None, names: Names | None) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if anchor is not None:
            self._anchors[anchor] = result
        merged: dict[str, Any] | None = None
        take, value = self._next, self._value
        while (key := take()).__class__ is not MappingEndEvent:
            name, below = self._name(key), None
            if name == "<<" and key.implicit[0]:
                if merged is not None or names is not None:
                    raise UnusualError
                merged = _merged(value(take(), None))
                continue
            if name in result:
                raise UnusualError  # twice: the full loader says where
            if names is not None:
                below = (*names, name)
                self.lines[below] = key.start_mark.line + 1
            result[name] = value(take(), below if below and len(below) < _DEPTH else None)
        if merged:
            _lay_under(result, merged)
        return result

    def _name(self, key: Any) -> str:
        if key.__class__ is not ScalarEvent or key.tag is not None or key.anchor is not None:
            raise UnusualError
        name = key.value if key.value == "<<" else self._scalar(key)
        if name.__class__ is not str:
            raise UnusualError
        return name

    def _alias(self, anchor: str, names: Names | None) -> Any:
        if anchor not in self._anchors:
            raise UnusualError
        value = self._anchors[anchor]
        if names is not None and isinstance(value, dict):
            raise UnusualError  # the lines of its names are the anchor's
        return value


def _merged(source: Any) -> dict[str, Any]:
    """Return the names that a merge key brings; the first of several sources wins."""
    sources: Iterable[Any] = source if isinstance(source, list) else [source]
    merged: dict[str, Any] = {}
    for each in reversed(list(sources)):
        if not isinstance(each, dict):
            raise UnusualError
        merged.update(each)
    return merged


def _lay_under(result: dict[str, Any], merged: dict[str, Any]) -> None:
    """Put merged names before the mapping's own, which win, without making a new mapping: an alias may hold it."""
    own = dict(result)
    result.clear()
    result.update(merged)
    result.update(own)
