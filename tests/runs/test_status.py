import json
import os
import subprocess
import sys

import pytest

from probatum._errors import RecordError, UsageError
from probatum.runs.folder import create_run_folder
from probatum.runs.status import read_status, this_process, write_status


@pytest.fixture
def paths(tmp_path):
    return create_run_folder(tmp_path, "toy", "x")


def _edit(paths, **changes):
    record = json.loads(paths.status.read_text())
    record["process"] |= changes
    paths.status.write_text(json.dumps(record))


def test_a_running_run_whose_process_lives_reads_as_running(paths):
    write_status(paths, "running")
    assert read_status(paths).status == "running"
    assert read_status(paths).details["process"]["pid"] == os.getpid()


def test_a_killed_run_reads_as_interrupted_and_says_so(paths):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom probatum.runs.paths import RunPaths\n"
        "from probatum.runs.status import write_status\n"
        "write_status(RunPaths(Path(sys.argv[1])), 'running')\nos.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(paths.folder)], check=False).returncode == -9
    record = read_status(paths)
    assert record.status == "interrupted"
    assert "is gone" in record.note


def test_a_pid_that_is_used_again_does_not_keep_a_run_alive(paths):
    write_status(paths, "running")
    _edit(paths, start_time=1)
    assert read_status(paths).status == "interrupted"


def test_a_run_of_an_earlier_boot_reads_as_interrupted(paths):
    write_status(paths, "running")
    _edit(paths, boot_id="another")
    assert "restarted" in read_status(paths).note


def test_a_run_on_another_machine_is_believed(paths):
    write_status(paths, "running")
    _edit(paths, host="elsewhere")
    assert read_status(paths).status == "running"


def test_a_completed_run_never_changes_back(paths):
    write_status(paths, "completed")
    with pytest.raises(RecordError, match="cannot become failed"):
        write_status(paths, "failed")


def test_an_interrupted_run_can_run_again(paths):
    write_status(paths, "interrupted", error="stopped")
    write_status(paths, "running")
    assert read_status(paths).status == "running"


def test_an_unknown_status_is_refused_with_the_valid_ones(paths):
    with pytest.raises(UsageError, match="completed"):
        write_status(paths, "complete")


def test_a_folder_without_status_was_never_started(paths):
    assert read_status(paths).status == "planned"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"status": "done"}', "\x00", "null"])
def test_a_damaged_status_is_a_record_error(paths, text):
    paths.status.write_text(text)
    with pytest.raises(RecordError):
        read_status(paths)


def test_a_status_that_names_no_process_reads_as_interrupted(paths):
    paths.status.write_text('{"status": "running"}')
    assert read_status(paths).status == "interrupted"


def test_the_process_is_described_once_per_process():
    assert this_process() is this_process()
