"""The one file where a default value may stand, read and proved against the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from probatum._errors import ParameterError
from probatum._names import unknown
from probatum.parameters.documents import Document, read_document
from probatum.parameters.mistakes import Mistakes, build, mismatch
from probatum.parameters.model import FieldSpec, Parameters, categories, field_specs
from probatum.parameters.values import to_value

P = TypeVar("P", bound=Parameters)


def load_defaults(parameters_class: type[P], path: Path | str, section: str | None = None) -> P:
    """Return the defaults of a study: exactly one value for every field.

    Args:
        parameters_class: the study's parameters.
        path: a YAML 1.2 file, values by name or in blocks by category.
        section: the study's section, where several studies share one file; None for the whole file.

    Raises:
        ParameterError: a value is missing, extra, stands twice, or does not fit; all are named at once.
    """
    document = read_document(Path(path))
    content, prefix = _section(document, section)
    subject = f"{document.path}, section {section!r}" if section else str(document.path)
    mistakes = Mistakes(subject)
    given = read_values(parameters_class, document, content, prefix, mistakes)
    specs = field_specs(parameters_class)
    mentioned = {
        spec.name for spec in specs.values() if spec.name in given.values or spec.name in given.refused
    }
    for name in specs:
        if name not in mentioned:
            mistakes.add(f"`{name}` has no default. Add `{name}: ...` ({specs[name].expected}).")
    defaults = None
    if not mistakes:
        defaults = build(parameters_class, given.values, mistakes, {"": str(document.path), **given.sources})
    elif len(given.values) > 0:
        _check_the_rest(parameters_class, given, mistakes)
    mistakes.raise_if_any()
    if defaults is None:
        raise AssertionError("defaults without a mistake are always built")
    return defaults


class GivenValues:
    """The values that a file gives: typed as far as text goes, with the place of each."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.refused: set[str] = set()


def read_values(
    parameters_class: type[Parameters],
    document: Document,
    content: Any,
    prefix: tuple[str, ...],
    mistakes: Mistakes,
) -> GivenValues:
    """Return the values in `content`, by name or in blocks by category; what is wrong goes to `mistakes`.

    Args:
        parameters_class: the study's parameters.
        document: the file, for the lines.
        content: the part of the file that holds the values.
        prefix: where that part stands in the file.
        mistakes: where mistakes are collected.
    """
    given = GivenValues()
    if not isinstance(content, Mapping):
        mistakes.add(f"expected names and values, got {_kind(content)} ({document.where(*prefix)}).")
        return given
    specs, blocks = field_specs(parameters_class), categories(parameters_class)
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name in specs and not (isinstance(value, Mapping) and name in blocks):
            _give(given, specs[name], value, document.where(*prefix, str(key)), mistakes)
        elif name in blocks and isinstance(value, Mapping):
            for inner, inner_value in value.items():
                where = document.where(*prefix, str(key), str(inner))
                inner_name = str(inner).replace("-", "_")
                if inner_name in specs and specs[inner_name].category == name:
                    _give(given, specs[inner_name], inner_value, where, mistakes)
                else:
                    mistakes.add(f"{wrong_name(parameters_class, f'{name}.{inner_name}')} ({where})")
                    given.refused.add(inner_name)
        else:
            mistakes.add(f"{wrong_name(parameters_class, name)} ({document.where(*prefix, str(key))})")
    return given


def wrong_name(parameters_class: type[Parameters], path: str) -> str:
    """Return the sentence for a name or `block.name` that does not exist, with the right one.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     epochs: int = parameter("training", "passes over the data")
        >>> wrong_name(Small, "data.epochs")
        "`epochs` stands in block 'training', not in 'data'. Write training.epochs."
    """
    specs, blocks = field_specs(parameters_class), categories(parameters_class)
    block, _, name = path.rpartition(".")
    if name in specs and block:
        right = specs[name].category
        return f"`{name}` stands in block {right!r}, not in {block!r}. Write {right}.{name}."
    if block in blocks:
        return unknown(f"parameter in block {block!r}", name, _nearby(name, blocks[block], specs))
    return unknown("parameter", name, specs)


def _nearby(name: str, in_block: tuple[str, ...], specs: Mapping[str, FieldSpec]) -> list[str]:
    """Return the block's names, or all where none of the block's looks like `name`."""
    from probatum._names import nearest

    return list(in_block) if nearest(name, in_block) else list(specs)


def _section(document: Document, section: str | None) -> tuple[Any, tuple[str, ...]]:
    if section is None:
        return document.content, ()
    sections = document.content if isinstance(document.content, dict) else {}
    if section not in sections:
        raise ParameterError(f"{document.path}: {unknown('section', section, map(str, sections))}")
    return sections[section], (section,)


def _give(given: GivenValues, spec: FieldSpec, value: Any, where: str, mistakes: Mistakes) -> None:
    """Keep a value of a file; a text is read by the parameter's type, so a quoted "1e-7" is a number."""
    if spec.name in given.values:
        mistakes.add(f"`{spec.name}` is given twice ({given.sources[spec.name]} and {where}). Keep one.")
        return
    given.sources[spec.name] = where
    if isinstance(value, str) and (spec.kind not in ("str", "choice") or spec.is_list):
        try:
            value = to_value(spec, value)
        except ValueError:
            mistakes.add(mismatch(spec, value, where))
            given.refused.add(spec.name)
            return
    elif spec.is_list and isinstance(value, list):
        value = tuple(value)
    given.values[spec.name] = value


def _check_the_rest(parameters_class: type[P], given: GivenValues, mistakes: Mistakes) -> None:
    """Add the mistakes of the values that are there, although others are missing."""
    others = Mistakes("")
    build(parameters_class, given.values, others, {"": "", **given.sources})
    for line in others.lines:
        name = line.split("`")[1] if line.startswith("`") else ""
        if name in given.values:
            mistakes.add(line)


def _kind(value: Any) -> str:
    return "an empty file" if value is None else f"a {type(value).__name__}"
