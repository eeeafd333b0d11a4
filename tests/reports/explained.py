"""Runs with known answers for the tests of explanations; loaded with `runpy`."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

from probatum.runs.metric import MetricDefinition
from probatum.runs.recorder import RunRecorder

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "signals" / "stories.py")))
AUC = MetricDefinition("val_auc", "Best Val AUC", True, 0.0, 1.0, 0.0, 0.0, "", "")
F1 = MetricDefinition("val_f1", "Best Val F1", True, 0.0, 1.0, 0.0, 0.0, "", "")
SPLITS = {
    "train": {"sha256": "a", "rows": 8},
    "valid": {"sha256": "b", "rows": 4},
    "test": {"sha256": "c", "rows": 4},
}


def run(
    root,
    title,
    seed,
    best,
    *,
    parameters=None,
    metrics=(AUC,),
    others=None,
    splits=SPLITS,
    signals=None,
    epochs=3,
):
    """Record a run that is best at its middle epoch, and return its paths.

    Args:
        others: Values of the further metrics, the same in every epoch.
        splits: Of `data.json`; None leaves it out.
        signals: What `stories.artifact` is told; None leaves signals out.
    """
    told = {"epochs": epochs, "rate": 0.1, **(parameters or {})}
    with RunRecorder("toy", told, list(metrics), title=title, seed=seed, root=root) as open_run:
        for epoch in range(1, epochs + 1):
            value = best if epoch == 2 else best - 0.1
            open_run.epoch({"epoch": epoch, "val_auc": value, **(others or {})})
    paths = open_run.paths
    if splits is not None:
        paths.data.write_text(json.dumps({"name": "toy", "files": [], "splits": splits}))
    if signals is not None:
        paths.instrumentation_folder.mkdir(exist_ok=True)
        own = {"epochs": epochs, "seed": seed, "provenance": {"parameters": told, "seed": seed}, **signals}
        stories.artifact(paths.instrumentation("signals"), **own)
    return paths


def side(root, title, values, **changes):
    """Record one run per value, with the seeds 1, 2, ...; return their names joined by commas."""
    return ",".join(
        run(root, title, seed, value, **changes).name for seed, value in enumerate(values, start=1)
    )


def evaluate(paths, **metrics):
    """Write the evaluation of a run."""
    seed = json.loads(paths.config.read_text())["seeds"]["all"][0]
    paths.eval_results.write_text(json.dumps({"per_seed": [{"seed": seed, **metrics}]}))


def rewrite(path, change):
    """Change a JSON file of a run."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def plan_run(plan, experiment, seed, loss, **more):
    """Write a run of a plan over a foreign command."""
    folder = plan / experiment / f"seed_{seed}"
    folder.mkdir(parents=True)
    metadata = {"plan": plan.name, "experiment": experiment, "status": "completed", "seed": seed, "tags": {},
                "start_time": "2026-01-01T00:00:00+00:00", "duration_seconds": 10.0, "overrides": [],
                **more}  # fmt: skip
    (folder / "metadata.json").write_text(json.dumps(metadata))
    summary = {"metrics": {"loss": loss}, "final_step": 100, "loss_min": loss, "step_time_avg": 0.1}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder
