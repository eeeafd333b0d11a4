from __future__ import annotations

import json

import pytest

from probatum.cli import launch
from probatum.cli.main import run
from probatum.runs.folder import list_run_folders
from probatum.runs.integrity import verify_run

SMALL = ("--epochs", "1", "--points", "64", "--hidden", "8")


@pytest.fixture
def prepared(spiral, monkeypatch):
    """Return a function that launches up to the point where the training would take over."""
    monkeypatch.setattr(launch.os, "execve", lambda *words: None)

    def call(*words):
        assert run(["launch", "./spiral_study.py", *SMALL, *words]) == 0
        return list_run_folders(spiral / "runs")[0]

    return call


@pytest.mark.usefixtures("carry_on")
def test_the_manifest_that_a_launch_asked_for_is_written_by_the_resume(prepared):
    paths = prepared("--manifest")
    assert run(["resume", paths.name]) == 0
    assert json.loads(paths.reproduction_manifest.read_text())["verdict"] is None
    assert verify_run(paths) == []


@pytest.mark.usefixtures("carry_on")
def test_no_manifest_is_written_where_nobody_asked(prepared):
    paths = prepared()
    assert run(["resume", paths.name]) == 0
    assert not paths.reproduction_manifest.exists()


@pytest.mark.usefixtures("carry_on")
def test_a_reproduction_does_not_inherit_the_wish_of_its_source(prepared):
    paths = prepared("--manifest")
    copy = paths.folder.with_name(paths.name + "_repro")
    paths.folder.rename(copy)
    assert run(["resume", copy.name]) == 0
    assert not (copy / "reproduction_manifest.json").exists()
