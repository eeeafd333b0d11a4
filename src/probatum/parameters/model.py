"""The typed, frozen set of parameters of a study, without a single default.

Source: DESIGN "Parameters"; seed 002 "Explicit Parameters, Zero Defaults"; fact sheet GainAKT 7.4 item 26.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

RUNTIME_CATEGORY = "runtime"
"""The category of what does not determine the result: devices, threads. `config_md5` leaves it out."""

INSTRUMENTATION_CATEGORY = "instrumentation"
"""The category of what is seen of a run without changing it. `config_md5` leaves it out too."""

NOT_IDENTITY = (RUNTIME_CATEGORY, INSTRUMENTATION_CATEGORY)

Kind = Literal["bool", "int", "float", "str", "choice"]
_KINDS: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}
_NOUNS = {"bool": ("true or false", "booleans"), "int": ("an integer", "integers")}
_NOUNS |= {"float": ("a finite number", "finite numbers"), "str": ("a text", "texts")}
_COMPARISONS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "multiple_of": "multiple of"}
_LENGTHS = {"min_length": "of length >=", "max_length": "of length <=", "pattern": "matching"}
_BOUNDS = _COMPARISONS | _LENGTHS


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What one parameter accepts, computed once for each class.

    `bounds` are ready to print (`">= 1"`); `choices` are the values of a `typing.Literal`.
    """

    name: str
    category: str
    description: str
    unit: str | None
    kind: Kind
    choices: tuple[Any, ...]
    is_list: bool
    is_optional: bool
    bounds: tuple[str, ...]

    @property
    def type_name(self) -> str:
        """Return the type as the parameter table prints it."""
        name = " or ".join(str(choice) for choice in self.choices) if self.choices else self.kind
        name = f"list of {name}" if self.is_list else name
        return f"{name} or none" if self.is_optional else name

    @property
    def expected(self) -> str:
        """Return what the parameter accepts, as the words after "must be"."""
        if self.choices:
            words = "one of " + ", ".join(repr(choice) for choice in self.choices)
            words = f"a list, each {words}" if self.is_list else words
        else:
            singular, plural = _NOUNS[self.kind]
            words = f"a list of {plural}" if self.is_list else singular
        words = " and ".join(
            filter(None, [words + (" " + self.bounds[0] if self.bounds else ""), *self.bounds[1:]])
        )
        return f"{words}, or none" if self.is_optional else words


class Parameters(BaseModel):
    """Everything that a run is told: typed, frozen, finite, and without a default anywhere.

    Types are strict: `1` is a float where a float is declared, but `True` is not an integer, `3.0` is
    not an integer and `"3"` is not a number. Text is turned into values by `resolve` and `from_argv`.
    A list is declared as `tuple[int, ...]`, so that it is frozen too.

    Raises:
        TypeError: while the class is made: a field has a default, no description, or an unsupported type.

    Example:
        >>> class Small(Parameters):
        ...     epochs: int = parameter("training", "passes over the data", ge=1)
        >>> Small(epochs=3)
        Small(epochs=3)
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        hide_input_in_errors=False,
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Prove, while the class is made, that no field can hide a default."""
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if not field.is_required():
                raise TypeError(
                    f"{cls.__name__}.{name}: expected no default, got {field.get_default()!r}. "
                    f"Write `{name}: ... = parameter(category, description)` and its value in defaults.yaml."
                )
        if cls.__pydantic_complete__:
            field_specs(cls)

    @model_validator(mode="before")
    @classmethod
    def _settle(cls, values: Any) -> Any:
        """Freeze lists, and give zero one sign so that equal parameters have equal hashes."""
        if not isinstance(values, Mapping):
            return values
        settled = dict(values)
        for spec in _settled_specs(cls):
            if spec.name in settled:
                settled[spec.name] = _settle_value(spec, settled[spec.name])
        return settled


def parameter(category: str, description: str, *, unit: str | None = None, **bounds: Any) -> Any:
    """Return the declaration of one parameter, without a default.

    Args:
        category: the block of `config.json` and of the parameter table in which it stands.
        description: what it does, in words.
        unit: what the number counts (`"epochs"`, `"s"`), or None for a pure number or a text.
        bounds: `ge`, `gt`, `le`, `lt`, `multiple_of`, `min_length`, `max_length`, `pattern`.
            Choices stand in the annotation: `typing.Literal["adam", "sgd"]`.

    Raises:
        TypeError: the category or description is empty, or a bound has an unknown name.

    Example:
        >>> parameter("training", "passes over the data", unit="epochs", ge=1).is_required()
        True
    """
    if not (isinstance(category, str) and category.isidentifier()):
        raise TypeError(f"`category` must be one word, got {category!r}.")
    if not (isinstance(description, str) and description.strip()):
        raise TypeError(f"`description` must say what the parameter does, got {description!r}.")
    if "choices" in bounds:
        raise TypeError(
            "`choices` stand in the annotation: write `name: Literal['a', 'b'] = parameter(...)`."
        )
    wrong = sorted(set(bounds) - set(_BOUNDS))
    if wrong:
        raise TypeError(f"unknown bound {', '.join(map(repr, wrong))}. Valid: {', '.join(_BOUNDS)}.")
    return Field(description=description, json_schema_extra={"category": category, "unit": unit}, **bounds)


