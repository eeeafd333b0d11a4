"""A run is prepared: parameters resolved, folder made, everything written that is known before the first step.

Imports no torch: the preparation is what a person waits for.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from probatum._errors import RecordError, UsageError
from probatum._files import read_json
from probatum._names import unknown
from probatum.parameters import (
    categories,
    config_md5,
    defaults_md5,
    explicit_command,
    flat,
    from_argv,
    resolve,
)
from probatum.parameters.overrides import Resolution
from probatum.runs.config import SCHEMA_VERSION, build_config, write_config, write_overrides_log
from probatum.runs.folder import create_run_folder, find_run, use_run_folder
from probatum.runs.paths import RunPaths
from probatum.runs.status import write_status
from probatum.studies import registry
from probatum.training.declared import declared_metrics
from probatum.training.places import check_places
from probatum.training.study import Study


@dataclass(frozen=True)
class LaunchRequest:
    """What a person asked for, before it is resolved."""

    study_reference: str  # a registered name or a path to a Python file
    title: str
    purpose: str
    options: Mapping[str, Sequence[str]]
    sets: Sequence[str]
    unset: Sequence[str]
    from_config: Path | None
    presets: Mapping[str, str]  # e.g. {"ablation_mode": "align"}
    argv: Sequence[str]  # the line as it was typed
    manifest: bool = False  # whether `reproduction_manifest.json` is wanted at the end


@dataclass(frozen=True)
class LaunchPlan:
    """A resolved request: what would run, and how to make it ready."""

    study: Study
    request: LaunchRequest
    resolution: Resolution
    reproduction: dict[str, Any] | None

    @property
    def explicit_command(self) -> str:
        """The command line that states every parameter."""
        return explicit_command("train", self.request.study_reference, self.resolution.parameters)

    @property
    def explicit_command_words(self) -> list[str]:
        """The explicit command as a list of words, the program first."""
        return shlex.split(self.explicit_command)

    def inert_overrides(self) -> dict[str, str]:
        """Return the parameters that a person set although they cannot act, each with the reason."""
        inert = self.study.inert_parameters(self.resolution.parameters)
        given = [override.name for override in self.resolution.overrides]
        return {name: inert[name] for name in given if name in inert}

    def describe(self) -> str:
        """Return what a dry run shows: the overrides and the explicit command."""
        lines = [f"override: {override}" for override in self.resolution.overrides] or ["no overrides"]
        return "\n".join([*lines, self.explicit_command])

    def prepare(self, root: Path, *, folder: Path | None, force: bool) -> RunPaths:
        """Return the folder of the new run: it holds its configuration and stands at `planned`.

        Raises:
            UsageError: the folder was named and exists, without `force`.
        """
        suffix = "_reproduce" if self.reproduction else ""
        if folder is not None:
            paths = use_run_folder(folder, force=force)
        else:
            paths = create_run_folder(root, self.study.name, self.request.title + suffix)
        config = describe_run(self, paths)
        write_overrides_log(paths, config["experiment"]["experiment_id"], self.resolution.overrides)
        write_config(paths, config)
        write_status(paths, "planned")
        return paths


def plan_launch(request: LaunchRequest, *, reproduction: dict[str, Any] | None = None) -> LaunchPlan:
    """Return the plan of `request`; presets give way to single flags.

    Raises:
        UnknownNameError: no such study.
        ParameterError: all mistakes of the request at once.
    """
    study = registry.load(request.study_reference)
    resolution = resolve(
        study.parameters,
        study.load_defaults(),
        options=request.options,
        sets=[*_preset_sets(study, request.presets), *request.sets],
        unset=request.unset,
        from_config=request.from_config,
    )
    check_places(resolution.parameters)
    return LaunchPlan(study, request, resolution, reproduction)


def plan_explicit(
    study_reference: str, options: Mapping[str, Sequence[str]], *, title: str, argv: Sequence[str]
) -> LaunchPlan:
    """Return the plan of an explicit command, in which every parameter is given.

    Raises:
        ParameterError: names every parameter that is missing, unknown or out of bounds.
    """
    study = registry.load(study_reference)
    words = [word for name, values in options.items() for word in (f"--{name}", *values)]
    parameters = from_argv(study.parameters, words)
    defaults = study.load_defaults()
    given = flat(parameters)
    changed = {name: options[name] for name, value in flat(defaults).items() if given[name] != value}
    resolution = resolve(study.parameters, defaults, options=changed)
    request = LaunchRequest(
        study_reference=study_reference,
        title=title,
        purpose="",
        options=changed,
        sets=(),
        unset=(),
        from_config=None,
        presets={},
        argv=argv,
    )
    check_places(resolution.parameters)
    return LaunchPlan(study, request, resolution, None)


def clone_source(
    request: LaunchRequest, source: str, root: Path, *, strict_schema: bool
) -> tuple[LaunchRequest, dict[str, Any]]:
    """Return the request on top of a recorded run's parameters, and the `reproduction` block of its record.

    Raises:
        RecordError: the source has another schema version and `strict_schema` asks for the same.
    """
    paths = find_run(source, root)
    config = read_json(paths.config)
    version = config.get("schema_version")
    if strict_schema and version != SCHEMA_VERSION:
        raise RecordError(
            f"{paths.config}: expected schema_version {SCHEMA_VERSION}, got {version} (--strict_schema)."
        )
    reproduction = {
        "mode": "reproduce_from",
        "source_experiment": paths.name,
        "source_config_md5": config.get("config_md5"),
        "applied_overrides": [
            *(f"--{name} {' '.join(words)}" for name, words in request.options.items()),
            *request.sets,
        ],
    }
    return replace(request, from_config=request.from_config or paths.config), reproduction


def _preset_sets(study: Study, chosen: Mapping[str, str]) -> list[str]:
    sets = []
    for name, value in chosen.items():
        if name not in study.presets:
            raise UsageError(f"study {study.name} has no --{name}.")
        if value not in study.presets[name]:
            raise UsageError(f"--{name}: {unknown('mode', value, study.presets[name])}")
        sets += [f"{key}={_spelled(item)}" for key, item in study.presets[name][value].items()]
    return sets


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def preset_labels(study: Study, parameters: Any) -> dict[str, str | None]:
    """Return, for each preset, the mode whose switches the parameters show; None where they are mixed."""
    return {
        name: next(
            (
                mode
                for mode, switches in modes.items()
                if all(getattr(parameters, key) == value for key, value in switches.items())
            ),
            None,
        )
        for name, modes in study.presets.items()
    }


def describe_run(plan: LaunchPlan, paths: RunPaths) -> dict[str, Any]:
    """Return the content of `config.json`."""
    study, request, resolution = plan.study, plan.request, plan.resolution
    parameters = resolution.parameters
    defaults = flat(study.load_defaults())
    metrics, not_applicable = declared_metrics(study, parameters)
    return build_config(
        study=request.study_reference,
        model=study.name,
        paths=paths,
        title=request.title,
        purpose=request.purpose,
        labels=preset_labels(study, parameters),
        given={
            **{name: list(words) for name, words in request.options.items()},
            **request.presets,
            "set": list(request.sets),
            "unset": list(request.unset),
            "from_config": request.from_config.name if request.from_config else None,
            "manifest": request.manifest,
        },
        defaults=defaults,
        parameters=flat(parameters),
        overrides={
            override.name: override.new
            for override in resolution.overrides
            if flat(parameters)[override.name] != defaults[override.name]  # not what --unset took back
        },
        categories=categories(study.parameters),
        md5=defaults_md5(defaults),
        config_md5=config_md5(study.name, SCHEMA_VERSION, parameters),
        parameter_defaults=_relocatable(study.defaults_path, study.defaults_section),
        commands=commands(request, parameters, paths),
        metrics=[metric.as_record() for metric in metrics],
        not_applicable=not_applicable,
        tolerance_mode="standard" if parameters.mixed_precision else "strict",
        seeds=list(parameters.seeds),
        reproduction=plan.reproduction,
    )


def commands(request: LaunchRequest, parameters: Any, paths: RunPaths) -> dict[str, str]:
    """Return the command lines that the record keeps; none holds a path of this machine."""
    reference, number = request.study_reference, paths.name.rsplit("_", 1)[-1]
    return {
        "run_repro_original": shlex.join(request.argv),
        "train_explicit": explicit_command("train", reference, parameters),
        "eval_explicit": explicit_command("evaluate", reference, parameters, extra=("--run_dir", paths.name)),
        "reproduce": f"probatum reproduce {number}",
    }


def _relocatable(path: Path, section: str | None) -> str:
    package = Path(__file__).resolve().parents[2]
    resolved = path.resolve()
    text = str(resolved.relative_to(package)) if resolved.is_relative_to(package) else path.name
    return f"{text}#{section}" if section else text
