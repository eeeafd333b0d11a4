"""The environments that studies offer to policies, by the study's name; only the command line asks by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from probatum._errors import UnknownNameError, UsageError
from probatum._names import unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from probatum.packs.environment import Environment
    from probatum.training.study import Study


def environment_factory(
    study: str,
    profile: str,
    changes: Mapping[str, Any] | None = None,
    *,
    runs: int = 1,
    diagnosis: bool = False,
) -> Callable[[], Environment]:
    """Return what makes the environment of a study; it can be sent to another process.

    Args:
        study: Its name, or the Python file that defines it.
        profile: The telemetry profile of the observations.
        changes: Parameters that differ from the study's defaults, by name.
        runs: The largest number of runs that go side by side.
        diagnosis: Offer also the interventions that mend hidden causes.

    Raises:
        UnknownNameError: no study of this name offers an environment.
    """
    _offering(study)
    return partial(_make, study, profile, dict(changes or {}), runs, diagnosis)


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


def _offering(name: str) -> Study:
    """Return the study of that name, which has an environment.

    Raises:
        UnknownNameError: there is no such study, or its runs take no interventions.
    """
    from probatum.studies import registry

    study = registry.load(name)
    if _offers(study):
        return study
    known = [own for own in registry.names() if _offers(registry.load(own))]
    raise UnknownNameError(unknown("study with an environment", name, known))


def _offers(study: Study) -> bool:
    from probatum.training.study import Study

    return type(study).growth_environment is not Study.growth_environment


def _make(study: str, profile: str, changes: Mapping[str, Any], runs: int, diagnosis: bool) -> Environment:
    from probatum.parameters.mistakes import Mistakes, build

    offering, mistakes = _offering(study), Mistakes(study)
    values = {**offering.load_defaults().model_dump(), **changes}
    sources = dict.fromkeys(changes, "the command line") | {"": "defaults"}
    parameters = build(offering.parameters, values, mistakes, sources)
    mistakes.raise_if_any()
    made = offering.growth_environment(parameters, runs=runs, profile=profile, diagnosis=diagnosis)
    if made is None:
        raise UsageError(f"{study} offers no environment with these parameters.")
    return made
