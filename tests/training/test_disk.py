"""A disk that is full or read-only ends a run with a sentence, and the run can be continued."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from probatum._errors import RunFailedError
from probatum.runs.volatile import stable_digests


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of its own of 500 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts no tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_write_that_fails_names_the_reason_and_the_run_goes_on_later(
    number, train, prepare, carry_on, monkeypatch
):
    whole, paths = train(), prepare()
    from probatum.training import loop

    save, calls = loop.save_checkpoint, []

    def full(path, state):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(number, os.strerror(number), str(path))
        save(path, state)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_checkpoint", full)
        with pytest.raises(RunFailedError, match=os.strerror(number)) as failure:
            carry_on(paths)
    assert failure.value.exit_code == 3
    assert "probatum resume" in str(failure.value)
    carry_on(paths)
    assert stable_digests(paths) == stable_digests(whole)


@pytest.mark.slow
def test_a_full_disk_ends_the_run_with_a_sentence_and_room_lets_it_go_on(small_disk, probatum, train):
    launch = ("launch", "./spiral_study.py", "--epochs", 60, "--hidden", 64, "--runs_root", small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(250_000))
    full = probatum(*launch)
    assert full.code == 3
    assert "No space left on device" in full.err
    assert "Traceback" not in full.out + full.err
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    resumed = probatum("resume", next(small_disk.glob("2*")))
    assert resumed.code == 0, resumed.err


@pytest.mark.slow
def test_a_read_only_folder_is_refused_without_a_traceback(small_disk, probatum):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused = probatum("launch", "./spiral_study.py", "--runs_root", small_disk)
    assert refused.code in {2, 3}
    assert "Read-only file system" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.slow
def test_a_run_whose_folder_became_read_only_fails_with_a_sentence(small_disk, prepare, probatum):
    paths = prepare()
    target = small_disk / paths.name
    shutil.copytree(paths.folder, target)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused = probatum("resume", target)
    assert refused.code == 3
    assert "Read-only file system" in refused.err
    assert "Traceback" not in refused.err
    assert Path(paths.config).exists()
