"""Text to value and back, by the parameter's type: what `--name value`, `--set` and commands share.

Seed 003 section 15.3 gives the grammar (`true|false`, a number with a decimal point is a float, one
without is an integer, commas make lists); the type of the field then decides, so `1e-7` is a float where
a float is declared and `1.5` stays a text where a text is declared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from probatum.parameters.model import FieldSpec

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SEPARATOR = re.compile(r"\s*,\s*|\s+")
_PLAIN_ELEMENT = re.compile(r"[A-Za-z0-9_./:+@%][A-Za-z0-9_./:+@%=-]*")
_NONE = ("none", "null")


def to_value(spec: FieldSpec, text: str) -> Any:
    """Return the value that `text` means for this parameter; bounds are the model's affair.

    Raises:
        ValueError: the text is not of the parameter's type.

    Example:
        >>> from probatum.parameters.model import Parameters, field_specs, parameter
        >>> class Small(Parameters):
        ...     rate: float = parameter("training", "step size")
        >>> to_value(field_specs(Small)["rate"], "1e-7")
        1e-07
    """
    if spec.is_optional and text.strip().lower() in _NONE:
        return None
    if spec.is_list:
        return _list(spec, text)
    if spec.kind == "str" and spec.is_optional and text.startswith('"'):
        return _quoted(text)
    return _scalar(spec, text)


def tokens_to_value(spec: FieldSpec, tokens: Sequence[str]) -> Any:
    """Return the value of an option that was followed by these command line tokens.

    A list takes any number of tokens (none is the empty list); a bare flag is true.

    Raises:
        ValueError: a scalar parameter got no token or several, or a token of another type.
    """
    if len(tokens) == 1:
        return to_value(spec, tokens[0])
    if spec.is_list:
        return tuple(element for token in tokens for element in _list(spec, token))
    if spec.kind == "bool" and not tokens:
        return True
    raise ValueError("one value expected")


def to_text(spec: FieldSpec, value: Any) -> str:
    """Return the value as the text that `to_value` reads back; lists are comma separated.

    Example:
        >>> from probatum.parameters.model import Parameters, field_specs, parameter
        >>> class Small(Parameters):
        ...     seeds: tuple[int, ...] = parameter("training", "one run for each")
        >>> to_text(field_specs(Small)["seeds"], (21, 42))
        '21,42'
    """
    return ",".join(to_tokens(spec, value))


def to_tokens(spec: FieldSpec, value: Any) -> list[str]:
    """Return the command line tokens of a value: one for a scalar, one for each element of a list."""
    if value is None:
        return ["none"]
    if not spec.is_list:
        return [_optional_text(value) if spec.is_optional and isinstance(value, str) else _text(value)]
    texts = [_text(element) for element in value]
    is_plain = all(_PLAIN_ELEMENT.fullmatch(text) and text.lower() not in _NONE for text in texts)
    if is_plain or not any(isinstance(element, str) for element in value):
        return texts
    return [json.dumps(list(value), ensure_ascii=False)]


def _text(value: Any) -> str:
    """Return a scalar as text: `true`, `42`, `1e-07`, or the string itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _optional_text(value: str) -> str:
    """Return an optional text, quoted as JSON where it could be taken for none or for a quoted one."""
    is_ambiguous = value.strip().lower() in _NONE or value.startswith('"')
    return json.dumps(value, ensure_ascii=False) if is_ambiguous else value


def _quoted(text: str) -> str:
    """Return the text inside JSON quotes, or the text itself where it is not a JSON string."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value if isinstance(value, str) else text


def _list(spec: FieldSpec, text: str) -> tuple[Any, ...]:
    """Return the elements of a list written with commas, spaces, or as a JSON array."""
    stripped = text.strip()
    if stripped.startswith("["):
        try:
            elements = json.loads(stripped)
        except json.JSONDecodeError as error:
            raise ValueError("not a JSON array") from error
        if not all(isinstance(element, str | int | float) for element in elements):
            raise ValueError("not a JSON array of scalars")
        return tuple(_scalar(spec, _text(element)) for element in elements)
    parts = _SEPARATOR.split(stripped) if stripped else []
    if not all(parts):
        raise ValueError("an empty element")
    return tuple(_scalar(spec, part) for part in parts)


def _scalar(spec: FieldSpec, text: str) -> Any:
    """Return one value of the parameter's kind."""
    if spec.kind == "str":
        return text
    if spec.kind == "choice":
        return _choice(spec.choices, text)
    stripped = text.strip()
    if spec.kind == "bool" and stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    if spec.kind == "int" and _INTEGER.fullmatch(stripped):
        return int(stripped)
    if spec.kind == "float" and _NUMBER.fullmatch(stripped):
        return float(stripped)
    raise ValueError(f"not of type {spec.kind}")


def _choice(choices: tuple[Any, ...], text: str) -> Any:
    """Return the choice that is written like `text`."""
    for choice in choices:
        if _text(choice) == text:
            return choice
    raise ValueError("not one of the choices")
