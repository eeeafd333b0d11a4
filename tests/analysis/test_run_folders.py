import pytest

from probatum.analysis.reader import read_results
from probatum.analysis.run_folders import read_run
from probatum.runs.metric import MetricDefinition
from probatum.runs.recorder import RunRecorder

AUC = MetricDefinition("val_auc", "Best Val AUC", True, 0.0, 1.0, 0.0, 0.0, "", "")


def _record(root, title, seed, values, rate=0.1):
    with RunRecorder("toy", {"rate": rate}, [AUC], title=title, seed=seed, root=root) as run:
        for epoch, value in enumerate(values, start=1):
            run.epoch({"epoch": epoch, "val_auc": value})
    return run.paths.folder


def test_best_and_last_epoch_are_both_there_by_name(tmp_path):
    [run] = read_run(str(_record(tmp_path, "a", 3, [0.5, 0.8, 0.7])))
    assert run.values["metrics_val_auc_best_epoch"] == 0.8
    assert run.values["metrics_val_auc_last_epoch"] == 0.7
    assert (run.seed, run.status, run.directions) == (3, "completed", {"val_auc": True})


def test_seeds_of_one_title_are_one_experiment(tmp_path):
    for seed in (1, 2, 3):
        _record(tmp_path, "a", seed, [0.5])
    assert {(run.plan, run.experiment, run.seed) for run in read_results(tmp_path).records} == {
        ("toy", "a", 1), ("toy", "a", 2), ("toy", "a", 3)
    }  # fmt: skip


def test_a_damaged_run_is_listed_and_not_counted(tmp_path):
    folder = _record(tmp_path, "a", 1, [0.5])
    (folder / "status.json").write_text("{")
    [run] = read_run(str(folder))
    assert run.values == {}
    assert run.note


@pytest.mark.parametrize("name", ["results.json", "config.json"])
def test_a_torn_file_is_named(tmp_path, name):
    folder = _record(tmp_path, "a", 1, [0.5])
    (folder / name).write_text("{")
    [run] = read_run(str(folder))
    assert name in run.note


def test_one_title_with_other_overrides_is_another_experiment(tmp_path):
    for rate in (0.1, 0.2):
        for seed in (1, 2):
            _record(tmp_path, "a", seed, [0.5], rate)
    records = read_results(tmp_path).records
    found = {
        run.experiment: {other.seed for other in records if other.experiment == run.experiment}
        for run in records
    }
    assert len(found) == 2
    assert set(map(tuple, found.values())) == {(1, 2)}
