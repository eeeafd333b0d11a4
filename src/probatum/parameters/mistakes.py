"""Mistakes of a call, collected and raised once, each with what was expected, what came, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from probatum._errors import ParameterError
from probatum.parameters.model import FieldSpec, Parameters, field_specs

P = TypeVar("P", bound=Parameters)


class Mistakes:
    """A list of mistakes that becomes one `ParameterError`.

    Example:
        >>> mistakes = Mistakes("Small")
        >>> mistakes.add("`epochs` must be an integer, got 'x' (--epochs).")
        >>> mistakes.raise_if_any()
        Traceback (most recent call last):
        probatum._errors.ParameterError: Small: `epochs` must be an integer, got 'x' (--epochs).
    """

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.lines: list[str] = []

    def __bool__(self) -> bool:
        """Return whether there is a mistake."""
        return bool(self.lines)

    def add(self, line: str) -> None:
        """Keep one mistake, once."""
        if line not in self.lines:
            self.lines.append(line)

    def raise_if_any(self) -> None:
        """Raise all mistakes as one numbered list.

        Raises:
            ParameterError: there is at least one mistake.
        """
        if len(self.lines) == 1:
            raise ParameterError(f"{self.subject}: {self.lines[0]}")
        if self.lines:
            numbered = "\n".join(f"  {number}. {line}" for number, line in enumerate(self.lines, 1))
            raise ParameterError(f"{self.subject}: {len(self.lines)} mistakes\n{numbered}")


def mismatch(spec: FieldSpec, came: Any, source: str, hint: str = "") -> str:
    """Return the sentence for a value that does not fit its parameter."""
    return f"`{spec.name}` must be {spec.expected}, got {came!r} ({source}).{hint and ' ' + hint}"


def build(
    parameters_class: type[P], values: Mapping[str, Any], mistakes: Mistakes, sources: Mapping[str, str]
) -> P | None:
    """Return the typed parameters, or None after adding what is wrong to `mistakes`.

    Args:
        parameters_class: the study's parameters.
        values: a value for every field.
        mistakes: where mistakes are collected.
        sources: where each value came from, by name; the key `""` names the rest.
    """
    try:
        return parameters_class.model_validate(values)
    except ValidationError as error:
        specs = field_specs(parameters_class)
        named: set[str] = set()
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0]) if detail["loc"] else ""
            source = sources.get(name) or sources[""]
            if detail["type"] in ("value_error", "assertion_error"):
                where = f" ({source})" if name in sources else ""
                mistakes.add(
                    detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ") + where
                )
            elif name in specs and name not in named:
                mistakes.add(mismatch(specs[name], values.get(name), source))
            elif name not in specs:
                mistakes.add(f"{detail['msg']} ({source}).")
            named.add(name)
        return None
