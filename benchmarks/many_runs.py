"""Many planned experiments, and many finished runs: on disk as `ablate` leaves them, and for MLflow."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

from probatum.ablations import Plan, PlanOptions, load_plan
from probatum.ablations.runner.folder import PlanFolder
from probatum.ablations.runner.index import write_index
from probatum.ablations.runner.record import first_record, run_tags, started, write_configs
from probatum.ablations.targets.results import Value, summary_of
from probatum.runs.files import Group, json_text

METRICS = (
    "loss", "eval_loss", "mlm_perplexity", "eval_mlm_perplexity", "eval_cls_f1", "eval_cls_accuracy",
    "eval_reg_r2", "eval_reg_mse", "step_time", "gpu_mem_mb",
)  # fmt: skip
METRIC = "eval_loss"
SEEDS = 5
HEAD = """\
plan_name: many
defaults:
  train_script: 'python fit.py {train_config} {model_config} {data_config} {output_dir}'
  train_config: train.yaml
  model_config: model.yaml
  data_config: data.yaml
primary_metric: eval_loss
"""
CONFIGS = {
    "train": "lr: 0.001\nbatch_size: 32\nmax_steps: 100\nwarmup: 10\noptimizer: adamw\nweight_decay: 0.01\n"
    "task_weights: {mlm: 1.0, cls: 0.5, reg: 0.5}\nprecision: fp32\nclip: 1.0\n",
    "model": "d_model: 384\nnhead: 6\nlayers: 4\ndropout: 0.1\nff: 1536\n",
    "data": "train_fraction: 1.0\nval_fraction: 0.1\nmask: 0.15\n",
}
EXPERIMENT = """\
  - name: exp_{number:05d}
    description: the one with number {number}
    tags: {{axis: axis_{axis}, family: family_{family}}}
    train_overrides:
      lr: {lr:.6f}
      task_weights: {{mlm: {weight}}}
    model_overrides: {{dropout: 0.2}}
"""


def write_plans(folder: Path, count: int) -> dict[str, Path]:
    """Write a plan of `count` experiments one by one, one as a grid, and one with a hundred mistakes."""
    folder.mkdir(parents=True, exist_ok=True)
    for block, text in CONFIGS.items():
        (folder / f"{block}.yaml").write_text(text)
    side = round(count**0.5)
    axes = f"matrix:\n  train.lr: {[n / 1e5 for n in range(side)]}\n  train.max_steps: {list(range(side))}\n"
    explicit = HEAD + experiments(count)
    texts = {
        "explicit": explicit,
        "matrix": HEAD + axes,
        "mistaken": re.sub(r"(number \d+00\n    )tags:", r"\1tag:", explicit),
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return {name: folder / f"{name}.yaml" for name in texts}


def experiments(count: int) -> str:
    """Return the block of experiments."""
    rows = [
        EXPERIMENT.format(number=n, axis=n % 5, family=n % 7, lr=n * 1e-6, weight=n / count)
        for n in range(count)
    ]
    return "experiments:\n  - name: baseline_reference\n" + "".join(rows[1:])


def make_runs(folder: Path, count: int) -> tuple[Path, Path]:
    """Write `count` finished runs; return their folder, and a file with the same for MLflow."""
    write_plans(folder / "plans", 4)
    plan_file = folder / "plans" / "runs.yaml"
    seeds = f"seeds: {list(range(1, SEEDS + 1))}\n"
    plan_file.write_text(HEAD + seeds + experiments(count // SEEDS))
    plan = load_plan(plan_file, PlanOptions(output=folder / "results"))
    PlanFolder(plan.folder).make()
    rng = random.Random(0)
    rows = [_finished(plan, number, rng) for number in range(len(plan.runs))]
    write_index(plan, PlanFolder(plan.folder))
    peer = folder / "runs.json"
    peer.write_text(json.dumps(rows), encoding="utf-8")
    return plan.output, peer


def _finished(plan: Plan, number: int, rng: random.Random) -> dict[str, Any]:
    """Write one run as the runner leaves it, without its flushes; return it for MLflow."""
    run = plan.runs[number]
    folder = PlanFolder(plan.folder).run(run.place)
    folder.artifacts.mkdir(parents=True)
    write_configs(folder, run.resolved.configs)
    values = [Value(name, step, rng.random()) for step in (50, 100) for name in METRICS]
    seconds = 10 + rng.random()
    begun = started(
        first_record(plan, run, folder),
        plan.target.start(run, folder, None),
        "local",
        "2026-01-01T00:00:00+00:00",
    )
    place = {"pid": 1, "host": "host", "boot_id": "boot", "start_time": 1, "slot": 0, "submitted_at": 1.5}
    ended = {"status": "completed", "end_time": "2026-01-01T00:00:10+00:00", "returncode": 0, "error": None}
    summary = summary_of(values)
    record = {
        **begun,
        **ended,
        "place": place,
        "duration_seconds": seconds,
        "last_lines": [],
        "summary": summary,
    }
    record["attempts"] = [{"start_time": begun["start_time"], **ended}]
    with Group(folder.folder, durable=False) as group:
        group.add(folder.summary.name, json_text({"schema_version": 1, **summary}))
        group.add(folder.metadata.name, json_text(record))
    parameters = {
        f"{block}.{name}": value for block, own in run.resolved.configs.items() for name, value in own.items()
    }
    return {
        "name": run.key, "params": parameters, "tags": run_tags(plan, run), "metrics": values,
        "duration_seconds": seconds,
    }  # fmt: skip
