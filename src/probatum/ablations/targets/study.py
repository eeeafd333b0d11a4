"""A Probatum study: every run of the plan is a normal run folder with its record."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum._errors import ParameterError, ProbatumError, RecordError
from probatum._files import read_json
from probatum.ablations.plan.merge import leaves
from probatum.ablations.plan.model import BLOCKS, Configs, Experiment, PlannedRun, Resolved
from probatum.ablations.targets.base import Start, Target
from probatum.ablations.targets.command import spelled
from probatum.ablations.targets.results import Value, summary_of

if TYPE_CHECKING:
    from probatum.ablations.runner.folder import RunFolder
    from probatum.runs.paths import RunPaths
    from probatum.training.launch import LaunchPlan, LaunchRequest
    from probatum.training.parameters import TrainingParameters
    from probatum.training.study import Study


@dataclass(frozen=True)
class StudyTarget(Target):
    """A study whose parameters the overrides name, in any block: `model_overrides: {hidden: 8}`."""

    reference: str  # a registered name, or a file's path relative to the working folder
    runs_root: Path
    plan_name: str
    extra_env: Mapping[str, str] = field(default_factory=dict)
    _launches: dict[str, LaunchPlan] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def study(self) -> Study:
        """The study itself; loading it imports no torch."""
        from probatum.studies import registry

        return registry.load(self.reference)

    @cached_property
    def defaults(self) -> TrainingParameters:
        """The study's defaults, read once for all experiments."""
        return self.study.load_defaults()

    @cached_property
    def base(self) -> Configs:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The study's defaults in three blocks."""
        return self._blocks(self.defaults)

    @property
    def directions(self) -> Mapping[str, bool]:
        """Return the directions that the study declares."""
        return {metric.name: metric.higher_is_better for metric in self.study.metrics}

    @property
    def primary_metric(self) -> str:
        """Return the metric that chooses the study's best epoch."""
        return self.study.primary_metric

    def resolve(self, experiment: Experiment) -> Resolved:
        """Return the study's parameters with the experiment's overrides, checked by the study's own types."""
        from probatum.parameters import config_md5
        from probatum.runs.config import SCHEMA_VERSION

        launch = self._launch(experiment)
        parameters = launch.resolution.parameters.model_copy(update={"seeds": ()})
        identity = {
            "study": self.study.name,
            "config_md5": config_md5(self.study.name, SCHEMA_VERSION, parameters),
            "seeds": list(launch.resolution.parameters.seeds) if experiment.seeds == (None,) else "per run",
            "env": {**self.extra_env, **experiment.env},
        }
        inert = launch.inert_overrides().items()
        notes = tuple(f"{experiment.name}: {name} was set but cannot act: {reason}" for name, reason in inert)
        return Resolved(self._blocks(launch.resolution.parameters), identity, (), notes)

    def threads(self, run: PlannedRun) -> int | None:
        """Return the recorded `threads`: part of what makes a run repeatable, so no engine changes it."""
        return next((block["threads"] for block in run.resolved.configs.values() if "threads" in block), None)

    def written_configs(self, run: PlannedRun, folder: RunFolder, tags: Mapping[str, str]) -> Configs:
        """Return the parameters with the run's own seed."""
        configs = run.resolved.configs
        if run.seed is None:
            return configs
        return {**configs, "train": {**configs["train"], "seeds": [run.seed]}}

    def start(self, run: PlannedRun, folder: RunFolder, previous: Mapping[str, Any] | None) -> Start:
        """Return the explicit command in a prepared run folder, or `resume` for one that was interrupted."""
        env = {**self.extra_env, **run.experiment.env}
        program = (sys.executable, "-m", "probatum")
        stopped = self._resumable(previous)
        if stopped is not None:
            words = ("resume", str(stopped), "--runs_root", str(self.runs_root))
            return Start((*program, *words), Path.cwd(), env, self._place(stopped.name, resumed=True))
        launch = self._launch(run.experiment, run.seed)
        paths = launch.prepare(self.runs_root, folder=None, force=False)
        env["EXPERIMENT_DIR"] = str(paths.folder.absolute())
        return Start(
            (*program, *launch.explicit_command_words[1:]),
            Path.cwd(),
            env,
            self._place(paths.name, resumed=False),
        )

    def summarise(self, folder: RunFolder, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the summary from the run's `results.json` and its epochs, which are its steps.

        `training_seconds` are those of the optimiser steps alone, of all seeds together, and `startup_seconds` what
        else the run took: imports, data, validation, evaluation.

        Raises:
            RecordError: the run left no results.
        """
        from probatum.runs.paths import RunPaths

        paths = RunPaths(self.runs_root / str(record["run"]))
        results = read_json(paths.results)
        metrics = {name: value for name, value in results["metrics"].items() if isinstance(value, dict)}
        summary = {
            **summary_of(_losses(results)),
            "metrics": {name: value.get("last") for name, value in metrics.items()},
            "final_step": results.get("last_epoch"),
            "non_finite": {},
            "run": paths.name,
            **_times(paths, record, results.get("last_epoch")),
        }
        summary["last_step"] = {name: summary["final_step"] for name in metrics}
        summary["best"] = {
            name: {
                "value": value.get("best"),
                "step": value.get("best_epoch"),
                "higher_is_better": self.directions.get(name),
            }
            for name, value in metrics.items()
        }
        return summary

    def _place(self, name: str, *, resumed: bool) -> dict[str, Any]:
        return {"run": name, "runs_root": str(self.runs_root), "resumed": resumed}

    def _launch(self, experiment: Experiment, seed: int | None = None) -> LaunchPlan:
        """Return what `probatum launch` would carry out; the study is loaded once for all experiments."""
        from probatum.parameters import resolve
        from probatum.training.launch import LaunchPlan
        from probatum.training.places import check_places

        key = f"{experiment.name}/{seed}"
        if key not in self._launches:
            request = self._request(experiment, seed)
            resolution = resolve(self.study.parameters, self.defaults, options=request.options)
            check_places(resolution.parameters)
            self._launches[key] = LaunchPlan(self.study, request, resolution, None)
        return self._launches[key]

    def _request(self, experiment: Experiment, seed: int | None) -> LaunchRequest:
        from probatum.training.launch import LaunchRequest

        options = self._options(experiment.overrides)
        if seed is not None:
            options["seeds"] = [str(seed)]
        if "instrument_signals" in options:  # the artifacts of all runs may meet in one folder
            own = experiment.folder if seed is None else f"{experiment.folder}_seed{seed}"
            options.setdefault("instrumentation_tag", [own])
        words = [word for name, values in options.items() for word in (f"--{name}", *values)]
        return LaunchRequest(
            study_reference=self.reference,
            title=experiment.folder,
            purpose=f"ablation {self.plan_name}: {experiment.description or experiment.name}",
            options=options,
            sets=(),
            unset=(),
            from_config=None,
            presets={},
            argv=("probatum", "launch", self.reference, "--title", experiment.folder, *words),
        )

    def _options(self, overrides: Configs) -> dict[str, list[str]]:
        options: dict[str, list[str]] = {}
        for path, value in leaves(overrides):
            block, _, name = path.rpartition(".")
            if block not in ("", *BLOCKS):
                raise ParameterError(f"`{path}`: a study's parameters are flat. Name the parameter alone.")
            if name in options:
                raise ParameterError(f"`{name}` is overridden in two blocks. Keep one of them.")
            if name == "seeds":
                raise ParameterError("`seeds` is the plan's affair: `seeds: [..]` beside the overrides.")
            options[name] = shlex.split(spelled(value)) if value == [] else [spelled(value)]
        return options

    def _blocks(self, parameters: Any) -> dict[str, dict[str, Any]]:
        from probatum.parameters import categories, flat

        values = flat(parameters)
        blocks: dict[str, dict[str, Any]] = {block: {} for block in BLOCKS}
        for category, names in categories(type(parameters)).items():
            block = category if category in BLOCKS else "train"
            blocks[block].update({name: values[name] for name in names})
        return blocks

    def _resumable(self, previous: Mapping[str, Any] | None) -> Path | None:
        from probatum.runs.paths import RunPaths
        from probatum.runs.status import read_status

        if not previous or not previous.get("run"):
            return None
        folder = self.runs_root / str(previous["run"])
        try:
            paths = RunPaths(folder)
            is_stopped = paths.config.exists() and read_status(paths).status == "interrupted"
        except ProbatumError:
            return None
        return folder if is_stopped else None


def study_reference(written: str, found: Path | None) -> str:
    """Return how to name a study in a command: registered names as they are, files from the working folder."""
    if not written.endswith(".py") or found is None:
        return written
    relative = os.path.relpath(found)
    return relative if relative.startswith(".") else f"./{relative}"


def _losses(results: Mapping[str, Any]) -> list[Value]:
    history = results.get("train_history")
    rows = history if isinstance(history, list) else []
    found = [Value("train_loss", row.get("epoch"), row["train_loss"]) for row in rows if _has_loss(row)]
    if not isinstance(results.get("metrics"), dict):
        raise RecordError("results.json holds no metrics. `probatum verify` tells whether it was changed.")
    return found


def _times(paths: RunPaths, record: Mapping[str, Any], steps: Any) -> dict[str, float | None]:
    """Return how long a run trained, how long it did other things, and the mean of a step; None where not timed."""
    from probatum.runs.journal import read_epochs

    rows = [row for path in sorted(paths.artifacts.glob("timing_seed*.csv")) for row in read_epochs(path)]
    found = [row["train_seconds"] for row in rows if row.get("train_seconds") is not None]
    training = sum(found) if found else None
    total = record.get("duration_seconds")
    return {
        "training_seconds": training,
        "startup_seconds": None if training is None or total is None else max(0.0, total - training),
        "step_time_avg": None if training is None or not steps else training / steps,
    }


def _has_loss(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("train_loss"), int | float)