@cache
def field_specs(parameters_class: type[Parameters]) -> dict[str, FieldSpec]:
    """Return the specification of every field by name, in the order of declaration.

    Raises:
        TypeError: a field was declared without `parameter(...)` or with an unsupported type.
    """
    return {
        name: _spec(parameters_class, name, field) for name, field in parameters_class.model_fields.items()
    }


@cache
def categories(parameters_class: type[Parameters]) -> dict[str, tuple[str, ...]]:
    """Return the names of every category, categories and names in the order of declaration.

    Example:
        >>> class Small(Parameters):
        ...     epochs: int = parameter("training", "passes over the data", ge=1)
        >>> categories(Small)
        {'training': ('epochs',)}
    """
    grouped: dict[str, list[str]] = {}
    for spec in field_specs(parameters_class).values():
        grouped.setdefault(spec.category, []).append(spec.name)
    return {category: tuple(names) for category, names in grouped.items()}


def flat(parameters: Parameters) -> dict[str, Any]:
    """Return the values by name, as plain JSON values (lists, not tuples), in the order of declaration.

    Example:
        >>> class Small(Parameters):
        ...     seeds: tuple[int, ...] = parameter("training", "one run for each")
        >>> flat(Small(seeds=(21, 42)))
        {'seeds': [21, 42]}
    """
    return {name: list(value) if isinstance(value, tuple) else value for name, value in parameters}


@cache
def _settled_specs(parameters_class: type[Parameters]) -> tuple[FieldSpec, ...]:
    """Return the fields whose values may need settling."""
    return tuple(s for s in field_specs(parameters_class).values() if s.is_list or s.kind in ("float", "str"))


def _settle_value(spec: FieldSpec, value: Any) -> Any:
    if spec.is_list and isinstance(value, list | tuple):
        return tuple(_settle_one(spec, element) for element in value)
    return _settle_one(spec, value)


def _settle_one(spec: FieldSpec, value: Any) -> Any:
    if isinstance(value, str) and "\0" in value:
        raise ValueError(f"`{spec.name}` must not hold a NUL character: no command line can carry it.")
    return 0.0 if isinstance(value, float) and value == 0 else value


def _spec(owner: type[Parameters], name: str, field: FieldInfo) -> FieldSpec:
    """Return the specification of one field."""
    extra = field.json_schema_extra
    if not isinstance(extra, Mapping) or "category" not in extra or not field.description:
        raise TypeError(
            f"{owner.__name__}.{name}: expected a declaration with category and description. "
            f"Write `{name}: ... = parameter(category, description)`."
        )
    try:
        kind, choices, is_list, is_optional, inner = _shape(field.annotation)
    except TypeError as error:
        raise TypeError(f"{owner.__name__}.{name}: {error}") from None
    unit = extra["unit"]
    bounds = tuple(_printed_bounds(inner)) + tuple(_printed_bounds(tuple(field.metadata)))
    return FieldSpec(
        name=name,
        category=str(extra["category"]),
        description=field.description,
        unit=None if unit is None else str(unit),
        kind=kind,
        choices=choices,
        is_list=is_list,
        is_optional=is_optional,
        bounds=bounds,
    )


def _shape(annotation: Any) -> tuple[Kind, tuple[Any, ...], bool, bool, tuple[Any, ...]]:
    """Return kind, choices, whether a list, whether optional, and the metadata of the elements."""
    if annotation in _KINDS:
        return _KINDS[annotation], (), False, False, ()
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        kind, choices, is_list, is_optional, inner = _shape(arguments[0])
        return kind, choices, is_list, is_optional, inner + arguments[1:]
    if origin is Literal and all(isinstance(choice, str | int | None) for choice in arguments):
        choices = tuple(choice for choice in arguments if choice is not None)
        return "choice", choices, False, None in arguments, ()
    if origin in (Union, types.UnionType):
        rest = [argument for argument in arguments if argument is not type(None)]
        if len(rest) == 1:
            kind, choices, is_list, _, inner = _shape(rest[0])
            return kind, choices, is_list, True, inner
    if origin is list or (origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis):
        kind, choices, is_list, is_optional, inner = _shape(arguments[0])
        if not (is_list or is_optional):
            return kind, choices, True, False, inner
    raise TypeError(
        f"unsupported type {annotation}. Use bool, int, float, str, Literal[...], a tuple[X, ...] of one "
        "of these, or X | None."
    )


def _printed_bounds(metadata: tuple[Any, ...]) -> list[str]:
    """Return the bounds in the metadata of an annotation, ready to print."""
    entries = [
        entry for item in metadata for entry in (item.metadata if isinstance(item, FieldInfo) else [item])
    ]
    return [
        f"{words} {getattr(entry, attribute)}"
        for entry in entries
        for attribute, words in _BOUNDS.items()
        if getattr(entry, attribute, None) is not None
    ]
