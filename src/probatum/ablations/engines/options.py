"""What an engine can be told on the command line: `--engine-option NAME=VALUE`, typed and checked together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from probatum._errors import UsageError
from probatum._names import unknown


class EngineOptions(BaseModel):
    """The options of an engine; each field is one option, and its description is the help."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Options = TypeVar("Options", bound=EngineOptions)


def read_options(kind: type[Options], engine: str, given: Mapping[str, str]) -> Options:
    """Return the options of an engine, converted to their types.

    Example:
        >>> class Example(EngineOptions):
        ...     cpus_per_run: int = 1
        >>> read_options(Example, "example", {"cpus_per_run": "2"}).cpus_per_run
        2

    Raises:
        UsageError: names or values that the engine does not take, all in one message.
    """
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        names = [name for name in given if name not in kind.model_fields]
        mistakes = [unknown(f"option of engine {engine}", name, kind.model_fields) for name in names]
        for mistake in error.errors():
            name = str(mistake["loc"][0])
            if name in kind.model_fields:
                mistakes.append(f"--engine-option {name}={given[name]}: {mistake['msg']}.")
        raise UsageError("\n".join(mistakes)) from None
