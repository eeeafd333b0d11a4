import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.cli.main import run

SRC = str(Path(__file__).parents[2] / "src")
FOLDERS = SimpleNamespace(
    **runpy.run_path(str(Path(__file__).parents[1] / "reproduction" / "run_folders.py"))
)


@pytest.fixture
def pair(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBATUM_RUNS", str(tmp_path))
    return FOLDERS.make_pair(tmp_path)


def test_an_id_finds_its_newest_reproduction(pair, capsys):
    assert run(["compare", "423891"]) == 0
    assert "Best Val AUC              0.7412        0.7412        0.0000" in capsys.readouterr().out


def test_a_failure_leaves_with_one(pair, capsys):
    FOLDERS.write(pair[1].results, FOLDERS.make_results({**FOLDERS.VALUES, "val_auc": 0.5}))
    assert run(["compare", "423891"]) == 1
    assert "Best Val AUC: differs by 0.2412, tolerance 0.0002" in capsys.readouterr().out


@pytest.mark.parametrize(
    "flags",
    [("--compare_only", "--source_exp", "--target_exp"), ("--compare-only", "--source-exp", "--target-exp")],
)
def test_the_seeds_flags_work_in_both_spellings(pair, capsys, flags):
    only, source, target = flags
    assert (
        run(["compare", only, source, pair[0].name, target, pair[1].name, "--manifest", "--format", "json"])
        == 0
    )
    assert json.loads(capsys.readouterr().out)["verdict"] == "PASS"
    assert pair[1].reproduction_manifest.exists()


def test_no_reproduction_is_a_clear_error(tmp_path, capsys):
    FOLDERS.make_run(tmp_path / FOLDERS.NAMES["source"])
    assert run(["compare", "423891", "--runs_root", str(tmp_path)]) == 1
    assert "Make one with `probatum reproduce 423891`" in capsys.readouterr().err


def test_no_run_is_a_usage_mistake(capsys):
    assert run(["compare"]) == 2


def test_a_run_is_not_compared_with_itself(pair, capsys):
    assert run(["compare", pair[0].name, pair[0].name]) == 2


def test_a_torn_record_shows_no_traceback(pair, capsys):
    pair[1].results.write_text("{")
    assert run(["compare", "423891"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_comparing_imports_nothing_heavy(pair):
    code = (
        "import sys; from probatum.cli.main import run; code = run(['compare', '423891']); "
        "print(code, sorted({'torch', 'scipy', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": SRC},
    ).stdout
    assert out.splitlines()[-1] == "0 []"
