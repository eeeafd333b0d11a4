"""`abprop-train.csv`, the training log in AbProp's own long format: step, tag, metric, value.

Tag `train` every `report_interval` optimiser steps and at both ends of an epoch, tag `eval` at the end of each
epoch. Of the rates' metrics each is the mean over keys, where the code behind the study pooled them. A metric that
is undefined has no row. `step_time` (seconds) is the epoch's mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from probatum._errors import RecordError
from probatum._files import read_json, write_whole
from probatum.runs.journal import read_epochs
from probatum.runs.paths import RunPaths

COLUMNS = ("step", "tag", "metric", "value")
EVALUATED = {  # metric of the log: column of metrics_epoch.csv
    "loss": "val_loss",
    "mlm_perplexity": "val_mlm_perplexity",
    "cls_accuracy": "val_cls_accuracy",
    "cls_f1": "val_cls_f1_cdr",
    "reg_mse": "val_reg_macro_mse",
    "reg_r2": "val_reg_macro_r2",
    "reg_spearman": "val_reg_macro_spearman",
}


class LogRow(NamedTuple):
    """One line of the log."""

    step: int
    tag: str
    metric: str
    value: float


def log_rows(
    trajectory: Sequence[Mapping[str, Any]],
    epochs: Sequence[Mapping[str, Any]],
    timing: Mapping[int, float],
) -> Iterator[LogRow]:
    """Yield the rows of a training, in the order of its steps.

    Args:
        trajectory: per epoch, `epoch` and `steps`, as `AbPropObjective` keeps them.
        epochs: the rows of `metrics_epoch.csv`.
        timing: seconds of training by epoch, where known.

    Example:
        >>> told = [{"epoch": 1, "steps": [{"step": 1, "loss": 3.0}, {"step": 4, "loss": 2.5}]}]
        >>> [tuple(row) for row in log_rows(told, [{"epoch": 1, "val_loss": 2.75}], {1: 2.0})][-2:]
        [(4, 'train', 'step_time', 0.5), (4, 'eval', 'loss', 2.75)]
    """
    by_epoch = {int(row["epoch"]): row for row in epochs}
    before = 0
    for entry in trajectory:
        for report in entry["steps"]:
            values = ((name, value) for name, value in report.items() if name != "step")
            yield from _known(report["step"], "train", values)
        end = entry["steps"][-1]["step"]
        if entry["epoch"] in timing:
            yield LogRow(end, "train", "step_time", timing[entry["epoch"]] / (end - before))
        row = by_epoch[entry["epoch"]]
        yield from _known(end, "eval", ((name, row.get(column)) for name, column in EVALUATED.items()))
        before = end


def write_training_log(run: Path, seed: int, target: Path) -> Path:
    """Write the log of a run's seed to `target` and return that.

    Args:
        run: the folder of a run of the study.
        seed: one of its seeds, finished.
        target: where to write, such as `artifacts/logs/abprop-train.csv` of an ablation's experiment.

    Raises:
        RecordError: the seed is not finished.
    """
    paths = RunPaths(run)
    if not paths.seed_trajectory(seed).exists():
        raise RecordError(f"{run}: seed {seed} has no finished training to write {target.name} from.")
    trajectory = read_json(paths.seed_trajectory(seed))
    epochs = read_epochs(paths.seed_epochs(seed))
    timing = {}
    if paths.seed_timing(seed).exists():
        timing = {int(row["epoch"]): row["train_seconds"] for row in read_epochs(paths.seed_timing(seed))}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(log_rows(trajectory, epochs, timing))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, text.getvalue().encode())
    return target


def _known(step: int, tag: str, values: Any) -> Iterator[LogRow]:
    yield from (LogRow(step, tag, name, value) for name, value in values if value is not None)
