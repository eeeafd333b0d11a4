"""YAML 1.2 and JSON files read with the line of every name, so that a message can point at it.

PyYAML follows YAML 1.1, where `on` is true, `1e-7` a text and `010` the number 8. This loader follows
the YAML 1.2 core schema, keeps anchors and merge keys (`<<: *common`), and refuses a duplicate key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from probatum._errors import ParameterError
from probatum.parameters.plain_yaml import PlainReader, UnusualError

_CORE_SCHEMA = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("tag:yaml.org,2002:merge", r"<<", ["<"]),
)


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a file, and the line of each name in it (`(block, name) -> line`)."""

    path: Path
    content: Any
    lines: dict[tuple[str, ...], int] = field(repr=False)

    def where(self, *names: str) -> str:
        """Return `file:line` of a name, or the file alone where the line is not known."""
        line = self.lines.get(names)
        return f"{self.path}:{line}" if line else str(self.path)


class _Loader(yaml.SafeLoader):
    """Safe loading with the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own registry)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse duplicate keys before merge keys are filled in: an override of a merged key is fine."""
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            is_name = isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge"
            if is_name and seen.setdefault(key.value, line) != line:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"`{key.value}` stands twice, first in line {seen[key.value]}",
                    key.start_mark,
                )
        super().flatten_mapping(node)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return an integer: `010` is ten, `0o10` is eight."""
        return _int(str(self.construct_scalar(node)))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Return a number; `.inf` and `.nan` are read here and refused by the model."""
        return _float(str(self.construct_scalar(node)))


def _int(text: str) -> int:
    return int(text, {"0o": 8, "0x": 16}.get(text[:2].lower(), 10))


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)
for _tag, _pattern, _first in _CORE_SCHEMA:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)
_MEANINGS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": _int,
    "tag:yaml.org,2002:float": _float,
}


def plain_value(text: str) -> Any:
    """Return what a word without quotes means in the core schema.

    Example:
        >>> [plain_value(word) for word in ("1e-7", "010", "true", "on", "~")]
        [1e-07, 10, True, 'on', None]

    Raises:
        UnusualError: it is a merge key, which is no value.
    """
    for tag, pattern in _Loader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            if tag not in _MEANINGS:
                raise UnusualError
            return _MEANINGS[tag](text)
    return text


def read_document(path: Path) -> Document:
    """Return a YAML or JSON file with the lines of its names; `.json` is read as JSON, all else as YAML.

    Raises:
        ParameterError: the file is missing or malformed; the message has the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ParameterError(f"{path}: expected a file with parameters, found none.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: cannot be read as UTF-8 text ({error}).") from None
    if path.suffix.lower() == ".json":
        _require_json(path, text)
    return _read_yaml(path, text) if path.suffix.lower() != ".json" else _read_json(path, text)


def _require_json(path: Path, text: str) -> None:
    """Refuse torn JSON and duplicate names, which `json.loads` alone would swallow."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ParameterError(f"{path}: `{twice[0]}` stands twice. Keep one of them.")
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise ParameterError(
            f"{path}:{error.lineno}: expected whole JSON, got {error.msg.lower()}."
        ) from None


def _read_json(path: Path, text: str) -> Document:
    """Return a JSON document; the line of a name is where it first stands as a key."""
    content = json.loads(text)
    lines: dict[tuple[str, ...], int] = {}
    for name, value in content.items() if isinstance(content, dict) else ():
        lines[(name,)] = _json_line(text, name)
        for inner in value if isinstance(value, dict) else ():
            lines[(name, inner)] = _json_line(text, inner, after=name)
    return Document(path, content, {key: line for key, line in lines.items() if line})


def _json_line(text: str, name: str, after: str = "") -> int:
    start = 0
    if after:
        block = re.search(re.escape(json.dumps(after)) + r"\s*:\s*\{", text)
        start = block.end() if block else 0
    found = re.compile(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:").search(text, start)
    return text.count("\n", 0, found.start()) + 1 if found else 0


def _read_yaml(path: Path, text: str) -> Document:
    """Return a YAML document: by the quick reader, or else by the loader that knows all and says what is wrong."""
    try:
        reader = PlainReader(text, plain_value)
        return Document(path, reader.read(), reader.lines)
    except (UnusualError, yaml.YAMLError, ValueError, RecursionError):
        return _read_any_yaml(path, text)


def _read_any_yaml(path: Path, text: str) -> Document:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines = _lines(node) if node else {}
        content = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ParameterError(f"{path}:{line}: expected YAML, got a mistake: {error.problem}.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ParameterError(f"{path}: expected YAML, got a mistake: {error}.") from None
    finally:
        loader.dispose()
    return Document(path, content, lines)


def _lines(node: yaml.Node, depth: int = 0) -> dict[tuple[str, ...], int]:
    """Return the line of every name down to `section.block.name`; merged names keep their own line."""
    found: dict[tuple[str, ...], int] = {}
    if not isinstance(node, yaml.MappingNode) or depth > 2:
        return found
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in reversed(sources):
                found |= _lines(source, depth) | found
        else:
            found[(str(key.value),)] = key.start_mark.line + 1
            found |= {(str(key.value), *inner): line for inner, line in _lines(value, depth + 1).items()}
    return found
