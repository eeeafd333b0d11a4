from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from probatum.ablations.runner.folder import RunFolder
from probatum.runs.paths import RunPaths
from probatum.tracking.ablation_content import read_ablation
from probatum.tracking.content import Point
from probatum.tracking.study_content import read_study_run

START_MS = 1_767_225_600_000


def read(folder: Path, choice: str = "records"):
    content = read_ablation(RunFolder(folder), choice)
    assert content is not None
    return content


def test_every_step_of_a_series_is_told(write_run):
    content = read(write_run("a", 4))
    assert content.series["loss"] == tuple(Point(step, 1 / step, START_MS) for step in (1, 2, 3, 4))


def test_other_tags_of_a_long_csv_are_series_of_their_own(write_run):
    folder = write_run("a", 1)
    with (folder / "artifacts/logs/abprop-train.csv").open("a") as file:
        file.write("1,eval,loss,7\n")
    assert read(folder).series["eval_loss"] == (Point(1, 7.0, START_MS),)


def test_the_layout_that_the_plan_declared_is_read(write_run):
    folder = write_run("a", results={"file": "out.csv", "format": "wide"})
    (folder / "artifacts/out.csv").write_text("epoch,acc\n1,0.5\n2,0.75\n")
    assert [(p.step, p.value) for p in read(folder).series["acc"]] == [(1, 0.5), (2, 0.75)]


def test_rows_without_a_step_are_counted(write_run):
    folder = write_run("a", results={"file": "out.json", "format": "json"})
    (folder / "artifacts/out.json").write_text('[{"acc": 0.5}, {"acc": 0.75}]')
    assert [point.step for point in read(folder).series["acc"]] == [0, 1]


def test_a_number_that_diverged_is_kept(write_run):
    folder = write_run("a", 1)
    with (folder / "artifacts/logs/abprop-train.csv").open("a") as file:
        file.write("2,train,loss,nan\n")
    assert math.isnan(read(folder).series["loss"][1].value)


def test_the_best_value_has_a_name_of_its_own(write_run):
    content = read(write_run("a", 4))
    assert content.series["best_loss"] == (Point(4, 0.25, START_MS + 60_000),)
    assert content.series["loss_min"][0].value == 0.25


def test_parameters_are_dotted_names_without_secrets(write_run):
    parameters = read(write_run("a/seed_7")).parameters
    assert parameters == {
        "train.learning_rate": "0.0001",
        "train.use_amp": "true",
        "train.hub_token": "(hidden)",
        "model.layers": "1,2",
        "seed": "7",
    }


def test_tags_are_the_plans_the_experiments_and_its_own(write_run):
    tags = read(write_run("a/seed_7")).tags
    expected = {"ablation_plan": "p", "ablation_experiment": "a", "axis": "capacity", "seed": "7"}
    assert expected.items() <= tags.items()
    assert tags["mlflow.note.content"] == "what is tried"


def test_credentials_in_an_address_are_left_out(write_run):
    folder = write_run("a", error="no answer from https://ada:secret@host:5000")
    assert read(folder).tags["probatum.error"] == "no answer from https://host:5000"


def test_another_attempt_is_another_run_and_a_second_reading_is_not(write_run):
    first = read(write_run("a"))
    assert read(write_run("a")).key == first.key
    assert read(write_run("a", start_time="2026-01-01T00:00:09+00:00")).key != first.key


def test_the_experiment_is_the_configured_one_else_the_plan(write_run):
    folder = write_run("a")
    assert read(folder).experiment == "p"
    (folder / "configs/train.yaml").write_text("mlflow: {experiment_name: abprop}")
    assert read(folder).experiment == "abprop"


def test_records_go_along_and_weights_do_not(write_run):
    folder = write_run("a")
    (folder / "artifacts/model.pth").write_bytes(b"weights")
    names = {artifact.name for artifact in read(folder).artifacts}
    assert {"metadata.json", "configs/train.yaml", "artifacts/logs/abprop-train.csv"} <= names
    assert "artifacts/model.pth" not in names
    assert read(folder).tags["probatum.files_left_out"] == "1"
    assert "artifacts/model.pth" in {artifact.name for artifact in read(folder, "all").artifacts}


def test_links_hidden_files_and_earlier_attempts_stay(write_run, tmp_path):
    folder = write_run("a")
    (tmp_path / "private").write_text("x")
    (folder / "artifacts/link").symlink_to(tmp_path / "private")
    (folder / ".hidden").write_text("x")
    (folder / "earlier/001").mkdir(parents=True)
    (folder / "earlier/001/metadata.json").write_text("{}")
    names = {artifact.name for artifact in read(folder, "all").artifacts}
    assert not {"artifacts/link", ".hidden", "earlier/001/metadata.json"} & names


