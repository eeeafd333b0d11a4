from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from probatum.ablations.engines.base import Job
from probatum.ablations.engines.task import StopRequest, carry_out, job_from_json, job_to_json

PATIENCE_SECONDS = 20.0


@pytest.fixture
def job(tmp_path):
    def make(line: str, **more) -> Job:
        files = {"stdout": tmp_path / "out", "stderr": tmp_path / "err", "exit_code": tmp_path / "code"}
        return Job("a", ("/bin/sh", "-c", line), tmp_path, more.pop("env", {}), **files, **more)

    return make


def until(condition) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.02)


def later(condition, action) -> threading.Thread:
    """Act once a condition holds, in another thread."""
    thread = threading.Thread(target=lambda: (until(condition), action()))
    thread.start()
    return thread


def is_alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_job_survives_the_way_through_json(job, tmp_path):
    original = job("echo 'ü \"$x\"'", env={"A": "1"}, timeout_seconds=2.5)
    assert job_from_json(job_to_json(original)) == original
    json.loads(job_to_json(original))


def test_the_exit_code_is_returned_and_written(job, tmp_path):
    assert carry_out(job("exit 5"), None, 1.0) == (5, "")
    assert (tmp_path / "code").read_text() == "5\n"


def test_output_is_appended(job, tmp_path):
    (tmp_path / "out").write_text("before\n")
    carry_out(job("echo after; echo bad >&2"), None, 1.0)
    assert (tmp_path / "out").read_text() == "before\nafter\n"
    assert (tmp_path / "err").read_text() == "bad\n"


def test_the_threads_are_those_of_the_slot_unless_the_job_says_otherwise(job, tmp_path):
    carry_out(job("echo $OMP_NUM_THREADS $MKL_NUM_THREADS", env={"MKL_NUM_THREADS": "7"}), 3, 1.0)
    assert (tmp_path / "out").read_text() == "3 7\n"


def test_without_threads_the_environment_decides(job, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "9")
    carry_out(job("echo $OMP_NUM_THREADS"), None, 1.0)
    assert (tmp_path / "out").read_text() == "9\n"


def test_a_job_has_no_input_and_no_descriptor_of_its_supervisor(job, tmp_path):
    program = (
        "import os, sys; print(sys.stdin.read() == '', sorted(map(int, os.listdir('/proc/self/fd')))[:4])"
    )
    words = Job(
        "a", (sys.executable, "-c", program), tmp_path, {}, *(tmp_path / n for n in ("out", "err", "code"))
    )
    carry_out(words, None, 1.0)
    assert (tmp_path / "out").read_text() == "True [0, 1, 2, 3]\n"  # 3 is the listing itself


def test_a_killed_program_has_the_code_of_its_signal(job):
    assert carry_out(job("kill -9 $$"), None, 1.0) == (128 + 9, "")


def test_a_program_that_is_not_there_is_told_as_a_shell_tells_it(job, tmp_path):
    nowhere = Job("a", ("nowhere-to-be-found",), *tuple(vars_of(job(""))))
    assert carry_out(nowhere, None, 1.0) == (127, "")
    assert "not found" in (tmp_path / "err").read_text()


def vars_of(job: Job) -> tuple:
    return job.cwd, job.env, job.stdout, job.stderr, job.exit_code


def test_a_folder_that_is_not_there_is_told_where_people_look(job, tmp_path):
    plain = job("exit 0")
    moved = Job("a", plain.command, tmp_path / "nowhere", {}, plain.stdout, plain.stderr, plain.exit_code)
    assert carry_out(moved, None, 1.0) == (126, "")
    assert "a: cannot be started on" in (tmp_path / "err").read_text()
    assert (tmp_path / "code").read_text() == "126\n"


def test_files_that_cannot_be_written_are_an_error(job, tmp_path):
    plain = job("exit 0")
    moved = Job("a", plain.command, tmp_path, {}, tmp_path / "no/out", plain.stderr, plain.exit_code)
    with pytest.raises(OSError, match="no/out"):
        carry_out(moved, None, 1.0)


def test_a_time_limit_is_obeyed_gently(job, tmp_path):
    line = "trap 'echo saved; exit 3' TERM; while :; do sleep 0.02; done"
    assert carry_out(job(line, timeout_seconds=0.3), None, 10.0) == (3, "timed out")
    assert (tmp_path / "out").read_text() == "saved\n"


def test_a_job_that_ignores_the_request_is_killed(job):
    line = "trap '' TERM; while :; do sleep 0.02; done"
    assert carry_out(job(line, timeout_seconds=0.1), None, 0.1) == (128 + 9, "timed out")


def test_a_request_of_another_thread_ends_the_job(job, tmp_path):
    stop = StopRequest()
    thread = later((tmp_path / "here").exists, stop.make)
    code, reason = carry_out(job("touch here; sleep 30"), None, 5.0, stop)
    thread.join()
    stop.close()
    assert (code, reason) == (128 + 15, "cancelled")


def test_a_request_made_before_the_start_is_heard(job):
    stop = StopRequest()
    stop.make()
    assert carry_out(job("sleep 30"), None, 5.0, stop)[1] == "cancelled"
    stop.close()


def test_a_request_after_the_end_does_nothing(job):
    stop = StopRequest()
    assert carry_out(job("exit 0"), None, 1.0, stop) == (0, "")
    stop.close()
    stop.make()


def test_term_is_passed_on_and_the_handler_is_put_back(job, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    thread = later((tmp_path / "here").exists, lambda: os.kill(os.getpid(), signal.SIGTERM))
    line = "trap 'exit 4' TERM; touch here; while :; do sleep 0.02; done"
    assert carry_out(job(line), None, 5.0) == (4, "cancelled")
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_job_gets_the_signals_that_its_supervisor_blocks(job, tmp_path):
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        carry_out(job("grep SigBlk /proc/self/status"), None, 1.0)
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
    assert int((tmp_path / "out").read_text().split()[1], 16) == 0


def test_what_a_job_leaves_running_ends_with_it(job, tmp_path):
    carry_out(job("sleep 300 & echo $!"), None, 1.0)
    child = int((tmp_path / "out").read_text())
    until(lambda: not is_alive(child))


def test_a_job_dies_with_its_supervisor(job, tmp_path):
    program = (
        "import sys; from probatum.ablations.engines.task import carry_out, job_from_json;"
        "carry_out(job_from_json(sys.argv[1]), None, 1.0)"
    )
    text = job_to_json(job("trap '' TERM; echo $$ > pid.part; mv pid.part pid; while :; do sleep 0.05; done"))
    supervisor = subprocess.Popen([sys.executable, "-c", program, text])
    until((tmp_path / "pid").exists)
    supervisor.kill()
    supervisor.wait()
    until(lambda: not is_alive(int((tmp_path / "pid").read_text())))
    assert not (tmp_path / "code").exists()
