import json

import pytest
from click.testing import CliRunner

from probatum.cli.main import cli
from probatum.cli.main import run as run_cli
from probatum.runs.metric import MetricDefinition
from probatum.runs.recorder import RunRecorder

LOSS = MetricDefinition("loss", "Loss", False, 0.0, None, 0.1, 0.1, "", "")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with RunRecorder("toy", {"rate": 0.5}, [LOSS]) as recorder:
        recorder.epoch({"epoch": 1, "loss": 0.25})
    return recorder.paths


def call(*words):
    return CliRunner().invoke(cli, list(words), catch_exceptions=False, prog_name="probatum")


def test_archive_then_verify_as_the_verb_says(run):
    text = call("archive", run.name[-6:]).output
    assert f"{run.name}.zip" in text
    words = text.splitlines()[-1].removeprefix("next: probatum ").split()
    done = call(*words)
    assert done.exit_code == 0
    assert done.output.startswith("WHOLE")
    seal = next(line for line in text.splitlines() if line.startswith("Archive seal"))
    assert seal in done.output


def test_a_changed_byte_gives_exit_code_1_and_the_files_name(run, tmp_path):
    call("archive", run.name[-6:], "--output", "crate")
    file = tmp_path / "crate" / run.name / "metrics_epoch.csv"
    file.write_text(file.read_text().replace("0.25", "0.15"))
    done = call("verify", "crate", "--format", "json")
    assert done.exit_code == 1
    assert {row["file"] for row in json.loads(done.output)["findings"]} == {f"{run.name}/metrics_epoch.csv"}


def test_a_seal_can_be_expected(run):
    text = call("archive", run.name, "--output", "a.zip").output
    seal = text.split("Archive seal ")[1].split()[0]
    assert call("verify", "a.zip", "--expect-head", seal).exit_code == 0
    assert call("verify", "a.zip", "--expect-head", "0" * 64).exit_code == 1


def test_a_missing_licence_is_said_and_a_given_one_is_not(run):
    assert "no licence is stated" in call("archive", run.name, "--output", "a.zip").output
    assert "no licence" not in call("archive", run.name, "--output", "b.zip", "--license", "CC0-1.0").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["archive", "000000"], "unknown run"),
        (["archive", "RUN", "--output", "runs"], "exists"),
        (["archive", "RUN", "--orcid", "0000-0002-1825-0097"], "--author"),
    ],
)
def test_mistakes_show_no_traceback(run, capsys, words, said):
    assert run_cli([run.name if word == "RUN" else word for word in words]) == 2
    assert said in capsys.readouterr().err
