"""Robustness curves of a run's best checkpoints: while it is carried out, or added to a finished run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from probatum._errors import UsageError
from probatum._files import write_json
from probatum.perturbations.curves import Curve
from probatum.perturbations.record import curves_record
from probatum.perturbations.request import CurveRequest
from probatum.perturbations.requested import requested_curves
from probatum.runs.integrity import amend
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status
from probatum.training.evaluation import rebuild_model
from probatum.training.machine import Machine, make_machine, resolve_devices
from probatum.training.recorded import load_recorded_run
from probatum.training.study import Study, StudyData


def request_of(parameters: Any) -> CurveRequest | None:
    """Return the curves that the instrumentation parameters ask for; None where they ask for none.

    Raises:
        UsageError: a rate or ratio is out of bounds.
    """
    rates, ratios = (
        parameters.instrumentation_mask_rates,
        parameters.instrumentation_truncation_keep_ratios,
    )
    if not (rates or ratios):
        return None
    batches = parameters.instrumentation_eval_batches
    return CurveRequest(
        mask_rates=rates,
        keep_ratios=ratios,
        ends=("keep_earliest", "keep_latest"),
        samples=batches * parameters.batch_size if batches else None,
    )


def checkpoint_curves(
    study: Study,
    parameters: Any,
    checkpoint: Path,
    data: StudyData,
    machine: Machine,
    request: CurveRequest,
) -> list[Curve] | None:
    """Return the curves of a checkpoint's weights; None where the study's inputs cannot be damaged.

    Raises:
        UsageError: the data have no such split.
    """
    if request.split not in data.splits:
        raise UsageError(f"the data have no split {request.split!r}; they have {', '.join(data.splits)}.")
    model = rebuild_model(study, parameters, checkpoint, data, machine)
    task = study.perturbation_task(
        model, request.split, parameters, data, machine.device, samples=request.samples
    )
    if task is None:
        return None
    with torch.inference_mode(), machine.autocast():
        return requested_curves(task, request, _live_progress())


def add_curves(paths: RunPaths, request: CurveRequest) -> dict[int, list[Curve]]:
    """Return the curves of a finished run by seed, written to `perturbations/` and noted in the ledger.

    Raises:
        UsageError: the run is not finished, has no such seed, or its study offers no perturbations.
    """
    status = read_status(paths)
    if status.status != "completed":
        raise UsageError(f"{paths.name} is {status.status}: curves are taken of a finished run.")
    run = load_recorded_run(paths)
    parameters = run.parameters
    if request.seed is not None and request.seed not in parameters.seeds:
        raise UsageError(
            f"{paths.name} has no seed {request.seed}; it has {', '.join(map(str, parameters.seeds))}."
        )
    torch.set_num_threads(parameters.threads)
    machine = make_machine(parameters, resolve_devices(parameters.devices[:1]))
    data = run.study.load_data(parameters)
    several = len(parameters.seeds) > 1
    found: dict[int, list[Curve]] = {}
    for seed in parameters.seeds if request.seed is None else (request.seed,):
        checkpoint = paths.model_best(seed, several=several)
        curves = checkpoint_curves(run.study, parameters, checkpoint, data, machine, request)
        if curves is None:
            raise UsageError(f"study {run.study.name} offers no observations to perturb.")
        found[seed] = curves
    files = [_write(paths, seed, curves, request) for seed, curves in found.items()]
    amend(paths, files)
    return found


def _write(paths: RunPaths, seed: int, curves: list[Curve], request: CurveRequest) -> Path:
    path = paths.perturbations(f"curves_seed{seed}")
    path.parent.mkdir(exist_ok=True)
    record = {"schema_version": 1, "seed": seed, "request": request.as_record(), **curves_record(curves)}
    write_json(path, record)
    return path


def _live_progress() -> Any:
    """Return what shows the progress on a terminal; None elsewhere."""
    terminal = sys.__stderr__
    if terminal is None or not terminal.isatty():
        return None

    def show(curve: str, done: int, total: int) -> None:
        terminal.write(f"\r{curve}: {done}/{total} predictions\x1b[K" + ("\r\x1b[K" if done == total else ""))
        terminal.flush()

    return show
