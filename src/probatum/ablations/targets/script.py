"""Any program that is told by configuration files or words, and leaves a CSV or JSON of results."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum._errors import ParameterError
from probatum.ablations.plan.lookup import Lookup, shown
from probatum.ablations.plan.merge import leaves, merge
from probatum.ablations.plan.model import BLOCKS, Accommodation, Configs, Experiment, PlannedRun, Resolved
from probatum.ablations.targets.base import Start, Target
from probatum.ablations.targets.command import (
    ABPROP_FLAGS,
    declared_words,
    filled,
    is_script,
    placeholders,
    unheard,
    unknown_placeholders,
)
from probatum.ablations.targets.heads import mend_heads
from probatum.ablations.targets.results import Results, read_results

if TYPE_CHECKING:
    from probatum.ablations.runner.folder import RunFolder

STAND_INS = {"scripts/train.py": "probatum.studies.abprop.script"}
"""Modules that take a script's flags and leave its files, for repositories where the script is absent."""

ABPROP_RESULTS = Results("logs/abprop-train.csv", "long")


@dataclass(frozen=True)
class ScriptTarget(Target):
    """A command with three configurations; see `open_script` for what a plan's `defaults` mean."""

    prepares_ahead = True
    base: Configs
    root: Path
    words: tuple[str, ...]  # with placeholders
    python: str
    env: Mapping[str, str]
    extra_args: tuple[str, ...]
    results: Results | None
    rules: Mapping[str, str]
    declared_seed: bool = False  # AbProp's script also takes --seed
    accommodations: tuple[Accommodation, ...] = field(default=())

    def check(self, experiments: tuple[Experiment, ...]) -> Iterator[str]:
        """Yield seeds and overrides that the command would never hear of."""
        if not {"seed", "train_config"} & placeholders(self.words):
            for experiment in experiments:
                if len(experiment.seeds) > 1:
                    yield (
                        f"{experiment.where}: {len(experiment.seeds)} seeds, but train_script has no "
                        "`{seed}`: every run would be the same."
                    )
                    break

    def resolve(self, experiment: Experiment) -> Resolved:
        """Return the three configurations with the experiment's overrides laid over."""
        foreign = sorted(set(experiment.overrides) - set(BLOCKS))
        if foreign:
            raise ParameterError(
                f"overrides: expected blocks {', '.join(BLOCKS)}, got {foreign[0]!r}. Dotted paths start with one."
            )
        configs = {block: merge(self.base[block], experiment.overrides.get(block)) for block in BLOCKS}
        mended = mend_heads(configs, self.rules.get("heads", "refuse"), self.base)
        lost = unheard(self.words, [path for path, _ in leaves(experiment.overrides)])
        if lost:
            raise ParameterError(
                f"`{lost[0]}` is overridden, but train_script never hears of it: give it "
                f"`{{{lost[0]}}}` or `{{{lost[0].partition('.')[0]}_config}}`."
            )
        identity = {
            "configs": configs,
            "command": [*self.words, *self.extra_args, *experiment.extra_args],
            "env": {**self.env, **experiment.env},
        }
        return Resolved(configs, identity, (*self.accommodations, *mended))

    def written_configs(self, run: PlannedRun, folder: RunFolder, tags: Mapping[str, str]) -> Configs:
        """Return the configurations with the folders, the seed and the MLflow tags that AbProp's runner sets."""
        if not self.declared_seed:
            return run.resolved.configs
        artifacts = Path(shown(folder.artifacts, self.root))
        set_here: dict[str, Any] = {
            "output_dir": str(artifacts),
            "log_dir": str(artifacts / "logs"),
            "checkpoint_dir": str(artifacts / "checkpoints"),
            "mlflow": {"tags": dict(tags)},
        }
        if run.seed is not None:
            set_here["seed"] = run.seed
        return {**run.resolved.configs, "train": merge(run.resolved.configs["train"], set_here)}

    def start(self, run: PlannedRun, folder: RunFolder, previous: Mapping[str, Any] | None) -> Start:
        """Return the command with every placeholder filled; a script always starts anew."""
        places = {block + "_config": shown(folder.config(block), self.root) for block in BLOCKS}
        places |= {"python": self.python, "output_dir": shown(folder.artifacts, self.root)}
        places["seed"] = "" if run.seed is None else str(run.seed)
        words = filled(self.words, places, run.resolved.configs)
        if self.declared_seed and run.seed is not None:
            words += ("--seed", str(run.seed))
        env = {**self.env, **run.experiment.env}
        if "PYTHONPATH" not in env and "PYTHONPATH" not in os.environ and (self.root / "src").is_dir():
            env["PYTHONPATH"] = "src"
        left = {"results": asdict(self.results)} if self.results else {}
        return Start((*words, *self.extra_args, *run.experiment.extra_args), self.root, env, left)

    def summarise(self, folder: RunFolder, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the summary of the declared results; without a declaration an empty one."""
        return read_results(folder.artifacts, self.results)


def open_script(
    defaults: Mapping[str, Any], lookup: Lookup, results: Results | None, rules: Mapping[str, str]
) -> ScriptTarget:
    """Return the target that a plan's `defaults` describe.

    Raises:
        ParameterError: a configuration or the script is missing; all such mistakes in one message.
    """
    mistakes: list[str] = []
    words = declared_words(defaults.get("train_script", "scripts/train.py"))
    has_flags = is_script(words)
    base = {block: _config(block, defaults, lookup, has_flags, mistakes) for block in BLOCKS}
    notes: list[Accommodation] = []
    python = _python(defaults.get("python_executable"), lookup.root, notes)
    extra = tuple(str(word) for word in defaults.get("extra_args") or ())
    if has_flags:
        head, more = _script(words[0], lookup, base, extra, notes, mistakes)
        words, extra, results = (*head, *ABPROP_FLAGS), (*extra, *more), results or ABPROP_RESULTS
    mistakes += unknown_placeholders(words, base)
    if mistakes:
        raise ParameterError("\n".join(mistakes))
    env = {name: spelled_env(value) for name, value in (defaults.get("env") or {}).items()}
    used = (*lookup.accommodations, *notes)
    return ScriptTarget(base, lookup.root, words, python, env, extra, results, rules, has_flags, used)


def spelled_env(value: Any) -> str:
    """Return a value of `env` as the text that a process sees."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _config(
    block: str, defaults: Mapping[str, Any], lookup: Lookup, is_needed: bool, mistakes: list[str]
) -> dict[str, Any]:
    from probatum.parameters.documents import read_document

    key = f"{block}_config"
    written = defaults.get(key, f"configs/{block}.yaml" if is_needed else None)
    if written is None:
        return {}
    path = lookup.find(written)
    if path is None:
        mistakes.append(f"{key}: expected a file {written} below the plan's repository, found none.")
        return {}
    content = read_document(path).content
    if not isinstance(content, dict | None):
        mistakes.append(f"{key}: expected names and values in {written}, got {type(content).__name__}.")
    return content if isinstance(content, dict) else {}


