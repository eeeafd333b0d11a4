"""The environments that studies offer to policies, by the study's name; only the command line asks by name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from probatum._errors import UnknownNameError
from probatum._names import unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from probatum.packs.environment import Environment

_OFFERED = {"tamiyo": "probatum.studies.tamiyo.growth:GrowthEnvironment"}


def environment_names() -> list[str]:
    """Return the studies whose runs can be observed and intervened in."""
    return list(_OFFERED)


def environment_factory(
    study: str,
    profile: str | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    diagnosis: bool = False,
) -> Callable[[], Environment]:
    """Return what makes the environment of a study; it can be sent to another process.

    Args:
        study: Its name.
        profile: The telemetry profile; the study's own where None.
        changes: Parameters that differ from the study's defaults, by name.
        diagnosis: Offer also the interventions that mend hidden causes.

    Raises:
        UnknownNameError: no study of this name offers an environment.
    """
    if study not in _OFFERED:
        raise UnknownNameError(unknown("study with an environment", study, _OFFERED))
    settings = dict(changes or {})
    if profile is not None:
        settings["telemetry_profile"] = profile
    return partial(_make, study, diagnosis, settings)


def changes_of(study: str, words: Sequence[str]) -> dict[str, Any]:
    """Return a study's parameters by name from words like `epochs=10`; hyphens and underscores mean the same.

    Raises:
        UnknownNameError: there is no such study or parameter.
        click.UsageError: a word has no `=`, a name is given twice, or a value is not of the parameter's type.

    Example:
        >>> changes_of("tamiyo", ["epochs=10", "learning-rate=1e-2"])
        {'epochs': 10, 'learning_rate': 0.01}
    """
    from probatum.parameters.model import field_specs
    from probatum.parameters.values import to_value
    from probatum.studies import registry

    if not words:
        return {}
    specs = field_specs(registry.load(study).parameters)
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name in found:
            raise click.UsageError(f"--set {word}: " + ("given twice." if equals else "expected NAME=VALUE."))
        if name not in specs:
            raise UnknownNameError(unknown(f"parameter of {study}", name, specs))
        try:
            found[name] = to_value(specs[name], value)
        except ValueError as error:
            raise click.UsageError(f"--set {word}: {error}.") from None
    return found


def _make(study: str, diagnosis: bool, settings: Mapping[str, Any]) -> Environment:
    module, _, name = _OFFERED[study].partition(":")
    return getattr(importlib.import_module(module), name)(diagnosis=diagnosis, **settings)
