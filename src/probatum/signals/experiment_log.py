"""Fields of an experiment log written in place: comments, order and quotes of the rest stay as they are.

Source: seed 000: the comparison updates `instrumentation.signal_check.summary` and
`instrumentation.perturbations.notes` inside the child's YAML.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum._errors import MissingExtraError, RecordError
from probatum._files import write_whole

SUMMARY = ("instrumentation", "signal_check", "summary")
NOTES = ("instrumentation", "perturbations", "notes")
SIGNALS_PATH = ("instrumentation", "signal_check", "path")
CURVES_PATH = ("instrumentation", "perturbations", "path")
_WIDEST = 2**16  # lines that people wrote are never folded


def write_comparison(log: Path | str, summary: str, notes: str) -> None:
    """Write what a comparison found into the child's experiment log.

    Raises:
        RecordError: the file is missing, is no YAML mapping, or has another thing where the fields belong.
    """
    write_fields(log, {SUMMARY: summary, NOTES: notes})


def reference_artifact(log: Path | str, artifact: str) -> None:
    """Write where a run's signals and curves stand into its experiment log.

    Args:
        log: The experiment log.
        artifact: The artifact's path, relative to the run folder where it is inside one.
    """
    write_fields(log, {SIGNALS_PATH: artifact, CURVES_PATH: artifact})


def write_fields(log: Path | str, fields: Mapping[tuple[str, ...], str]) -> None:
    """Set texts at paths of a YAML file; missing mappings are made.

    Only the top-level sections that the paths begin with are written anew; every other byte stays.
    """
    log = Path(log)
    original = _read(log)
    text = original.replace("\r\n", "\n")
    yaml = _yaml(text)
    document = _load(yaml, log, text)
    for path, value in fields.items():
        _set(document, path, value, log)
    stream = io.StringIO()
    yaml.dump(document, stream)
    content = _patched(yaml, text, stream.getvalue(), {path[0] for path in fields})
    write_whole(log, content.replace("\n", "\r\n") if "\r\n" in original else content)


def _patched(yaml: Any, before: str, after: str, sections: set[str]) -> str:
    """Return `before` with the named sections of `after`; `after` itself where the lines cannot be told."""
    old, new = _sections(yaml, before), _sections(yaml, after)
    if old is None or new is None:
        return after
    kept = {**old, **{name: new[name] for name in sections}}
    content = "".join(kept.values())
    return content if yaml.load(content) == yaml.load(after) else after


def _sections(yaml: Any, text: str) -> dict[str, str] | None:
    """Return the lines of every top-level key, the head of the file under ""; None where keys share lines."""
    document = yaml.load(text)
    lines = (text if text.endswith("\n") or not text else text + "\n").split("\n")
    if document is None:  # nothing but comments
        return {"": text}
    starts = {name: document.lc.data[name][0] for name in document if name in document.lc.data}
    if (
        not starts
        or len(starts) != len(document)
        or len(set(starts.values())) != len(starts)
        or document.fa.flow_style()
    ):
        return None
    edges = [*starts.values(), len(lines) - 1]
    names = ["", *starts]
    return {
        name: "".join(line + "\n" for line in lines[first:last])
        for name, first, last in zip(names, [0, *edges], edges, strict=False)
    }


def _read(log: Path) -> str:
    try:
        return log.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise RecordError(f"{log}: expected the child's experiment log, found no file.") from None
    except UnicodeDecodeError as error:
        raise RecordError(f"{log}: expected YAML, got something that is no text ({error}).") from None


def _yaml(text: str) -> Any:
    """Return a round-trip YAML parser that indents as the text does."""
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.util import load_yaml_guess_indent
    except ImportError:
        raise MissingExtraError(
            "updating a YAML file in place needs ruamel.yaml: pip install ruamel.yaml"
        ) from None
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.allow_unicode = True
    try:
        _, indent, offset = load_yaml_guess_indent(text)
    except Exception:  # the text is no YAML: `_load` says so with the place
        return yaml
    if indent:
        yaml.indent(mapping=2 if offset else indent, sequence=indent, offset=offset or 0)
    yaml.explicit_start = text.lstrip().startswith("---")  # pyright: ignore[reportAttributeAccessIssue]
    return yaml


def _load(yaml: Any, log: Path, text: str) -> Any:
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    try:
        document = yaml.load(text)
    except YAMLError as error:
        raise RecordError(f"{log}: expected YAML, got a torn or edited file ({error}).") from None
    if document is None:
        return CommentedMap()
    if not isinstance(document, CommentedMap):
        raise RecordError(f"{log}: expected a YAML mapping, got {type(document).__name__}.")
    return document


def _set(document: Any, path: tuple[str, ...], value: str, log: Path) -> None:
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.scalarstring import LiteralScalarString

    place = document
    for depth, name in enumerate(path[:-1], start=1):
        if place.get(name) is None:
            place[name] = CommentedMap()
        place = place[name]
        if not isinstance(place, CommentedMap):
            raise RecordError(
                f"{log}: expected a mapping at {'.'.join(path[:depth])}, got {place!r}. "
                f"Move it, so that {'.'.join(path)} can be written."
            )
    clean = "\n".join(line.rstrip() for line in value.rstrip("\n").split("\n"))
    place[path[-1]] = LiteralScalarString(clean + "\n") if "\n" in clean else clean
