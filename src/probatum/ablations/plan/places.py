"""The line of every value of a plan, from the parser's events: what a message points at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

Block = (
    dict[str | int, tuple[int, Any]] | None
)  # name or position -> line and the block within; None in a scalar
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it


def read_places(text: str) -> Block:
    """Return the lines of the values in a text that is known to be YAML; JSON is such.

    Example:
        >>> places = read_places("a: [1, {c: 2}]")
        >>> places["a"][1][1]
        (1, {'c': (1, None)})
    """
    parser = _PARSER(text)
    try:
        take, anchors = parser.get_event, {}
        while (event := take()) is not None:
            if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
                return _block(event, take, anchors)
        return None
    finally:
        parser.dispose()


def _block(event: Any, take: Callable[[], Any], anchors: dict[str, Block]) -> Block:
    """Return the block that begins with an event, None where it is a scalar."""
    kind = event.__class__
    if kind is AliasEvent:
        return anchors.get(event.anchor)
    if kind is ScalarEvent:
        return None
    block: dict[str | int, tuple[int, Any]] = {}
    if event.anchor is not None:
        anchors[event.anchor] = block
    if kind is MappingStartEvent:
        while (key := take()).__class__ is not MappingEndEvent:
            inner = _block(key, take, anchors)  # past the end of a key that is no text
            line = key.start_mark.line + 1
            value = _block(take(), take, anchors)
            if inner is None and key.__class__ is ScalarEvent:
                block.setdefault(key.value, (line, value))
        return block
    position = 0
    while (item := take()).__class__ is not SequenceEndEvent:
        block[position] = (item.start_mark.line + 1, _block(item, take, anchors))
        position += 1
    return block
