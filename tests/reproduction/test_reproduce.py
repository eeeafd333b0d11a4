import shutil
import subprocess

import pytest

from probatum._errors import RecordError, RunFailedError
from probatum.reproduction import reproduce as room
from probatum.runs.paths import RunPaths
from probatum.runs.status import write_status


@pytest.fixture
def train(monkeypatch):
    """Replace the training by a copy of the original's files."""
    calls = []

    def start(original, exit_code=0):
        def run(words, *, env, stdout, check):
            target = RunPaths(type(original.folder)(env["EXPERIMENT_DIR"]))
            calls.append(words)
            for file in (original.results, original.data, original.metrics_epoch, original.environment_json):
                shutil.copy(file, target.folder)
            shutil.copy(original.model_best(), target.folder)
            write_status(target, "failed" if exit_code else "completed")
            return subprocess.CompletedProcess(words, exit_code)

        monkeypatch.setattr(room.subprocess, "run", run)
        return calls

    return start


def test_the_record_is_copied_byte_for_byte_and_carried_out(folders, tmp_path, train):
    original = folders.make_run(tmp_path / folders.NAMES["source"])
    calls = train(original)
    found = room.reproduce(original, code="current", say=lambda line: None)
    target = found.target.paths
    assert found.verdict == "PASS"
    assert target.name.endswith("_toy_423891_repro")
    assert target.config.read_bytes() == original.config.read_bytes()
    assert calls[0][1:5] == ["-m", "probatum", "train", "toy"]


def test_a_failed_run_is_no_verdict(folders, tmp_path, train):
    original = folders.make_run(tmp_path / folders.NAMES["source"])
    train(original, exit_code=1)
    with pytest.raises(RunFailedError, match="did not complete"):
        room.reproduce(original, code="current", say=lambda line: None)


def test_an_edited_record_is_refused_before_anything_is_made(folders, tmp_path):
    config = folders.make_config()
    config["parameters"]["learning_rate"] = 0.5
    original = folders.make_run(tmp_path / folders.NAMES["source"], config=config)
    with pytest.raises(RecordError, match=r"parameters\.learning_rate"):
        room.reproduce(original, code="current", say=lambda line: None)
    assert len(list(tmp_path.iterdir())) == 1


def test_strict_schema_refuses_another_version(folders, tmp_path):
    original = folders.make_run(tmp_path / "a", config={**folders.make_config(), "schema_version": 2})
    with pytest.raises(RecordError, match="schema_version is 2"):
        room.reproduce(original, strict_schema=True, say=lambda line: None)
