import json
import subprocess
import sys

from click.testing import CliRunner

from probatum.cli.analyze import command


def _call(*words):
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def test_the_seeds_own_command_writes_what_it_names(sweep, tmp_path):
    files = [tmp_path / name for name in ("summary.csv", "summary.json", "loss_chart.png", "findings.md")]
    done = _call("--results", sweep, "--summary-csv", files[0], "--summary-json", files[1], "--plot", files[2],
                 "--findings", files[3], "--metric", "metrics_loss")  # fmt: skip
    assert done.exit_code == 0
    assert all(file.stat().st_size for file in files)


def test_json_on_the_terminal_is_the_files_json(sweep):
    assert json.loads(CliRunner().invoke(command, [str(sweep), "--format", "json"]).stdout)["num_runs"] == 18


def test_three_objectives_are_taken(sweep):
    output = _call(
        sweep, "--objective", "loss", "--objective", "cls_f1:max", "--objective", "training_seconds"
    ).output
    assert "metrics_loss (min) and metrics_cls_f1 (max) and training_seconds (min)" in output


def test_no_folder_is_a_usage_mistake():
    assert _call().exit_code == 2


def test_the_help_loads_neither_numpy_nor_charts():
    code = "import sys; import probatum.cli.analyze; assert not {'numpy', 'altair', 'torch'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
