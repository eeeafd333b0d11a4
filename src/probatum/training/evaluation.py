"""The best checkpoint's metrics on every split: validation chose it, test reports it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from probatum._errors import RecordError
from probatum._files import write_json
from probatum.runs.journal import EpochJournal
from probatum.runs.status import utc_now
from probatum.training.checkpoint import load_checkpoint
from probatum.training.machine import Machine, make_machine, resolve_devices
from probatum.training.study import Metrics, Study, StudyData

if TYPE_CHECKING:
    from probatum.training.recorded import RecordedRun


def evaluate_checkpoint(
    study: Study, parameters: Any, checkpoint: Path, data: StudyData, machine: Machine
) -> dict[str, Metrics]:
    """Return the metrics of a checkpoint's weights by split.

    Raises:
        RecordError: the checkpoint is missing, torn, or its weights do not fit the recorded parameters.
    """
    model = rebuild_model(study, parameters, checkpoint, data, machine)
    with torch.inference_mode(), machine.autocast():
        return {
            split: study.evaluate(model, split, parameters, data, machine.device, final=True)
            for split in data.splits
        }


def rebuild_model(
    study: Study, parameters: Any, checkpoint: Path, data: StudyData, machine: Machine
) -> nn.Module:
    """Return the model with a checkpoint's weights, in evaluation mode.

    Raises:
        RecordError: the checkpoint is missing, torn, or its weights do not fit the recorded parameters.
    """
    state = load_checkpoint(checkpoint)
    model = study.build_model(parameters, data).to(machine.device)
    try:
        model.load_state_dict(state["model_state_dict"])
    except (RuntimeError, KeyError) as error:
        raise RecordError(
            f"{checkpoint}: the weights do not fit the recorded parameters. "
            f"Was config.json edited? `probatum verify` says.\n{error}"
        ) from None
    return model.eval()


def evaluate_run(run: RecordedRun) -> dict[int, dict[str, Metrics]]:
    """Return the metrics of every seed's best checkpoint by split, computed anew."""
    parameters = run.parameters
    torch.set_num_threads(parameters.threads)
    machine = make_machine(parameters, resolve_devices(parameters.devices[:1]))
    data = run.study.load_data(parameters)
    several = len(parameters.seeds) > 1
    return {
        seed: evaluate_checkpoint(
            run.study, parameters, run.paths.model_best(seed, several=several), data, machine
        )
        for seed in parameters.seeds
    }


def write_evaluation(run: RecordedRun, evaluations: Mapping[int, Mapping[str, Metrics]]) -> list[Path]:
    """Write `eval_results.json`, `config_eval.json` and `metrics_epoch_eval.csv`; return their paths.

    With several seeds the top level of `eval_results.json` is the mean over them.
    """
    paths, config = run.paths, run.config
    records = {seed: run.study.evaluation_record(metrics) for seed, metrics in evaluations.items()}
    write_json(
        paths.eval_results,
        {
            "schema_version": config["schema_version"],
            "experiment_id": config["experiment"]["experiment_id"],
            "config_md5": config["config_md5"],
            **config.get("data", {}),
            **_mean(list(records.values())),
            "per_seed": [{"seed": seed, **record} for seed, record in records.items()],
            "timestamp": utc_now(),
        },
    )
    write_json(
        paths.config_eval,
        {
            "schema_version": config["schema_version"],
            "command": config["commands"]["eval_explicit"],
            "parameters": config["parameters"],
            "seeds": list(evaluations),
            "timestamp": utc_now(),
        },
    )
    _write_table(paths.metrics_epoch_eval, evaluations)
    return [paths.eval_results, paths.config_eval, paths.metrics_epoch_eval]


def _write_table(path: Path, evaluations: Mapping[int, Mapping[str, Metrics]]) -> None:
    rows = [
        {"seed": seed, "split": split, **metrics}
        for seed, splits in evaluations.items()
        for split, metrics in splits.items()
    ]
    journal = EpochJournal(path, tuple(rows[0]))
    journal.rewrite(rows)
    journal.close()


def _mean(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over seeds of every number; None where a seed has none."""
    return {
        name: None
        if any(record[name] is None for record in records)
        else sum(record[name] for record in records) / len(records)
        for name in records[0]
    }
