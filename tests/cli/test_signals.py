import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from probatum._errors import RecordError, UnknownNameError, UsageError
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


def test_show_all_prints_the_signals_that_are_zero(pair):
    assert "gradient_stats.vanishing_share  " not in call("show", pair.parent)
    assert "gradient_stats.vanishing_share  " in call("show", pair.parent, "--all")


def test_compare_all_prints_the_layers_that_did_not_move(pair):
    words = ("compare", "--parent_json", pair.parent, "--child_json", pair.child)
    assert "Signals that did not move (--all shows each layer)" in call(*words)
    assert "Signals that did not move" not in call(*words, "--all")


def test_figures_of_runs_and_files_are_written_and_named(pair, run_folder, tmp_path):
    out = call(
        "figures", "123456", pair.child, "--runs-root", run_folder.folder.parent, "--dir", tmp_path / "figures",
        "--signal", "hidden_norms", "--signal", "activation_stats.mean",
    ).splitlines()  # fmt: skip
    assert all(Path(line).stat().st_size > 1000 for line in out)
    assert {Path(line).name for line in out} == {file.name for file in (tmp_path / "figures").iterdir()}
    for name in ("heat_map_hidden_norms", "heat_map_activation_stats_mean", "lag_curve_attention"):
        assert str(tmp_path / "figures" / f"{name}.png") in out
        assert str(tmp_path / "figures" / f"{name}.svg") in out
    assert "dkt_quick_123456" in (tmp_path / "figures" / "lag_curve_attention.svg").read_text()


def test_figures_of_a_run_hold_the_curves_that_perturb_added(run_folder, tmp_path):
    artifact = run_folder.instrumentation("a0")
    stories.ArtifactWriter(artifact, {}, provenance={"seed": 7}, mode="overwrite").append(stories.signals(1))
    points = stories.curve([0.8, 0.7, 0.6])
    path = run_folder.perturbations("curves_seed7")
    path.parent.mkdir()
    path.write_text(
        json.dumps({"curves": [{"kind": "missingness", "name": "informative", "points": points}]})
    )
    call("figures", "123456", "--runs-root", run_folder.folder.parent, "--dir", tmp_path / "figures")
    assert (tmp_path / "figures" / "missingness_informative_auroc.png").is_file()


def test_figures_need_a_run_and_a_folder(pair, tmp_path):
    for words in (["--dir", str(tmp_path)], [str(pair.parent)]):
        result = CliRunner().invoke(command, ["figures", *words])
        assert result.exit_code == 2
        assert "Missing" in result.output


def test_figures_of_one_artifact_twice_are_refused(pair, run_folder, tmp_path):
    words = ["figures", str(pair.parent), str(pair.parent), "--dir", str(tmp_path / "figures")]
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 2
    assert "given more than once" in result.output
    assert not (tmp_path / "figures").exists()


def test_figures_of_an_unknown_signal_write_nothing(pair, tmp_path):
    words = ("figures", pair.parent, "--dir", tmp_path / "figures", "--signal", "hidden_norm")
    assert "Did you mean 'hidden_norms'" in call(*words, fails=UsageError)
    assert not (tmp_path / "figures").exists()


def test_figures_of_a_foreign_file_are_refused(pair, tmp_path):
    pair.child.write_text("{}")
    call("figures", pair.child, "--dir", tmp_path / "figures", fails=RecordError)


def test_help_has_examples():
    for words in (["--help"], ["compare", "--help"], ["show", "--help"], ["figures", "--help"]):
        assert "Examples:" in CliRunner().invoke(command, words).output
