"""A recorded experiment carried out again, from its record and from nothing else.

Source: seed 002, section 3; seed 003, section 6.a.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from probatum._errors import RecordError, RunFailedError
from probatum._files import read_json, write_whole
from probatum.reproduction.compare import Comparison, compare_runs
from probatum.reproduction.report import write_report
from probatum.reproduction.sealed import check_config
from probatum.reproduction.worktree import Code, package_repository, recorded_code
from probatum.runs.config import SCHEMA_VERSION
from probatum.runs.folder import create_run_folder, run_id
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status, write_status

CodeChoice = Literal["recorded", "current"]


def reproduce(
    original: RunPaths,
    *,
    root: Path | str | None = None,
    code: CodeChoice = "recorded",
    manifest: bool = False,
    strict_schema: bool = False,
    say: Callable[[str], None] = print,
    output: int | None = None,
) -> Comparison:
    """Return the comparison of `original` with a new run of its recorded command.

    Args:
        original: The run to carry out again.
        root: Where the new folder is made; beside the original where None.
        code: `recorded` restores the recorded code where it differs; `current` tests today's code.
        manifest: Write `reproduction_manifest.json` too.
        strict_schema: Refuse a record of another schema version.
        say: What shows a line to a person.
        output: File descriptor that the run's output goes to; this process's where None.

    Raises:
        RecordError: the record was edited, is torn, or its code cannot be restored.
        RunFailedError: the run failed or is not completed.
    """
    config = checked_config(original, strict_schema=strict_schema, say=say)
    if not original.results.exists():
        raise RecordError(
            f"{original.name}: results.json is missing, so nothing can be compared. Did it finish?"
        )
    environment = read_json(original.environment_json) if original.environment_json.exists() else {}
    with _code(original, environment, code) as chosen:
        say(chosen.note)
        target = prepare(original, config, root or original.folder.parent)
        say(f"reproducing {original.name} as {target.name}")
        run_recorded(config["commands"]["train_explicit"], target, chosen, output=output)
    comparison = compare_runs(original, target, force=True)
    write_report(comparison, manifest=manifest)
    return comparison


def checked_config(original: RunPaths, *, strict_schema: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the record's configuration after proving that it agrees with itself."""
    config = read_json(original.config)
    if not isinstance(config, dict):
        raise RecordError(f"{original.config}: expected a JSON object, got {type(config).__name__}.")
    check_schema(config, original, strict_schema=strict_schema, say=say)
    check_config(config, str(original.config))
    return config


def check_schema(
    config: Mapping[str, Any], paths: RunPaths, *, strict_schema: bool, say: Callable[[str], None]
) -> None:
    """Refuse another schema version if asked, else say that it differs."""
    version = config.get("schema_version")
    if version == SCHEMA_VERSION:
        return
    message = f"{paths.name}: schema_version is {version}, this Probatum writes {SCHEMA_VERSION}"
    if strict_schema:
        raise RecordError(f"{message}. Use the version that wrote it, or leave --strict_schema out.")
    say(f"note: {message}; a claim must say so")


def prepare(original: RunPaths, config: Mapping[str, Any], root: Path | str) -> RunPaths:
    """Return a new folder `YYYYMMDD_HHMMSS_<study>_<id>_repro` with the record copied byte for byte."""
    identity = run_id(original.name) or str(config["experiment"].get("id") or "")
    if not (len(identity) == 6 and identity.isdigit()):
        raise RecordError(f"{original.config}: expected a 6-digit experiment.id, got {identity!r}.")
    target = create_run_folder(root, config["experiment"]["study"], "", run_id=identity, suffix="_repro")
    write_whole(target.config, original.config.read_bytes())
    if original.overrides_applied.exists():
        write_whole(target.overrides_applied, original.overrides_applied.read_bytes())
    write_status(target, "planned")
    return target


def run_recorded(command: str, target: RunPaths, code: Code, *, output: int | None = None) -> None:
    """Carry the recorded command out into `target`; its output is shown as it comes.

    Raises:
        RunFailedError: it failed, or did not complete the run.
    """
    words = [sys.executable, "-m", "probatum", *shlex.split(command)[1:]]
    sys.stdout.flush()
    finished = subprocess.run(words, env=_environment(target, code), stdout=output, check=False)
    status = read_status(target).status
    if finished.returncode or status != "completed":
        raise RunFailedError(
            f"the reproduction {target.name} did not complete (exit code {finished.returncode}, "
            f"status {status}). Its log: {target.stdout}"
        )


def _environment(target: RunPaths, code: Code) -> dict[str, str]:
    environment = {**os.environ, "EXPERIMENT_DIR": str(target.folder.resolve())}
    source = code.source or Path(__file__).resolve().parents[2]
    inherited = [environment["PYTHONPATH"]] if environment.get("PYTHONPATH") else []
    return {**environment, "PYTHONPATH": os.pathsep.join([str(source), *inherited])}


@contextlib.contextmanager
def _code(original: RunPaths, environment: Mapping[str, Any], choice: CodeChoice) -> Iterator[Code]:
    if choice == "current":
        yield Code(None, "testing today's code, as asked")
        return
    with recorded_code(original, environment, repository=package_repository()) as code:
        yield code
