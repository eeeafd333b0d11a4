"""`config.json`: what a run was told, written before it starts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from probatum._errors import RecordError, UsageError
from probatum.runs.files import json_text, leaves, put
from probatum.runs.folder import run_id
from probatum.runs.paths import RunPaths
from probatum.runs.status import utc_now

SCHEMA_VERSION = 3
RUNTIME = "runtime"
RESERVED = frozenset(
    {
        "schema_version",
        "experiment",
        "input",
        "commands",
        "defaults",
        "overrides",
        "parameters",
        "types",
        "md5",
        "reference",
        "seeds",
        "metrics",
        "not_applicable",
        "tolerance_mode",
        "missing_params",
        "config_md5",
        "reproduction",
    }
)


def build_config(
    *,
    study: str,
    paths: RunPaths,
    title: str,
    defaults: Mapping[str, Any],
    parameters: Mapping[str, Any],
    overrides: Mapping[str, Any],
    categories: Mapping[str, Sequence[str]],
    metrics: Sequence[Mapping[str, Any]],
    commands: Mapping[str, str],
    seeds: Sequence[int],
    md5: str,
    config_md5: str,
    tolerance_mode: str,
    model: str = "",
    purpose: str = "",
    labels: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    parameter_defaults: str = "",
    reproduction: Mapping[str, Any] | None = None,
    missing_params: Sequence[str] = (),
    not_applicable: Mapping[str, str] | None = None,
    created: str | None = None,
) -> dict[str, Any]:
    """Return the content of `config.json`; all mistakes are reported together.

    Args:
        study: The study's name or the path of its file.
        paths: The run folder; its name is the experiment id.
        title: The short title as it was given.
        defaults: Every default, flat, as plain JSON values.
        parameters: Every resolved value, flat.
        overrides: What differs from the defaults, flat.
        categories: The names of the parameters by block; each parameter stands in one.
        metrics: The metric definitions as `MetricDefinition.as_record` gives them.
        commands: The command lines by name.
        seeds: Every seed; the first is the primary one.
        md5: The MD5 of the defaults.
        config_md5: The identity of what determines the result.
        tolerance_mode: `strict` or `standard`.
        model: The model's name, where it is not the study's.
        purpose: Why the run was made, for people.
        labels: Words that describe groups of switches, such as `ablation_mode`.
        given: What the person typed, before it was resolved.
        parameter_defaults: Where the defaults stand, relative to the package.
        reproduction: `mode`, `source_experiment`, `source_config_md5`, `applied_overrides`.
        missing_params: Parameters that could not be recorded; must be empty in a run that is cited.
        not_applicable: Metrics of the study that these parameters cannot have, by name, each with the reason.
        created: The time, UTC; now where None.

    Raises:
        RecordError: a number is not finite, or defaults, parameters and categories name different things.
    """
    _check(defaults, parameters, categories, seeds)
    moment = created or utc_now()
    blocks = {category: {name: parameters[name] for name in names} for category, names in categories.items()}
    config = {
        **blocks,
        RUNTIME: {
            **blocks.get(RUNTIME, {}),
            "command": commands.get("train_explicit", ""),
            "timestamp": moment,
        },
        "schema_version": SCHEMA_VERSION,
        "experiment": {
            "id": run_id(paths.name),
            "experiment_id": paths.name,
            "study": study,
            "model": model or study,
            "short_title": title,
            "purpose": purpose,
            "experiment_suffix": title,
            "created": moment,
            "ablation_mode": None,
            **(labels or {}),
        },
        "input": dict(given or {}),
        "commands": dict(commands),
        "defaults": dict(defaults),
        "overrides": dict(overrides),
        "parameters": dict(parameters),
        "types": {category: list(names) for category, names in categories.items()},
        "md5": md5,
        "reference": {"parameter_defaults": parameter_defaults},
        "seeds": {"primary": seeds[0], "all": list(seeds)},
        "metrics": [dict(metric) for metric in metrics],
        "not_applicable": dict(not_applicable or {}),
        "tolerance_mode": tolerance_mode,
        "missing_params": list(missing_params),
        "config_md5": config_md5,
    }
    return config | ({"reproduction": dict(reproduction)} if reproduction else {})


def _check(
    defaults: Mapping[str, Any],
    parameters: Mapping[str, Any],
    categories: Mapping[str, Sequence[str]],
    seeds: Sequence[int],
) -> None:
    mistakes = [
        f"`{name}` must be a finite number, got {value}."
        for values in ((parameters,) if defaults is parameters else (parameters, defaults))
        for name, value in leaves(values)
        if isinstance(value, float) and not math.isfinite(value)
    ]
    filed = [name for names in categories.values() for name in names]
    for what, names in (("defaults", set(defaults)), ("categories", set(filed))):
        if names != set(parameters):
            different = ", ".join(sorted(names ^ set(parameters)))
            mistakes.append(f"parameters and {what} must name the same things; they differ in: {different}.")
    mistakes += [
        f"parameter `{name}` stands in two categories."
        for name in sorted(n for n, count in Counter(filed).items() if count > 1)
    ]
    mistakes += [
        f"category `{name}` would hide a part of config.json; choose another name."
        for name in categories
        if name in RESERVED
    ]
    if not seeds:
        mistakes.append("`seeds` must hold at least one seed, got none.")
    if mistakes:
        raise RecordError("config.json cannot be written:\n  " + "\n  ".join(dict.fromkeys(mistakes)))


def write_config(paths: RunPaths, config: Mapping[str, Any]) -> str:
    """Write `config.json` whole and return its SHA-256.

    Raises:
        RecordError: a value is no strict JSON; the message names the key.
        UsageError: the folder holds a configuration that is already sealed.
    """
    if paths.fields.exists():
        raise UsageError(
            f"{paths.config} is sealed: it was decided before the first step. Launch a new run instead."
        )
    return put(paths.config, json_text(dict(config)))


def overrides_text(experiment_id: str, overrides: Iterable[Any], *, timestamp: str | None = None) -> str:
    """Return the log of what a person changed: one `override: key:old->new` a line."""
    lines = [f"override: {override}" for override in overrides]
    head = [
        f"timestamp: {timestamp or utc_now()}",
        f"experiment_id: {experiment_id}",
        f"override_count: {len(lines)}",
    ]
    return "\n".join([*head, *lines, "---"]) + "\n"


def write_overrides_log(paths: RunPaths, experiment_id: str, overrides: Iterable[Any]) -> None:
    """Write `overrides_applied.txt`; an override shows itself as `key:old->new`."""
    put(paths.overrides_applied, overrides_text(experiment_id, overrides))
