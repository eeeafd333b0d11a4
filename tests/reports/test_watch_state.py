import json
import os
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum._errors import UsageError
from probatum.reports.watch.state import Watcher
from probatum.runs.folder import create_run_folder
from probatum.runs.recorder import RunRecorder
from probatum.runs.status import status_text

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))


def begin(root, title, *, seeds=(1,), epochs=10, rows=0, seconds=2.0, status=None):
    """Write what a training has written after some epochs of its first seed."""
    paths = create_run_folder(root, "toy", title)
    config = {"experiment": {"study": "toy", "short_title": title}, "seeds": {"all": list(seeds)},
              "parameters": {"epochs": epochs}, "metrics": [explained.AUC.as_record()]}  # fmt: skip
    paths.config.write_text(json.dumps(config))
    paths.status.write_text(status or status_text("running"))
    paths.artifacts.mkdir()
    step(paths, rows, seconds)
    return paths


def step(paths, rows, seconds=2.0):
    table = [f"1,{epoch},{0.5 + epoch / 100}" for epoch in range(1, rows + 1)]
    paths.seed_epochs(1).write_text("\n".join(["seed,epoch,val_auc", *table]) + "\n")
    times = [f"{epoch},{seconds},{seconds},0,100.0" for epoch in range(1, rows + 1)]
    head = "epoch,duration_seconds,train_seconds,validation_seconds,units_per_second"
    paths.seed_timing(1).write_text("\n".join([head, *times]) + "\n")


def test_a_running_run_shows_epochs_metric_rate_and_time_left(tmp_path):
    begin(tmp_path, "a", seeds=(1, 2), epochs=10, rows=4)
    [run] = Watcher(tmp_path).look().runs
    assert (run.status, run.epochs_done, run.epochs_total, run.seeds_done) == ("running", 4, 20, 0)
    assert (run.metric, run.best, run.last, run.rate) == ("val_auc", 0.54, 0.54, 100.0)
    assert run.seconds_left == 16 * 2.0
    assert run.fraction == 0.2


def test_a_new_epoch_is_seen_at_the_next_look(tmp_path):
    paths = begin(tmp_path, "a", rows=1)
    watcher = Watcher(tmp_path)
    assert watcher.look().runs[0].epochs_done == 1
    step(paths, 2)
    assert watcher.look().runs[0].epochs_done == 2


def test_the_best_follows_the_metrics_direction(tmp_path):
    paths = begin(tmp_path, "a", rows=3)
    explained.rewrite(paths.config, lambda own: own["metrics"][0].update(higher_is_better=False))
    assert Watcher(tmp_path).look().runs[0].best == 0.51


def test_a_torn_last_line_is_no_epoch(tmp_path):
    paths = begin(tmp_path, "a", rows=3)
    with paths.seed_epochs(1).open("a") as file:
        file.write("1,4,0.9")
    assert Watcher(tmp_path).look().runs[0].epochs_done == 3


def test_a_run_whose_process_is_gone_is_interrupted_and_says_so(tmp_path):
    gone = json.loads(status_text("running"))
    gone["process"]["start_time"] = -1
    begin(tmp_path, "a", rows=3, status=json.dumps(gone))
    view = Watcher(tmp_path).look()
    assert view.runs[0].status == "interrupted"
    assert "probatum resume" in view.runs[0].note
    assert not view.is_alive


@pytest.mark.parametrize("name", ["config", "status", "seed_epochs"])
def test_a_damaged_file_leaves_a_note_and_never_an_error(tmp_path, name):
    paths = begin(tmp_path, "a", rows=3)
    file = paths.seed_epochs(1) if name == "seed_epochs" else getattr(paths, name)
    file.write_bytes(b"\xff{")
    assert Watcher(tmp_path).look().runs[0].note


def test_a_finished_run_without_seed_files_is_shown(tmp_path):
    explained.run(tmp_path, "base", 1, 0.7)
    [run] = Watcher(tmp_path).look().runs
    assert (run.status, run.epochs_done, run.best, run.fraction) == ("completed", 3, 0.7, 1.0)


def test_what_runs_stands_first_and_is_never_hidden(tmp_path):
    for number in range(3):
        explained.run(tmp_path, f"done {number}", number, 0.5)
    paths = begin(tmp_path, "alive", rows=1)
    os.utime(paths.status, (0, 0))
    view = Watcher(tmp_path, last=1).look()
    assert [run.title for run in view.runs] == ["alive"]
    assert view.hidden == 3


def test_nothing_is_written_by_watching(tmp_path):
    begin(tmp_path, "a", rows=2)
    explained.plan_run(tmp_path / "p", "baseline", 1, 1.0)
    (tmp_path / "p" / "plan_index.json").write_text("{}")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    Watcher(tmp_path).look()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_plan_counts_what_ran_and_what_its_seal_still_has(tmp_path):
    plan = tmp_path / "sweep"
    for seed, status in ((1, "completed"), (2, "failed")):
        explained.plan_run(plan, "baseline", seed, 1.0, status=status)
    (plan / "plan_index.json").write_text("{}")
    seals = plan / ".probatum" / "seals"
    seals.mkdir(parents=True)
    runs = {f"baseline/seed_{seed}": "hash" for seed in (1, 2, 3)}
    (seals / "a.json").write_text(json.dumps({"runs": runs}))
    for place in (plan, tmp_path):
        [found] = Watcher(place).look().plans
        assert (found.total, dict(found.counts)) == (3, {"completed": 1, "failed": 1, "planned": 1})
        assert not found.is_running


def test_a_run_that_no_runner_works_on_is_interrupted(tmp_path):
    explained.plan_run(tmp_path / "sweep", "baseline", 1, 1.0, status="running")
    (tmp_path / "sweep" / "plan_index.json").write_text("{}")
    [plan] = Watcher(tmp_path).look().plans
    assert dict(plan.counts) == {"interrupted": 1}


def test_runs_that_a_plan_started_inside_itself_are_shown(tmp_path):
    place = explained.plan_run(tmp_path / "sweep", "baseline", 1, 1.0)
    (tmp_path / "sweep" / "plan_index.json").write_text("{}")
    with RunRecorder("toy", {}, [explained.AUC], title="inside", root=place / "artifacts" / "run") as run:
        run.epoch({"epoch": 1, "val_auc": 0.5})
    assert [found.title for found in Watcher(tmp_path / "sweep").look().runs] == ["inside"]


def test_a_place_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="probatum launch"):
        Watcher(tmp_path / "no")


def test_the_view_is_strict_json(tmp_path):
    begin(tmp_path, "a", rows=2)
    record = Watcher(tmp_path).look().as_record()
    assert json.loads(json.dumps(record, allow_nan=False))["runs"][0]["curve"] == [0.51, 0.52]
