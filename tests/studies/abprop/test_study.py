"""AbProp as the workbench sees it: trained, watched, resumed, logged."""

import csv
import json
from pathlib import Path

import pytest
from tests.studies.abprop.conftest import TINY

from probatum._errors import RecordError
from probatum.runs.journal import read_epochs
from probatum.studies import registry
from probatum.studies.abprop.study import AbProp
from probatum.studies.abprop.training_log import EVALUATED, write_training_log
from probatum.training.launch import LaunchRequest, plan_launch


@pytest.fixture
def trained(spiral, carry_on):
    """Return a function that trains a very small AbProp and returns the run's paths."""

    def finish(presets=None, **parameters):
        options = {name: [str(value)] for name, value in {**TINY, "epochs": 2, **parameters}.items()}
        request = LaunchRequest("abprop", "test", "", options, (), (), None, presets or {}, ("probatum",))
        paths = plan_launch(request).prepare(Path("runs"), folder=None, force=False)
        carry_on(paths)
        return paths

    return finish


@pytest.fixture
def trained_seeds(spiral, carry_on):
    """Return a function that trains a very small AbProp for one epoch with each of some seeds."""

    def finish(*seeds):
        options = {name: [str(value)] for name, value in {**TINY, "epochs": 1}.items()}
        options["seeds"] = list(seeds)
        request = LaunchRequest("abprop", "test", "", options, (), (), None, {}, ("probatum",))
        paths = plan_launch(request).prepare(Path("runs"), folder=None, force=False)
        carry_on(paths)
        return paths

    return finish


def test_the_registry_knows_it():
    assert isinstance(registry.load("abprop"), AbProp)


def test_a_finished_run_has_every_metric_beside_its_nulls(trained):
    paths = trained()
    evaluation = json.loads(paths.eval_results.read_text())
    for split in ("train", "valid", "test"):
        for name, null in {
            "mlm_perplexity": "position",
            "cls_macro_f1": "position",
            "reg_macro_r2": "motif_rules",
            "reg_r2_oxidation_framework": "mean",
        }.items():
            assert f"{split}_{name}" in evaluation
            assert f"{split}_null_{name}_{null}" in evaluation
    rows = read_epochs(paths.metrics_epoch)
    assert set(AbProp.epoch_columns) <= set(rows[0])
    assert all(rows[-1][column] is not None for column in AbProp.epoch_columns)
    assert rows[1]["val_loss"] < rows[0]["val_loss"]


def test_two_runs_of_the_same_seed_agree_bit_for_bit_and_so_does_a_watched_one(trained):
    one, other, watched = trained(), trained(), trained(instrument_signals="true")
    assert one.model_best().read_bytes() == other.model_best().read_bytes()
    assert one.model_best().read_bytes() == watched.model_best().read_bytes()
    assert one.metrics_epoch.read_bytes() == watched.metrics_epoch.read_bytes()
    assert "encoder.layers.0.attention" in watched.instrumentation("signals").read_text()


def test_gradient_checkpointing_and_half_precision_are_plain_parameters(trained):
    paths = trained(gradient_checkpointing="true", mixed_precision="true", epochs=1)
    assert read_epochs(paths.metrics_epoch)[0]["val_loss"] > 0


def test_a_task_that_is_not_learned_has_no_metric_to_be_judged_by(trained):
    config = json.loads(trained(mlm_weight="0", epochs=1).config.read_text())
    told = json.dumps(config)
    assert "mlm_weight is 0" in told


def test_the_preset_is_the_published_size(spiral):
    request = LaunchRequest("abprop", "t", "", {}, (), (), None, {"size": "paper"}, ("probatum",))
    chosen = plan_launch(request).resolution.parameters
    assert (chosen.d_model, chosen.nhead, chosen.labels) == (384, 6, "abprop")


def test_the_training_log_is_in_the_long_format_of_abprop(trained, tmp_path):
    paths = trained(report_interval=4)
    target = write_training_log(paths.folder, 42, tmp_path / "artifacts" / "logs" / "abprop-train.csv")
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "tag", "metric", "value"]
    assert {row["tag"] for row in rows} == {"train", "eval"}
    trained_metrics = {row["metric"] for row in rows if row["tag"] == "train"}
    assert trained_metrics == {*EVALUATED, "step_time"}
    steps = sorted({int(row["step"]) for row in rows if row["tag"] == "eval"})
    assert len(steps) == 2
    assert steps[1] == 2 * steps[0]  # as many optimiser steps in every epoch
    last = [row for row in rows if row["tag"] == "eval" and row["metric"] == "loss"][-1]
    assert float(last["value"]) == read_epochs(paths.metrics_epoch)[-1]["val_loss"]


@pytest.mark.parametrize(
    ("seeds", "names"),
    [("7", ["abprop-train.csv"]), ("7 8", ["abprop-train_seed7.csv", "abprop-train_seed8.csv"])],
)
def test_a_run_leaves_the_log_among_its_artifacts(trained_seeds, seeds, names):
    paths = trained_seeds(*seeds.split())
    assert sorted(path.name for path in paths.logs.iterdir()) == names
    assert (paths.logs / names[0]).read_text().splitlines()[0] == "step,tag,metric,value"
    assert f"artifacts/logs/{names[0]}" in paths.manifest.read_text()


def test_an_unfinished_run_has_no_log(tmp_path):
    with pytest.raises(RecordError, match="no finished training"):
        write_training_log(tmp_path, 42, tmp_path / "abprop-train.csv")
