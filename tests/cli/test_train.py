from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from probatum.cli.main import run
from probatum.runs.integrity import verify_run
from probatum.runs.volatile import stable_digests


def _explicit(paths):
    return shlex.split(json.loads(paths.config.read_text())["commands"]["train_explicit"])[1:]


@pytest.mark.usefixtures("carry_on")
def test_a_missing_parameter_is_named_and_nothing_starts(prepare, spiral, capsys):
    words = _explicit(prepare())
    for name in ("--epochs", "--noise"):
        at = words.index(name)
        del words[at : at + 2]
    assert run(words) == 2
    message = capsys.readouterr().err
    assert "epochs" in message
    assert "noise" in message
    assert len(list((spiral / "runs").glob("2*"))) == 1


def test_a_pasted_command_trains_again_and_its_evaluation_agrees(train, spiral):
    paths = train(epochs=1)
    config = json.loads(paths.config.read_text())
    variables = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(
        config["commands"]["train_explicit"], shell=True, check=True, env=variables, capture_output=True
    )
    again = sorted((spiral / "runs").glob("*_explicit_*"))
    assert stable_digests(type(paths)(again[0])) == stable_digests(paths)
    before = json.loads(paths.eval_results.read_text())
    subprocess.run(
        config["commands"]["eval_explicit"], shell=True, check=True, env=variables, capture_output=True
    )
    after = json.loads(paths.eval_results.read_text())
    assert {**before, "timestamp": 0} == {**after, "timestamp": 0}
    assert verify_run(paths) == []


@pytest.mark.usefixtures("carry_on")
def test_a_command_that_differs_from_the_prepared_record_is_refused(prepare, monkeypatch, capsys):
    paths, other = prepare(), prepare(epochs=2)
    monkeypatch.setenv("EXPERIMENT_DIR", str(paths.folder))
    assert run(_explicit(other)) == 1
    assert "differ in epochs" in capsys.readouterr().err


@pytest.mark.usefixtures("carry_on")
def test_a_manifest_that_was_asked_for_says_that_there_is_no_source(prepare, monkeypatch):
    paths = prepare(epochs=1)
    monkeypatch.setenv("EXPERIMENT_DIR", str(paths.folder))
    monkeypatch.setenv("EXPERIMENT_MANIFEST", "1")
    assert run(_explicit(paths)) == 0
    manifest = json.loads(paths.reproduction_manifest.read_text())
    assert manifest["source_experiment"] is None
    assert manifest["verdict"] is None
    assert manifest["config_md5"] == json.loads(paths.config.read_text())["config_md5"]
    assert verify_run(paths) == []


@pytest.mark.usefixtures("carry_on")
def test_a_clone_is_compared_with_its_source(train, prepare, monkeypatch):
    source, clone = train(epochs=1), prepare(epochs=1)
    config = json.loads(clone.config.read_text())
    config["reproduction"] = {"mode": "reproduce_from", "source_experiment": source.name}
    clone.config.write_text(json.dumps(config))
    monkeypatch.setenv("EXPERIMENT_DIR", str(clone.folder))
    monkeypatch.setenv("EXPERIMENT_MANIFEST", "1")
    assert run(_explicit(clone)) == 0
    report = json.loads(clone.reproduction_report.read_text())
    assert (report["source"], report["verdict"]) == (source.name, "PASS")
    assert json.loads(clone.reproduction_manifest.read_text())["reproduction_mode"] is True
    assert verify_run(clone) == []
