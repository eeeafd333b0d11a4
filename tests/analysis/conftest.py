import json
import random

import pytest


def write_run(root, plan, experiment, seed, *, loss=1.0, axis="", step_time=0.1, called=None, **more):
    """Write a run with the seed's keys, one folder per seed; `called` is a name that no folder may have."""
    folder = root / plan / experiment / f"seed{seed}"
    folder.mkdir(parents=True)
    metadata = {
        "plan": plan, "experiment": called or experiment, "description": "", "command": [], "status": "completed",
        "start_time": "2026-01-01T00:00:00+00:00", "end_time": "", "duration_seconds": 100 * step_time + 4,
        "run_root": "/elsewhere", "config_paths": {}, "tags": {"axis": axis} if axis else {}, "seed": seed,
        "returncode": 0,
    } | more  # fmt: skip
    summary = {
        "metrics": {"loss": loss, "mlm_perplexity": 2**loss, "cls_f1": 1 - loss / 10}, "final_step": 100,
        "loss_min": loss - 0.01, "loss_mean": loss + 0.2, "step_time_avg": step_time,
    }  # fmt: skip
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


@pytest.fixture
def write():
    return write_run


@pytest.fixture
def sweep(tmp_path):
    """Five axes and a baseline over three seeds."""
    return make_sweep(tmp_path / "ablations", 3)


@pytest.fixture
def long_sweep(tmp_path):
    """The same over ten seeds, so that the exact test can speak."""
    return make_sweep(tmp_path / "ablations", 10)


def make_sweep(root, seeds):
    rng = random.Random(0)
    means = {"model_large": ("model", 0.8, 0.3), "task_focus": ("task_weights", 1.0, 0.1),
             "data_25": ("data", 1.4, 0.05), "mask_low": ("masking", 1.0, 0.1), "opt_sgd": ("optimizer", 2.0, 0.1),
             "baseline_reference": ("baseline", 1.0, 0.1)}  # fmt: skip
    for name, (axis, mean, step_time) in means.items():
        for seed in range(seeds):
            loss = mean + rng.gauss(0, 0.02)
            write_run(
                root, "sweep", name, seed, loss=loss, axis=axis, step_time=step_time + rng.random() / 1000
            )
    return root
