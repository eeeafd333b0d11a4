"""What a person changed: defaults < `--from-config` < `--set`/`--unset` < `--name value`.

Source: DESIGN "Parameters"; seed 003 section 15.3 (dot paths, and the log line `key:old->new`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from probatum.parameters.defaults import read_values, wrong_name
from probatum.parameters.documents import read_document
from probatum.parameters.mistakes import Mistakes, build, mismatch
from probatum.parameters.model import FieldSpec, Parameters, field_specs
from probatum.parameters.values import to_text, to_value, tokens_to_value

P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True)
class Override:
    """One value that a person changed; `str()` is its line in `overrides_applied.txt`.

    Example:
        >>> str(Override("epochs", 40, 20, "--epochs", "40", "20"))
        'epochs:40->20'
    """

    name: str
    old: Any
    new: Any
    source: str
    old_text: str
    new_text: str

    def __str__(self) -> str:
        """Return `key:old->new`."""
        return f"{self.name}:{self.old_text}->{self.new_text}"


@dataclass(frozen=True, slots=True)
class Resolution(Generic[P]):
    """The parameters of a run, and what was really changed to reach them.

    `overrides` follow the order of the fields. An entry whose `new` is the default records that
    `--unset` (or a later option) took back what a configuration file had changed.
    """

    parameters: P
    overrides: tuple[Override, ...]


def resolve(
    parameters_class: type[P],
    defaults: P,
    *,
    options: Mapping[str, str | Sequence[str]] | None = None,
    sets: Sequence[str] = (),
    unset: Sequence[str] = (),
    from_config: Path | str | None = None,
) -> Resolution[P]:
    """Return the parameters after all overrides, with the log of what really changed.

    Args:
        parameters_class: the study's parameters.
        defaults: what holds where nothing is said.
        options: `--name value`; the name with hyphens or underscores, a list's value as text or tokens.
        sets: `--set name=value` or `--set block.name=value`, in the given order; the last one counts.
        unset: `--unset name`: back to the default, whatever `from_config` says.
        from_config: the `config.json` of a run, or a YAML or JSON file of parameters.

    Raises:
        ParameterError: names or values are wrong; all mistakes of the call are in one message.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     epochs: int = parameter("training", "passes over the data", ge=1)
        >>> resolution = resolve(Small, Small(epochs=40), sets=["training.epochs=20"])
        >>> resolution.parameters, [str(override) for override in resolution.overrides]
        (Small(epochs=20), ['epochs:40->20'])
    """
    layers = _Layers(parameters_class, defaults)
    if from_config is not None:
        layers.apply_config(Path(from_config))
    layers.apply_sets(sets, unset)
    layers.apply_options(options or {})
    return layers.finish()


class _Layers(Generic[P]):
    """The values while overrides are laid over them, and the mistakes met on the way."""

    def __init__(self, parameters_class: type[P], defaults: P) -> None:
        self.parameters_class = parameters_class
        self.specs = field_specs(parameters_class)
        self.defaults = dict(defaults)
        self.values = dict(self.defaults)
        self.from_file: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.mistakes = Mistakes(f"parameters of {parameters_class.__name__}")

    def apply_config(self, path: Path) -> None:
        """Lay the values of a file over the defaults."""
        document = read_document(path)
        content, prefix = document.content, ()
        if isinstance(content, Mapping) and isinstance(content.get("parameters"), Mapping):
            content, prefix = content["parameters"], ("parameters",)
        given = read_values(self.parameters_class, document, content, prefix, self.mistakes)
        self.from_file = given.values
        self.values |= given.values
        self.sources |= given.sources

    def apply_sets(self, sets: Sequence[str], unset: Sequence[str]) -> None:
        """Apply `--set` in order, then `--unset`; the two may not name the same parameter."""
        named = set()
        for entry in sets:
            path, equals, text = entry.partition("=")
            if not equals:
                self.mistakes.add(f"--set must be block.name=value, got {entry!r}.")
                continue
            spec = self._find(path, f"--set {entry}")
            if spec:
                named.add(spec.name)
                self._put(spec, text, f"--set {entry}")
        for entry in unset:
            spec = self._find(entry, f"--unset {entry}")
            if spec and spec.name in named:
                self.mistakes.add(f"`{spec.name}` stands in both --set and --unset. Keep one of them.")
            elif spec:
                self.values[spec.name] = self.defaults[spec.name]
                self.sources[spec.name] = f"--unset {entry}"

    def apply_options(self, options: Mapping[str, str | Sequence[str]]) -> None:
        """Apply `--name value`."""
        seen: set[str] = set()
        for name, text in options.items():
            source = "--" + name.lstrip("-")
            spec = self._find(name, source)
            if spec and spec.name in seen:
                self.mistakes.add(f"`{spec.name}` is given twice, with hyphen and underscore. Keep one.")
            elif spec:
                seen.add(spec.name)
                self._put(spec, text, source)

    def finish(self) -> Resolution[P]:
        """Return the typed result.

        Raises:
            ParameterError: there was a mistake.
        """
        parameters = build(
            self.parameters_class, self.values, self.mistakes, {"": "defaults", **self.sources}
        )
        self.mistakes.raise_if_any()
        if parameters is None:
            raise AssertionError("parameters without a mistake are always built")
        overrides = [
            self._override(name, getattr(parameters, name)) for name in self.specs if name in self.sources
        ]
        return Resolution(parameters, tuple(override for override in overrides if override))

    def _find(self, path: str, source: str) -> FieldSpec | None:
        """Return the parameter that `name` or `block.name` means, or None after noting the mistake."""
        clean = path.strip().lstrip("-").replace("-", "_")
        block, _, name = clean.rpartition(".")
        spec = self.specs.get(name)
        if spec and (not block or block == spec.category):
            return spec
        self.mistakes.add(f"{wrong_name(self.parameters_class, clean)} ({source})")
        return None

    def _put(self, spec: FieldSpec, text: str | Sequence[str], source: str) -> None:
        try:
            value = to_value(spec, text) if isinstance(text, str) else tokens_to_value(spec, text)
        except ValueError:
            came = text if isinstance(text, str) else " ".join(text)
            self.mistakes.add(mismatch(spec, came, source))
        else:
            self.values[spec.name] = value
            self.sources[spec.name] = source

    def _override(self, name: str, new: Any) -> Override | None:
        """Return the change of one parameter, or None where nothing really changed."""
        spec, old = self.specs[name], self.defaults[name]
        if new == old and name in self.from_file:
            old = self.from_file[name]
        if new == old:
            return None
        return Override(name, old, new, self.sources[name], to_text(spec, old), to_text(spec, new))
