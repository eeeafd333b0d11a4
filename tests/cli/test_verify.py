import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner

from probatum.cli.verify import command
from probatum.runs.ledger import ledger_head
from probatum.runs.metric import MetricDefinition
from probatum.runs.recorder import RunRecorder

LOSS = MetricDefinition("loss", "Loss", False, 0.0, None, 0.1, 0.1, "", "")


@pytest.fixture
def run(tmp_path):
    with RunRecorder("toy", {"rate": 0.5}, [LOSS], root=tmp_path) as recorder:
        recorder.epoch({"epoch": 1, "loss": 0.25})
    return recorder.paths


def _verify(run, *words):
    done = CliRunner().invoke(
        command, [*words, "--runs-root", str(run.folder.parent)], catch_exceptions=False
    )
    return done.exit_code, done.output


def test_a_whole_run_passes_and_shows_the_ledgers_head(run):
    code, text = _verify(run, run.name)
    assert code == 0
    assert f"Ledger head {ledger_head(run.folder.parent)}" in text


def test_a_changed_field_fails_and_is_named(run):
    run.config.write_text(run.config.read_text().replace("0.5", "0.6"))
    code, text = _verify(run, run.name[-6:])
    assert code == 1
    assert "config.json: parameters.rate" in text


@pytest.mark.parametrize("form", ["json", "csv"])
def test_findings_can_be_read_by_programs(run, form):
    run.metrics_epoch.unlink()
    text = _verify(run, "--all", "--format", form)[1]
    rows = json.loads(text)["findings"] if form == "json" else list(csv.DictReader(io.StringIO(text)))
    assert [row["file"] for row in rows] == ["metrics_epoch.csv"]


def test_an_edited_ledger_fails_with_its_line(run):
    run.ledger.write_text(run.ledger.read_text().replace("completed", "Completed"))
    code, text = _verify(run, "--all")
    assert code == 1
    assert "line 2" in text


def test_a_head_noted_earlier_must_still_be_there(run):
    assert _verify(run, "--all", "--expect-head", ledger_head(run.folder.parent))[0] == 0
    assert _verify(run, "--all", "--expect-head", "0" * 64)[0] == 1


def test_a_completed_run_that_is_gone_is_named(run):
    shutil.rmtree(run.folder)
    code, text = _verify(run, "--all")
    assert code == 1
    assert run.name in text


def test_a_copied_run_can_be_held_against_its_manifest_alone(run, tmp_path):
    copy = shutil.copytree(run.folder, tmp_path / "elsewhere" / run.name)
    assert _verify(run, str(copy))[0] == 1
    assert _verify(run, str(copy), "--no-ledger")[0] == 0


def test_a_run_or_all_must_be_named(run):
    assert _verify(run)[0] == 2
    assert _verify(run, run.name, "--all")[0] == 2


def test_the_help_has_examples():
    assert "Examples:" in CliRunner().invoke(command, ["--help"]).output
