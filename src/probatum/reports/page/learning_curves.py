"""The learning curves of runs, or of a plan's experiments."""

from __future__ import annotations

import re
from pathlib import Path

from probatum._errors import RecordError
from probatum.analysis.directions import direction_of
from probatum.analysis.groups import Group
from probatum.analysis.records import RunRecord
from probatum.reports.figures import file_name
from probatum.reports.learning_curves import learning_curves
from probatum.reports.page.blocks import Figure, Section, Text, missing
from probatum.reports.page.run import Epochs, Run
from probatum.reports.page.subject import Subject

SHOWN = 6  # experiments of a plan: more lines than colours can tell apart
_LOSSES = ("train_loss", "val_loss", "loss", "eval_loss")
_MOST = 6  # charts
Column = dict[str, dict[str, Epochs]]  # run -> seed -> epoch -> value


def build(subject: Subject) -> Section:
    """Return a chart of the primary metric, of the other metrics and of the losses."""
    section = Section("learning-curves", "Learning curves")
    columns, step = _of_runs(subject.runs), "epoch"
    if subject.analysis is not None:
        columns, step = _of_plan(subject, section)
    directions = {own["name"]: own.get("higher_is_better") for run in subject.runs for own in run.metrics}
    if subject.analysis is not None:
        directions = {**directions, **subject.analysis.results.definitions}
    for name, column in list(columns.items())[:_MOST]:
        higher = directions.get(name, direction_of(name))
        chart = learning_curves(column, name, higher_is_better=higher, step=step)
        section.blocks.append(Figure(f"learning_curve_{file_name(name)}", chart, _alt(column, name)))
    if not columns:
        section.blocks.append(missing("No epochs were recorded: `metrics_epoch.csv` is missing or empty."))
    return section


def _of_runs(runs: list[Run]) -> dict[str, Column]:
    declared = [own["name"] for run in runs for own in run.metrics]
    names = dict.fromkeys([*declared, *_LOSSES])
    found = {name: {run.name: run.epochs[name] for run in runs if name in run.epochs} for name in names}
    return {name: column for name, column in found.items() if column}


def _of_plan(subject: Subject, section: Section) -> tuple[dict[str, Column], str]:
    """Return the columns of the experiments that are drawn, and what their horizontal axis counts."""
    analysis = subject.analysis
    if analysis is None:
        return {}, ""
    baselines = [
        group for group in analysis.ranked if analysis.baseline_of(group) is None and analysis.baselines
    ]
    chosen = [*baselines[:1], *(group for group in analysis.ranked if group not in baselines[:1])][:SHOWN]
    rest = len(analysis.groups) - len(chosen)
    if rest:
        line = (
            f"The baseline and the best means are drawn, {len(chosen)} of {len(analysis.groups)} experiments"
        )
        section.blocks.append(Text([f"{line}; the leaderboard has all."], "muted"))
    own = _bare(analysis.metric.column)
    names = dict.fromkeys([own, *analysis.results.definitions, *_LOSSES])
    columns: dict[str, Column] = {name: {} for name in names}
    steps: set[str] = set()
    for group in chosen:
        for record in group.runs:
            found, step = _epochs(subject, record)
            steps.add(step)
            for name in names:
                if name in found:
                    columns[name].setdefault(_name(subject, group), {})[str(record.seed)] = found[name]
    found = {name: column for name, column in columns.items() if column}
    return found, "step" if "step" in steps else "epoch"


def _epochs(subject: Subject, record: RunRecord) -> tuple[dict[str, Epochs], str]:
    """Return a record's numbers over its steps, from the file that its program left, else over its epochs."""
    found = _foreign(Path(record.run_root))
    paths = subject.folders.get(record.run_root)
    if found or paths is None:
        return found, "step"
    seed = str(record.seed)
    columns = Run(paths).epochs
    return {name: own.get(seed) or next(iter(own.values())) for name, own in columns.items() if own}, "epoch"


def _foreign(folder: Path) -> dict[str, Epochs]:
    from probatum.ablations.targets.results import Results, read_values
    from probatum.analysis.ablation_folders import METADATA
    from probatum.runs.lenient import as_map, read_leniently

    told = as_map(read_leniently(folder / METADATA, []).get("results"))
    if not told.get("file"):
        return {}
    try:
        values = read_values(
            folder / "artifacts", Results(str(told["file"]), str(told.get("format") or "long"))
        )
    except (RecordError, KeyError):
        return {}
    found: dict[str, Epochs] = {}
    for value in values:
        if value.step is not None and abs(value.value) < float("inf"):
            found.setdefault(value.name, {})[value.step] = value.value
    return found


def _bare(column: str) -> str:
    """Return a metric's name in the epochs: `metrics_val_auc_best_epoch` is `val_auc` there.

    Example:
        >>> _bare("metrics_val_auc_best_epoch"), _bare("best_eval_loss"), _bare("val_auc")
        ('val_auc', 'eval_loss', 'val_auc')
    """
    return re.sub(r"^(metrics|best)_", "", re.sub(r"_(best|last)_epoch$", "", column))


def _name(subject: Subject, group: Group) -> str:
    several = subject.analysis is not None and subject.analysis.has_several_plans
    return f"{group.plan}/{group.experiment}" if several else group.experiment


def _alt(column: Column, name: str) -> str:
    """Return in words where each line begins and ends."""
    parts = []
    for run, seeds in column.items():
        ends = [(own[min(own)], own[max(own)]) for own in seeds.values() if own]
        if ends:
            first, last = (sum(values) / len(values) for values in zip(*ends, strict=True))
            parts.append(
                f"{run}, {len(ends)} {'seed' if len(ends) == 1 else 'seeds'}: {first:.4g} to {last:.4g}"
            )
    return f"{name} over the epochs, from the first to the last, mean over seeds. {'; '.join(parts)}."