def test_a_running_run_tells_only_what_is_whole(write_run):
    folder = write_run("a", 2, status="running")
    with (folder / "artifacts/logs/abprop-train.csv").open("a") as file:
        file.write("3,train,loss,0.12")  # more digits may follow
    content = read(folder).until_now()
    assert [point.step for point in content.series["loss"]] == [1, 2]
    assert content.artifacts == ()
    assert content.end_ms is None


@pytest.mark.parametrize("record", [{"status": "planned"}, {"dry_run": True}, {"start_time": None}])
def test_what_has_not_begun_is_nothing(write_run, record):
    assert read_ablation(RunFolder(write_run("a", **record))) is None


def test_a_failed_run_without_numbers_still_tells_why(write_run):
    folder = write_run("a", status="failed", error="ended with exit code 3")
    (folder / "artifacts/logs/abprop-train.csv").unlink()
    content = read(folder)
    assert (content.status, content.series) == ("failed", {})
    assert content.tags["probatum.error"] == "ended with exit code 3"


def write_study(root: Path, seeds=(1,), status: str = "completed", timed: int = 2) -> RunPaths:
    paths = RunPaths(root / "20260101_000000_spiral_t_123456")
    paths.artifacts.mkdir(parents=True)
    config = {
        "experiment": {"study": "spiral", "short_title": "t", "created": "2026-01-01T00:00:00+00:00"},
        "parameters": {"hidden": 8, "seeds": list(seeds)}, "config_md5": "0123456789abcdef",
        "seeds": {"primary": seeds[0], "all": list(seeds)},
    }  # fmt: skip
    paths.config.write_text(json.dumps(config))
    paths.status.write_text(json.dumps({"status": status, "time": "2026-01-01T00:01:00+00:00"}))
    rows = [f"{seed},{epoch},{seed / epoch},\n" for seed in seeds for epoch in (1, 2)]
    paths.metrics_epoch.write_text("seed,epoch,val_auc,never\n" + "".join(rows))
    for seed in seeds:
        times = "".join(f"{epoch},1.5\n" for epoch in range(1, timed + 1))
        paths.seed_timing(seed).write_text("epoch,duration_seconds\n" + times)
    values = {"best": 0.9, "best_epoch": 2, "last": 0.8}
    paths.results.write_text(json.dumps({"metrics": {"val_auc": values}}))
    return paths


def test_a_studys_points_carry_the_time_of_their_epoch(tmp_path):
    content = read_study_run(write_study(tmp_path))
    assert content is not None
    assert content.series["val_auc"] == (
        Point(1, 1.0, START_MS + 1500),
        Point(2, 0.5, START_MS + 3000),
    )
    assert "never" not in content.series
    assert content.series["best_val_auc"][0][:2] == (2, 0.9)


def test_a_studys_tags_name_study_title_run_and_hash(tmp_path):
    paths = write_study(tmp_path)
    content = read_study_run(paths)
    assert content is not None
    expected = {"study": "spiral", "title": "t", "run": paths.name, "config_md5": "0123456789abcdef"}
    assert expected.items() <= content.tags.items()
    assert content.parameters == {"hidden": "8", "seeds": "1"}


def test_several_seeds_of_a_study_are_told_apart(tmp_path):
    content = read_study_run(write_study(tmp_path, (1, 2)))
    assert content is not None
    assert content.series["seed_2/val_auc"][0] == Point(1, 2.0, START_MS + 4500)


def test_an_epoch_whose_time_is_not_known_yet_waits(tmp_path):
    content = read_study_run(write_study(tmp_path, status="interrupted", timed=1))
    assert content is not None
    assert [point.step for point in content.series["val_auc"]] == [1]


def test_an_ablation_of_a_study_is_one_run_with_the_studys_numbers(tmp_path, write_run):
    paths = write_study(tmp_path / "runs")
    content = read(write_run("a/seed_1", run=paths.name, runs_root=str(tmp_path / "runs")))
    assert content.key.startswith(paths.name)
    assert len(content.series["val_auc"]) == 2
    assert content.tags["ablation_experiment"] == "a"
    assert content.tags["study"] == "spiral"
    assert content.parameters == {"hidden": "8", "seeds": "1", "seed": "1"}
    names = {artifact.name for artifact in content.artifacts}
    assert {"metadata.json", "run/config.json", "run/metrics_epoch.csv"} <= names


def test_a_name_that_leads_out_of_the_runs_root_is_not_followed(tmp_path, write_run):
    write_study(tmp_path / "runs")
    content = read(write_run("a", run="../runs/20260101_000000_spiral_t_123456"))
    assert "val_auc" not in content.series
