"""A real study's run folder, and a plan over a study: what is sent, and that the sealed folder stays whole."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from probatum._files import read_json
from probatum.ablations import PlanOptions, SweepOptions, load_plan, run_plan
from probatum.ablations.engines.local import LocalEngine
from probatum.ablations.engines.slots import Slot
from probatum.runs.folder import list_run_folders
from probatum.runs.integrity import verify_run
from probatum.runs.journal import read_epochs
from probatum.tracking.address import Address
from probatum.tracking.sources import find_sources
from probatum.tracking.sync import Sync

sys.path.insert(0, str(Path(__file__).parent))
from memory_store import Memory

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAN = "study: spiral_study.py\nseeds: [1]\nexperiments: [{name: small, model_overrides: {hidden: 8}}]\n"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Return a plan over the spiral study, carried out."""
    folder = tmp_path_factory.mktemp("study")
    for file in EXAMPLES.glob("spiral_study.*"):
        shutil.copy(file, folder)
    (folder / "plan.yaml").write_text(PLAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("PROBATUM_RUNS", raising=False)
        plan = load_plan(folder / "plan.yaml", PlanOptions(sets=("epochs=2", "points=64")))
        with LocalEngine(slots=[Slot(0, 1, None)]) as engine:
            assert run_plan(plan, engine, SweepOptions(), print).completed == ["small/seed_1"]
    return plan


def send(place, store, name="db"):
    sync = Sync(Address(f"postgresql://host/{name}"), opener=lambda _: store)
    return [result.action for result in sync.run(find_sources(str(place)))]


def test_a_run_of_a_plan_over_a_study_is_one_run_with_every_epoch(swept, monkeypatch):
    monkeypatch.chdir(swept.root)
    store, (paths,) = Memory(), list_run_folders(swept.root / "runs")
    assert send(swept.folder, store) == ["sent"]
    (run,) = store.runs.values()
    rows = read_epochs(paths.metrics_epoch)
    loss = [(step, value) for name, step, value, _ in run["points"] if name == "train_loss"]
    assert loss == [(row["epoch"], row["train_loss"]) for row in rows]
    assert run["tags"]["ablation_experiment"] == "small"
    assert run["tags"]["config_md5"] == read_json(paths.config)["config_md5"]
    assert (run["parameters"]["hidden"], run["parameters"]["seed"]) == ("8", "1")
    assert {"metadata.json", "run/config.json"} <= set(run["files"])
    assert not [name for name in run["files"] if name.endswith(".pth")]


def test_the_times_of_the_points_are_those_of_the_epochs(swept, monkeypatch):
    monkeypatch.chdir(swept.root)
    store, (paths,) = Memory(), list_run_folders(swept.root / "runs")
    send(swept.root / "runs", store, "times")
    (run,) = store.runs.values()
    times = [time for name, _, _, time in run["points"] if name == "train_loss"]
    took = [row["duration_seconds"] for row in read_epochs(paths.seed_timing(1))]
    assert times[1] - times[0] == pytest.approx(took[1] * 1000, abs=1)


def test_a_runs_root_is_sent_and_its_sealed_folders_stay_whole(swept, monkeypatch):
    monkeypatch.chdir(swept.root)
    store, (paths,) = Memory(), list_run_folders(swept.root / "runs")
    assert send(swept.root / "runs", store, "root") == ["sent"]
    assert [str(finding) for finding in verify_run(paths) if finding.level == "failure"] == []
    assert send(paths.folder, store, "root") == ["unchanged"]
