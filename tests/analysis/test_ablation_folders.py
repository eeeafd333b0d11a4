import json

import pytest

from probatum.analysis.ablation_folders import read_ablation_run


def _read(folder):
    return read_ablation_run(str(folder), has_summary=(folder / "summary.json").exists())


def test_the_seeds_columns_come_from_both_files(write, tmp_path):
    row = _read(write(tmp_path, "p", "a", 42, axis="model")).as_row()
    wanted = {
        "plan": "p", "experiment": "a", "seed": 42, "status": "completed", "returncode": 0, "tag_axis": "model",
        "metrics_loss": 1.0, "loss_min": 0.99, "loss_mean": 1.2, "final_step": 100, "step_time_avg": 0.1,
    }  # fmt: skip
    assert row.items() >= wanted.items()


def test_training_is_apart_from_start_up(write, tmp_path):
    run = _read(write(tmp_path, "p", "a", 1))
    assert (run.training_seconds, run.startup_seconds) == pytest.approx((10, 4))
    assert run.training_seconds_source == "step_time_avg x final_step"


def test_a_measured_training_time_counts_more(write, tmp_path):
    assert _read(write(tmp_path, "p", "a", 1, training_seconds=9.0)).training_seconds == 9.0


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_an_earlier_runs_numbers_are_not_believed(write, tmp_path, status):
    run = _read(write(tmp_path, "p", "a", 1, status=status))
    assert run.values == {}
    assert "earlier run" in run.note


def test_a_dry_run_was_not_run(write, tmp_path):
    run = _read(write(tmp_path, "p", "a", 1, dry_run=True))
    assert (run.status, run.values) == ("skipped", {})


def test_nan_in_a_summary_is_no_number(write, tmp_path):
    folder = write(tmp_path, "p", "a", 1)
    (folder / "summary.json").write_text('{"metrics": {"loss": NaN}, "loss_mean": Infinity, "loss_min": 0.5}')
    run = _read(folder)
    assert run.values == {"metrics_loss": None, "loss_mean": None, "loss_min": 0.5}
    assert run.note == "not finite: metrics_loss, loss_mean"


def test_evaluation_after_training_reaches_the_leaderboard(write, tmp_path):
    folder = write(tmp_path, "p", "a", 1)
    (folder / "summary.json").write_text(json.dumps({"eval": {"test": {"cls_f1": 0.8}}}))
    assert _read(folder).values == {"eval_test_cls_f1": 0.8}


@pytest.mark.parametrize("content", ["", "[]", '{"seed": "x", "tags": 3', '{"status": 7}'])
def test_a_torn_file_leaves_a_record(write, tmp_path, content):
    folder = write(tmp_path, "p", "a", 1)
    (folder / "metadata.json").write_text(content)
    assert _read(folder).status != "completed"


def test_a_folder_brought_from_another_machine_is_where_it_is_found(write, tmp_path):
    folder = write(tmp_path, "p", "a", 1)
    assert "/elsewhere" in (folder / "metadata.json").read_text()
    assert _read(folder).run_root == str(folder)


def test_abprops_own_layout_has_no_folder_per_seed_and_may_lack_the_seed(tmp_path):
    folder = tmp_path / "baseline_sweep" / "mask_low"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text(
        '{"status": "completed", "tags": {"axis": "masking", "probability": 0.1}}'
    )
    (folder / "summary.json").write_text('{"metrics": {"loss": 2.5}, "final_step": 10}')
    run = _read(folder)
    assert (run.plan, run.experiment, run.seed) == ("baseline_sweep", "mask_low", None)
    assert run.tags == {"axis": "masking", "probability": 0.1}


def test_the_runners_best_values_bring_their_step_and_direction(write, tmp_path):
    folder = write(tmp_path, "p", "a", 1)
    best = {"charm": {"value": 0.9, "step": 30, "higher_is_better": True}}
    (folder / "summary.json").write_text(json.dumps({"metrics": {"charm": 0.7}, "best": best}))
    run = _read(folder)
    assert run.values == {"metrics_charm": 0.7, "best_charm": 0.9, "best_step_charm": 30}
    assert run.directions == {"charm": True}
