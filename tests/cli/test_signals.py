import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from probatum._errors import RecordError, UnknownNameError
from probatum.cli.signals import command
from probatum.runs.folder import create_run_folder

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "signals" / "stories.py")))


def call(*words, fails=None):
    result = CliRunner().invoke(command, [str(word) for word in words])
    if fails:
        assert isinstance(result.exception, fails), result.output
        return str(result.exception)
    assert not result.exception, result.output
    return result.stdout


@pytest.fixture
def pair(tmp_path):
    parent = stories.artifact(tmp_path / "a0.json", provenance={"parameters": {"mask_bias": True}})
    child = stories.artifact(tmp_path / "a3.json", provenance={"parameters": {"mask_bias": False}}, scale=2.0)
    log = tmp_path / "a3.yaml"
    log.write_text("decision: keep  # a comment\n")
    return SimpleNamespace(parent=parent.path, child=child.path, log=log)


@pytest.fixture
def run_folder(tmp_path, pair):
    paths = create_run_folder(tmp_path / "runs", "dkt", "quick", run_id="123456")
    paths.config.write_text("{}")
    paths.instrumentation("a0").parent.mkdir()
    shutil.copy(pair.parent, paths.instrumentation("a0"))
    return paths


def test_the_seeds_command_line_compares_and_writes_the_log(pair):
    out = call("compare", "--parent_json", pair.parent, "--child_json", pair.child, "--child_yaml", pair.log)
    assert "Change: acts" in out
    text = pair.log.read_text()
    assert text.startswith("decision: keep  # a comment\n")
    assert "parameters: 1 differ: mask_bias True -> False" in text
    assert "notes:" in text


def test_hyphens_work_and_json_is_whole(pair):
    out = call("compare", "--parent-json", pair.parent, "--child-json", pair.child, "--format", "json")
    assert json.loads(out)["change"] == "acts"


def test_a_file_is_not_compared_with_itself(pair):
    result = CliRunner().invoke(
        command, ["compare", "--parent_json", str(pair.parent), "--child_json", str(pair.parent)]
    )
    assert result.exit_code == 2


def test_a_foreign_file_is_refused_and_the_log_left_alone(pair):
    pair.child.write_text("{}")
    before = pair.log.read_bytes()
    call(
        "compare",
        "--parent_json",
        pair.parent,
        "--child_json",
        pair.child,
        "--child_yaml",
        pair.log,
        fails=RecordError,
    )
    assert pair.log.read_bytes() == before


def test_show_takes_a_file_and_a_run(pair, run_folder):
    of_file = call("show", pair.parent, "--signal", "gradient_norms")
    of_run = call("show", "123456", "--runs-root", run_folder.folder.parent, "--signal", "gradient_norms")
    assert of_file == of_run
    assert "block.fc" in of_file


def test_show_prints_json_and_csv(pair):
    rows = json.loads(call("show", pair.parent, "--epoch", "2", "--layer", "conv1", "--format", "json"))
    assert {row["layer"] for row in rows} == {"conv1"}
    assert call("show", pair.parent, "--format", "csv").startswith("signal,layer,epochs,first,last,min,max\n")


def test_a_run_without_signals_says_how_to_get_them(run_folder):
    run_folder.instrumentation("a0").unlink()
    message = call("show", "123456", "--runs-root", run_folder.folder.parent, fails=RecordError)
    assert "--instrument_signals" in message


def test_several_artifacts_ask_for_a_tag(run_folder):
    shutil.copy(run_folder.instrumentation("a0"), run_folder.instrumentation("b1"))
    root = run_folder.folder.parent
    result = CliRunner().invoke(command, ["show", "123456", "--runs-root", str(root)])
    assert result.exit_code == 2
    assert "--tag a0 or --tag b1" in result.output
    assert call("show", "123456", "--runs-root", root, "--tag", "b1")
    assert "b1" in call("show", "123456", "--runs-root", root, "--tag", "b11", fails=UnknownNameError)


def test_showing_a_record_starts_fast(pair):
    code = (
        "import sys; from probatum.cli.signals import command\n"
        "command(['show', sys.argv[1]], standalone_mode=False)\n"
        "print([name for name in ('torch', 'scipy', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pair.parent)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_has_examples():
    for words in (["--help"], ["compare", "--help"], ["show", "--help"]):
        assert "Examples:" in CliRunner().invoke(command, words).output
