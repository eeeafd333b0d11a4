import json
from dataclasses import replace

import pytest

from probatum._errors import RecordError, UsageError
from probatum.runs.fields import fields_of
from probatum.runs.files import json_text
from probatum.runs.folder import list_run_folders
from probatum.runs.integrity import verify_run
from probatum.runs.ledger import read_ledger
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


def _stopped(root, metrics, error, prepare=lambda paths: None):
    """Return the paths of a run whose loop ended with an error after its first epoch."""
    recorder = RunRecorder("toy", {"a": 1}, metrics, root=root)

    def loop():
        with recorder as run:
            run.epoch({"epoch": 1, "val_auc": 0.5})
            prepare(run.paths)
            raise error

    with pytest.raises(error):
        loop()
    return recorder.paths


@pytest.mark.parametrize(
    ("error", "event"), [(ZeroDivisionError, "failed"), (KeyboardInterrupt, "interrupted")]
)
def test_a_run_that_ends_early_leaves_a_line_in_the_ledger(tmp_path, metrics, error, event):
    paths = _stopped(tmp_path, metrics, error)
    assert [line["event"] for line in read_ledger(tmp_path)] == ["sealed", event]
    assert [finding.level for finding in verify_run(paths)] == ["note"]


def test_an_edited_epoch_of_a_failed_run_is_found(tmp_path, metrics):
    paths = _stopped(tmp_path, metrics, ZeroDivisionError)
    paths.metrics_epoch.write_text(paths.metrics_epoch.read_text().replace("0.5", "0.9"))
    assert str(verify_run(paths)[0]).startswith("metrics_epoch.csv: was changed")


def test_a_run_that_cannot_be_finished_reads_as_failed(tmp_path, metrics):
    recorder = RunRecorder("toy", {"a": 1}, metrics, root=tmp_path)
    with pytest.raises(RecordError, match="expected epoch rows"), recorder:
        pass
    assert read_status(recorder.paths).status == "failed"
    assert [line["event"] for line in read_ledger(tmp_path)] == ["sealed", "failed"]


def test_a_ledger_that_cannot_be_written_does_not_hide_the_error(tmp_path, metrics):
    def block(paths):
        paths.ledger.unlink()
        paths.ledger.mkdir()

    assert read_status(_stopped(tmp_path, metrics, ZeroDivisionError, block)).status == "failed"


def test_what_was_formatted_once_is_written_as_anything_else(run):
    config = json.loads(run.config.read_text())
    fields = json.loads(run.fields.read_text())
    assert run.config.read_text() == json_text(config)
    assert run.fields.read_text() == json_text(fields)
    assert fields["config.json"] == fields_of(run.config)
    assert fields["metrics_epoch.csv"] == fields_of(run.metrics_epoch)


def test_a_metric_that_is_no_json_leaves_no_folder(tmp_path, metrics):
    with pytest.raises(RecordError, match="upper` must be a finite number"):
        RunRecorder("toy", {"a": 1}, [replace(metrics[0], upper=float("inf"))], root=tmp_path)
    assert list(tmp_path.iterdir()) == []
