"""Tracking while a plan is carried out: one process beside the runner, started and ended here.

The runner itself never imports MLflow, never waits for it during a run, and passes nothing on to the runs: a
script that logs to MLflow by itself finds its environment as it would without this.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from probatum._errors import MissingExtraError, UsageError
from probatum.ablations.runner.folder import PlanFolder
from probatum.tracking.address import VARIABLE, Address, find_address
from probatum.tracking.sources import Sources
from probatum.tracking.sync import Sync

EXPERIMENT_VARIABLE = "MLFLOW_EXPERIMENT_NAME"  # MLflow's own
_LAST_SECONDS = 10.0  # for what ended last; then the process goes on alone
Say = Callable[[str], None]


def wanted_address(plan: Any, asked: str | None, say: Say = print) -> Address | None:
    """Return the store that a sweep is to be sent to, None where nobody asked for one.

    Args:
        plan: The plan; its train configuration may hold `mlflow.tracking_uri`, as AbProp's does.
        asked: What was given as --mlflow: None, "" for the default, or an address.
        say: Told of a configured address that MLflow does not take; only one that was asked for is an error.

    Raises:
        UsageError: the address that was asked for is none.
        MissingExtraError: --mlflow was given and MLflow is not installed.
    """
    told = plan.base.get("train", {}).get("mlflow")
    configured = told.get("tracking_uri") if isinstance(told, dict) else None
    implied = os.environ.get(VARIABLE) or configured
    if asked is None and not implied:
        return None
    if asked is not None and importlib.util.find_spec("mlflow") is None:
        raise MissingExtraError("MLflow is not installed. Install it: pip install 'probatum[mlflow]'")
    try:
        return find_address(asked or implied, plan.folder.parent)
    except UsageError as error:
        if asked:
            raise
        say(f"note: nothing is sent to MLflow: {error}")
        return None


@contextmanager
def tracked(folder: Path, address: Address | None, say: Say) -> Iterator[None]:
    """Send the runs of a plan while the block carries them out; at its end say what is not there yet."""
    if address is None:
        yield
        return
    process = _start(PlanFolder(folder), address, say)
    try:
        yield
    finally:
        say(_finish(process, PlanFolder(folder), address))


def _start(folder: PlanFolder, address: Address, say: Say) -> subprocess.Popen[bytes] | None:
    if importlib.util.find_spec("mlflow") is None:
        say(f"note: {address.shown} is configured, but MLflow is not installed: nothing is sent now")
        return None
    folder.make()
    words = [sys.executable, "-m", "probatum", "runs", "sync", str(folder.folder), "--while-open"]
    env = {**os.environ, VARIABLE: address.uri, "OMP_NUM_THREADS": "1"}  # no credentials on a command line
    try:
        with folder.tracking_log.open("wb") as log:
            return subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env=env,
                start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        say(f"note: the process that sends runs to MLflow cannot be started ({error.strerror})")
        return None


def _finish(process: subprocess.Popen[bytes] | None, folder: PlanFolder, address: Address) -> str:
    """Return the line that tells how much of the plan is in the store, after a moment for what ended last."""
    is_sending = process is not None and not _has_ended(process)
    sources = Sources(folder.folder.absolute(), "plan")
    missing = len(Sync(address, os.environ.get(EXPERIMENT_VARIABLE)).missing(sources))
    if not missing:
        return f"MLflow: every run is at {address.shown}"
    runs = f"{missing} run{'s' if missing != 1 else ''}"
    shown = os.path.relpath(folder.folder)
    if is_sending:
        return (
            f"MLflow: {runs} still being sent; it goes on without this process ({folder.tracking_log.name})"
        )
    return f"{runs} not yet in MLflow: probatum runs sync {shown} --mlflow {address.shown}"


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    if process.stdin:
        process.stdin.close()  # no more is to come
    try:
        process.wait(_LAST_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.returncode = 0  # it goes on alone on purpose, and nobody here waits for it
        return False
    return True
