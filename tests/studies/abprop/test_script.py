from __future__ import annotations

import csv
import json

import pytest

from probatum.studies.abprop.script import main

TRAIN = """
max_steps: 6
eval_interval: 3
batch_size: 8
log_dir: x
task_weights: {mlm: 1, cls: 1}
"""
MODEL = "{d_model: 8, nhead: 2, num_layers: 1, dim_feedforward: 8, dropout: 0.1}"
DATA = "{processed_dir: data, parquet: {output_dir: a, filename: b.csv}}"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    for name, text in (("train", TRAIN), ("model", MODEL), ("data", DATA)):
        (tmp_path / f"configs/{name}.yaml").write_text(text)
    return tmp_path


def test_the_trainer_leaves_the_old_log_with_the_seed_s_columns(repository, capsys):
    assert main(["--output-dir", "out", "--seed", "5", "--synthetic"]) == 0
    with (repository / "out/logs/abprop-train.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "tag", "metric", "value"]
    assert {row["tag"] for row in rows} == {"train", "eval", "test"}
    assert max(int(row["step"]) for row in rows) == 6
    assert "without meaning here: train.log_dir" in capsys.readouterr().err
    parameters = json.loads((repository / "out/params.json").read_text())
    assert (parameters["seeds"], parameters["reg_weight"], parameters["d_model"]) == ([5], 0.0, 8)


def test_a_table_that_is_not_there_is_a_user_s_mistake(repository, capsys):
    assert main(["--output-dir", "out"]) in (1, 2)
    assert "data/a/b.csv" in capsys.readouterr().err
    assert not (repository / "out/logs").exists()


def test_a_dry_run_trains_the_steps_that_it_is_told(repository):
    assert main(["--output-dir", "out", "--dry-run-steps", "2"]) == 0
    last = (repository / "out/logs/abprop-train.csv").read_text().rstrip().rpartition("\n")[2]
    assert last.startswith("2,test,")
