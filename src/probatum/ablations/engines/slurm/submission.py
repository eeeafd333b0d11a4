"""One submission to Slurm by submitit: its folder, its jobs' results, and what an earlier runner left behind.

A submission's folder is named as its job is in Slurm. That name is drawn anew each time, so that a job's number
that Slurm gives out again, after its database was lost, is never taken for ours.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from probatum._errors import MissingExtraError, RecordError, RunFailedError
from probatum._files import read_json, write_json
from probatum.ablations.engines.base import Job
from probatum.ablations.engines.slurm.options import SlurmOptions, submission_parameters
from probatum.ablations.engines.slurm.queue import Queue
from probatum.ablations.engines.slurm.task import carry_out_on_node
from probatum.ablations.engines.task import job_to_json

_PREFIX = "probatum-"
_KEYS = "keys.json"


def new_name() -> str:
    """Return a name that no job of this user has."""
    return f"{_PREFIX}{secrets.token_hex(6)}"


def home(options: SlurmOptions, job: Job) -> Path:
    """Return the folder of the submissions: the one asked for, else `.probatum/slurm` of the job's plan.

    A job's files lie in a folder named by its key below the plan's, which all nodes can reach.
    """
    if options.folder is not None:
        return options.folder.expanduser().absolute()
    own, parts = job.stdout.absolute().parent, tuple(job.key.split("/"))
    plan = Path(*own.parts[: -len(parts)]) if own.parts[-len(parts) :] == parts else own
    return plan / ".probatum" / "slurm"


def import_submitit() -> Any:
    """Return submitit.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import submitit
        import submitit.core.utils
        import submitit.slurm.slurm
    except ImportError as error:
        raise MissingExtraError(
            "engine slurm needs submitit. Install it: pip install 'probatum[slurm]'"
        ) from error
    return submitit


def submit(
    jobs: Sequence[Job],
    folder: Path,
    options: SlurmOptions,
    minutes: int,
    throttle: int,
    dependency: str | None,
) -> list[str]:
    """Hand jobs to Slurm as one array, and return their ids.

    Args:
        jobs: what to run.
        folder: of this submission; its name is the jobs' name in Slurm.
        options: what each job may use.
        minutes: Slurm's time limit per job.
        throttle: how many may run at a time.
        dependency: the array that must have ended before, if any.

    Raises:
        RunFailedError: Slurm refuses them.
    """
    submitit = import_submitit()
    folder.mkdir(parents=True)
    write_json(
        folder / _KEYS, [job.key for job in jobs]
    )  # before Slurm knows: the runner may be killed any time
    executor = submitit.SlurmExecutor(folder, python=f"exec {shlex.quote(sys.executable)}")
    executor.update_parameters(
        **submission_parameters(options, folder.name, minutes), array_parallelism=throttle
    )
    if dependency is not None:
        executor.update_parameters(dependency=f"afterany:{dependency}")
    lines = [job_to_json(job) for job in jobs]
    threads, grace = [options.cpus_per_run] * len(jobs), [options.grace_seconds] * len(jobs)
    try:
        submitted = executor.map_array(carry_out_on_node, lines, threads, grace)
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        said = [line for line in str(error).splitlines() if line.startswith("sbatch")]
        raise RunFailedError(
            f"Slurm did not take the runs: {' '.join(said) or error}. Check --engine-option partition, account, "
            "qos and time_minutes (`sinfo` lists what there is), and slots where one may not submit so many."
        ) from None
    return [str(job.job_id) for job in submitted]


def read_result(folder: Path, job: str) -> tuple[int | None, str, float] | str | None:
    """Return a job's exit code, reason and seconds; an error's text where its program never ran; None without.

    The pickle is submitit's, in a folder that only the user's own jobs write.
    """
    try:
        outcome, value = pickle.loads((folder / f"{job}_0_result.pkl").read_bytes())  # noqa: S301
    except (OSError, EOFError, pickle.UnpicklingError):
        return None
    return value if outcome == "success" else str(value)


def refresh(folder: Path) -> None:
    """Make a shared file system look again: it may remember for a minute that a file was not there."""
    with contextlib.suppress(OSError):
        os.chmod(folder, folder.stat().st_mode)


def log_tail(folder: Path, job: str, size: int = 2000) -> str:
    """Return the last of what Slurm and submitit said about a job."""
    try:
        return (folder / f"{job}_0_log.err").read_text(encoding="utf-8", errors="replace")[-size:]
    except OSError:
        return ""


def clean(folder: Path, job: str, *, keep_logs: bool = False) -> None:
    """Remove what a reported job has left in its submission's folder."""
    names = ["submitted.pkl", "0_result.pkl", *([] if keep_logs else ["0_log.out", "0_log.err"])]
    for name in names:
        with contextlib.suppress(OSError):
            (folder / f"{job}_{name}").unlink()


def clean_folder(folder: Path) -> None:
    """Remove a submission's folder where no job needs it any more and none left a log."""
    if not any(folder.glob("*_submitted.pkl")) and not any(folder.glob("*_log.err")):
        shutil.rmtree(folder, ignore_errors=True)


def left_behind(base: Path, queue: Queue) -> Iterator[tuple[str, str]]:
    """Yield id and key of each job that Slurm still has from submissions below a folder.

    A runner that was killed between the submission and its records knows nothing of them, and they would write
    into the folders of the runs that follow.
    """
    folders = {folder.name for folder in base.glob(f"{_PREFIX}*")} if base.is_dir() else set()
    keys: dict[str, list[str]] = {}
    for job, name in queue.names.items():
        if name in folders:
            if name not in keys:
                keys[name] = _read_keys(base / name)
            index = int(job.partition("_")[2] or 0)
            if index < len(keys[name]):
                yield job, keys[name][index]


def _read_keys(folder: Path) -> list[str]:
    try:
        return [str(key) for key in read_json(folder / _KEYS)]
    except RecordError:
        return []
