import json

import pytest

from probatum._errors import RecordError, UsageError
from probatum.runs.folder import list_run_folders
from probatum.runs.integrity import verify_run
from probatum.runs.recorder import RunRecorder
from probatum.runs.status import read_status
from probatum.runs.volatile import stable_digests


def test_a_recorded_run_is_completed_and_whole(run):
    assert read_status(run).status == "completed"
    assert verify_run(run) == []


def test_two_identical_runs_differ_in_nothing_stable(tmp_path, record_run):
    first, second = record_run(tmp_path / "a"), record_run(tmp_path / "b", title="another")
    assert stable_digests(first) == stable_digests(second)


def test_another_result_is_another_digest(tmp_path, record_run):
    first, second = stable_digests(record_run(tmp_path, 0.7)), stable_digests(record_run(tmp_path, 0.71))
    assert {name for name in first if first[name] != second[name]} == {"metrics_epoch.csv", "results.json"}


def test_an_error_in_the_loop_leaves_a_failed_run_that_says_why(tmp_path, metrics):
    with pytest.raises(ZeroDivisionError), RunRecorder("toy", {"a": 1}, metrics, root=tmp_path) as run:
        run.epoch({"epoch": 1, "val_auc": 1 / 0})
    record = read_status(run.paths)
    assert (record.status, record.details["error"]) == ("failed", "ZeroDivisionError: division by zero")


def test_a_stopped_loop_leaves_an_interrupted_run(tmp_path, metrics):
    with pytest.raises(KeyboardInterrupt), RunRecorder("toy", {"a": 1}, metrics, root=tmp_path) as run:
        raise KeyboardInterrupt
    assert read_status(run.paths).status == "interrupted"


def test_a_parameter_that_is_not_finite_leaves_no_folder(tmp_path, metrics):
    with pytest.raises(RecordError, match="`rate`"):
        RunRecorder("toy", {"rate": float("nan")}, metrics, root=tmp_path)
    assert list_run_folders(tmp_path) == []


def test_a_run_needs_a_metric(tmp_path):
    with pytest.raises(UsageError, match="at least one metric"):
        RunRecorder("toy", {"a": 1}, [], root=tmp_path)


def test_the_results_hold_the_best_and_the_last_epoch(run):
    metrics = json.loads(run.results.read_text())["metrics"]
    assert metrics["val_auc"] == {"best_epoch": 3, "best": 0.7, "last": 0.7}


def test_runs_of_one_process_share_what_is_the_same_for_all(tmp_path, record_run):
    first, second = record_run(tmp_path / "a"), record_run(tmp_path / "a", title="another")
    files = [run.folder / "environment.txt" for run in (first, second)]
    assert files[0].samefile(files[1])
    assert verify_run(first) == verify_run(second) == []


def test_a_shared_file_that_was_touched_is_not_linked_again(tmp_path, record_run):
    first = record_run(tmp_path)
    (first.folder / "environment.txt").write_text("edited")
    second = record_run(tmp_path, title="another")
    assert [finding.file for finding in verify_run(first)] == ["environment.txt"]
    assert verify_run(second) == []
