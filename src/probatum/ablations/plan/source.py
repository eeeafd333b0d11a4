"""A plan file: its content, and for every mistake the line that it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from probatum._collector import collector_paused
from probatum._errors import ParameterError
from probatum.ablations.plan.places import Block, read_places
from probatum.parameters.documents import read_document

Steps = tuple[str | int, ...]  # the way to a value: ("experiments", 3, "tags")


class PlanFile:
    """The content of a YAML or JSON file, and the place of each value in it.

    Lines are looked up only when a message needs them: a correct plan pays nothing for them.

    Raises:
        ParameterError: the file is missing, malformed, or holds something else than names and values.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: dict[str, Any] = _mapping(path)

    @cached_property
    def _root(self) -> Block:
        with collector_paused():
            return read_places(self.path.read_text(encoding="utf-8"))

    def where(self, steps: Steps = ()) -> str:
        """Return `file:line: path` of a value, or of the nearest block around it."""
        block, line = self._root, 1
        for step in steps:
            if block is None or step not in block:
                break
            line, block = block[step]
        spelled = spell(steps)
        return f"{self.path}:{line}: {spelled}" if spelled else f"{self.path}:{line}"


def spell(steps: Sequence[str | int]) -> str:
    """Return a path as people write it.

    Example:
        >>> spell(("experiments", 3, "tags"))
        'experiments[3].tags'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _mapping(path: Path) -> dict[str, Any]:
    content = read_document(path).content
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: expected names and values, got {type(content).__name__}.")
    _refuse_cycles(path, content, ())
    return content


def _refuse_cycles(path: Path, value: Any, parents: tuple[int, ...]) -> None:
    """Refuse an alias that holds itself: nothing could be merged or written."""
    if id(value) in parents:
        raise ParameterError(
            f"{path}: an alias (`*name`) stands inside its own anchor (`&name`). Write it out."
        )
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        if isinstance(child, dict | list):
            _refuse_cycles(path, child, (*parents, id(value)))
