"""What the Slurm engine can be told, and what becomes of it in the submission script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from probatum.ablations.engines.options import EngineOptions

_NOTICE_SECONDS = 60  # before Slurm's own time limit, at which the run is asked to end


class SlurmOptions(EngineOptions):
    """What the Slurm engine can be told."""

    partition: str | None = Field(default=None, description="the partition; the cluster's default without")
    account: str | None = Field(default=None, description="whom the time is charged to")
    qos: str | None = Field(default=None, description="the quality of service")
    constraint: str | None = Field(default=None, description="features that a node must have")
    time_minutes: int | None = Field(
        default=None, ge=1, description="Slurm's limit per run; else from --timeout, else the partition's"
    )
    cpus_per_run: int = Field(default=1, ge=1, description="cores per run, and threads per library")
    gpus_per_run: int = Field(default=0, ge=0, description="devices per run")
    memory_gb: float | None = Field(default=None, gt=0, description="memory per run")
    requeue: bool = Field(
        default=False,
        description="let Slurm itself start a run again, in the same folder; else the runner does, in a clean one",
    )
    setup: str = Field(default="", description="shell lines before each run, such as `module load cuda`")
    folder: Path | None = Field(
        default=None, description="submission scripts and logs of lost runs; else below the plan's folder"
    )
    slots: int | None = Field(
        default=None, ge=1, description="runs in Slurm's hands at a time; else half of its MaxJobCount"
    )
    array_size: int | None = Field(
        default=None, ge=1, description="runs per job array, at most MaxArraySize; larger sweeps are split"
    )
    poll_seconds: float = Field(default=5.0, gt=0, description="between two looks at the queue")
    grace_seconds: float = Field(
        default=10.0, ge=0, description="how long a run may take to end when asked to"
    )
    settle_seconds: float = Field(
        default=30.0, ge=0, description="how long files may take to arrive from a node before a run is lost"
    )


def submission_parameters(options: SlurmOptions, name: str, minutes: int) -> dict[str, Any]:
    """Return submitit's parameters of a submission; 0 minutes are no limit.

    The script becomes the run's supervisor (`exec`, no `srun`): signals to the batch step then reach it, and a
    run costs the controller one step instead of two.
    """
    extra: dict[str, Any] = {
        "signal": f"B:USR2@{_notice_seconds(minutes)}",
        "requeue" if options.requeue else "no-requeue": True,
    }
    wanted = {
        "job_name": name,
        "time": minutes,
        "partition": options.partition,
        "account": options.account,
        "qos": options.qos,
        "constraint": options.constraint,
        "cpus_per_task": options.cpus_per_run,
        "gpus_per_node": options.gpus_per_run or None,
        "mem": None if options.memory_gb is None else f"{round(options.memory_gb * 1024)}MB",
        "setup": options.setup.splitlines() or None,
        "use_srun": False,
        "additional_parameters": extra,
    }
    return {key: value for key, value in wanted.items() if value is not None}


def _notice_seconds(minutes: int) -> int:
    """Return how long before Slurm's limit the run is asked to end: a quarter of a short one."""
    return min(_NOTICE_SECONDS, minutes * 15) if minutes else _NOTICE_SECONDS