def _python(written: str | None, root: Path, notes: list[Accommodation]) -> str:
    if written is None:
        return sys.executable
    if (root / written).is_file():
        return str(root / written)
    if "/" not in written and shutil.which(written):
        return written
    reason = "warning: python_executable is missing; the interpreter of the runner is used"
    notes.append(Accommodation("python_executable", written, Path(sys.executable).name, reason))
    return sys.executable


def _script(
    written: str,
    lookup: Lookup,
    base: Configs,
    extra: tuple[str, ...],
    notes: list[Accommodation],
    mistakes: list[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the head of the command for a script, and the arguments that its stand-in needs."""
    found = lookup.find(written)
    if found:
        return ("{python}", shown(found, lookup.root)), ()
    module = STAND_INS.get(written)
    if module is None or not _is_there(module):
        mistakes.append(f"train_script: expected a file {written} below {lookup.root.name}/, found none.")
        return ("{python}", written), ()
    reason = "the script is absent; Probatum's trainer takes its flags and leaves its files"
    notes.append(Accommodation("train_script", written, f"-m {module}", reason))
    return ("{python}", "-m", module), _data_stand_in(base["data"], lookup.root, extra, notes)


def _data_stand_in(
    data: Mapping[str, Any], root: Path, extra: tuple[str, ...], notes: list[Accommodation]
) -> tuple[str, ...]:
    parquet = data.get("parquet")
    if not isinstance(parquet, Mapping) or {"--synthetic", "--dry-run-steps"} & set(extra):
        return ()
    parts = (data.get("processed_dir"), parquet.get("output_dir"), parquet.get("filename"))
    place = Path(*(str(part) for part in parts if part))
    if (root / place).exists():
        return ()
    reason = "warning: the data is absent; embedded sequences stand in for it"
    notes.append(Accommodation("data", str(place), "--synthetic", reason))
    return ("--synthetic",)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
