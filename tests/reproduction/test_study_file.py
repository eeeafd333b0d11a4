"""A study in one file, outside any git tree: its own file is part of what a reproduction is held against."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from probatum.reproduction.differences import code_differences
from probatum.reproduction.record import read_record
from probatum.training.carry_out import _study_files

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def spiral(tmp_path, monkeypatch):
    for file in EXAMPLES.glob("spiral_study.*"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROBATUM_RUNS", raising=False)
    return tmp_path / "spiral_study.py"


def probatum(*words):
    program = [sys.executable, "-m", "probatum", *words]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def test_a_study_that_comes_along_needs_no_checksum_of_its_own():
    from probatum.studies.registry import load

    assert _study_files(load("plain")) == {}


def test_program_and_values_of_a_study_in_a_file_are_recorded(spiral):
    from probatum.studies.registry import load

    files = _study_files(load(str(spiral)))["study_files"]
    assert set(files) == {"spiral_study.py", "spiral_study.yaml"}
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in files.values())


def test_an_edited_file_is_a_difference_of_code(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    for paths, digest in ((source, "a" * 64), (target, "b" * 64)):
        folders.write(paths.environment_json, {"study_files": {"toy.py": digest}})
    found = code_differences(read_record(source), read_record(target))
    assert [difference.field for difference in found] == ["study_files.toy.py"]


@pytest.mark.slow
def test_it_is_reproduced_and_an_edit_of_its_file_is_named(spiral):
    launched = probatum("launch", "./spiral_study.py", "--epochs", "2", "--title", "first")
    assert launched.returncode == 0, launched.stderr
    (run,) = Path("runs").glob("*_spiral_first_*")
    same = probatum("reproduce", str(run))
    assert same.returncode == 0, same.stdout + same.stderr
    spiral.write_text(spiral.read_text().replace("nn.Tanh()", "nn.ReLU()"))
    other = probatum("reproduce", str(run))
    assert other.returncode == 1
    assert "study_files.spiral_study.py" in other.stdout
    assert "not deterministic" not in other.stdout
