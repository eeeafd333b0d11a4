"""Run folders of a plan, made by hand: what a store is sent comes from files alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

START, END = "2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00"
START_MS = 1_767_225_600_000


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch, tmp_path):
    """Let no store of the person who runs the tests be written to."""
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "PROBATUM_RUNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def plan_folder(tmp_path):
    """Return the folder of a plan without runs."""
    folder = tmp_path / "outputs/ablations/p"
    folder.mkdir(parents=True)
    (folder / "plan_index.json").write_text("{}")
    return folder


@pytest.fixture
def write_run(plan_folder):
    """Return a function that writes a run of the plan: `write_run("a/seed_1", steps=3)`."""

    def write(place: str, steps: int = 3, *, status: str = "completed", **record) -> Path:
        folder = plan_folder / place
        (folder / "configs").mkdir(parents=True, exist_ok=True)
        logs = folder / "artifacts/logs"
        logs.mkdir(parents=True, exist_ok=True)
        rows = [f"{step},train,loss,{1 / step}\n" for step in range(1, steps + 1)]
        (logs / "abprop-train.csv").write_text("step,tag,metric,value\n" + "".join(rows))
        train = "{learning_rate: 0.0001, use_amp: true, hub_token: abc, mlflow: {tracking_uri: null}}\n"
        (folder / "configs/train.yaml").write_text(train)
        (folder / "configs/model.yaml").write_text("layers: [1, 2]\n")
        experiment, _, seed = place.partition("/seed_")
        base = {
            "plan": "p", "experiment": experiment, "status": status, "seed": int(seed) if seed else None,
            "tags": {"axis": "capacity"}, "description": "what is tried", "config_hash": "c" * 64,
            "run_root": f"outputs/ablations/p/{place}", "start_time": START, "error": None,
            "end_time": None if status == "running" else END,
        }  # fmt: skip
        (folder / "metadata.json").write_text(json.dumps({**base, **record}))
        if status == "completed":
            best = {"loss": {"value": 1 / steps, "step": steps, "higher_is_better": False}}
            (folder / "summary.json").write_text(json.dumps({"best": best, "loss_min": 1 / steps}))
        return folder

    return write
