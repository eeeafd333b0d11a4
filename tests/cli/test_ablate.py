from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from probatum._errors import ParameterError
from probatum.cli.ablate import command
from probatum.cli.sweep_arguments import as_sets, spread

PLAN = """
plan_name: p
defaults: {train_script: [sh, -c, '{train.line}'], base_output_dir: out}
experiments:
  - {name: good, train_overrides: {line: 'echo fine'}}
  - {name: bad, train_overrides: {line: 'echo why >&2; exit 2'}}
"""


@pytest.fixture
def ablate(tmp_path, monkeypatch, capsys):
    """Return a function that runs the verb and returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)

    def run(*arguments):
        code = command.main(args=list(arguments), standalone_mode=False)
        return code, capsys.readouterr().out

    return run


def test_the_seeds_flags_work_as_spelled_there(ablate, tmp_path):
    code, out = ablate("--plan", "plan.yaml", "--filter", "good", "bad", "--max-runs", "1", "--dry-run")
    assert code == 0
    assert "bad: left out by --max-runs" in out
    assert not (tmp_path / "out").exists()


def test_a_failed_run_is_exit_code_3_and_shows_its_last_lines(ablate):
    code, out = ablate("plan.yaml")
    assert code == 3
    assert "why" in out
    assert "1 completed, 1 failed" in out


def test_a_sweep_without_a_failure_is_exit_code_0(ablate):
    assert ablate("plan.yaml", "--filter", "good")[0] == 0
    code, out = ablate("plan.yaml", "--filter", "good", "--skip-existing")
    assert code == 0
    assert "1 skipped" in out


def test_the_status_is_told_as_table_and_as_json(ablate):
    ablate("plan.yaml", "--max-runs", "1")
    assert "1 completed, 1 planned" in ablate("plan.yaml", "--status")[1]
    record = json.loads(ablate("plan.yaml", "--status", "--format", "json")[1])
    assert [run["status"] for run in record["runs"]] == ["completed", "planned"]


def test_a_plan_is_needed_once(ablate):
    with pytest.raises(click.UsageError, match="give one plan"):
        ablate("--dry-run")


def test_mistakes_of_the_plan_are_told_before_anything_runs(ablate, tmp_path):
    with pytest.raises(ParameterError, match="Did you mean 'good'"):
        ablate("plan.yaml", "--filter", "goood")
    assert not (tmp_path / "out").exists()


def test_a_filter_ends_at_the_next_option():
    assert spread(["--filter", "a", "b", "--jobs", "2", "p"], "--filter") == [
        "--filter", "a", "--filter", "b", "--jobs", "2", "p",
    ]  # fmt: skip


def test_a_detached_runner_gets_the_same_words(ablate, tmp_path, monkeypatch):
    from probatum.ablations.runner import detach as module

    started = []
    original = subprocess.Popen

    def popen(words, **how):
        started.append(words)
        return original([sys.executable, "-c", ""], **how)

    monkeypatch.setattr(module.subprocess, "Popen", popen)
    monkeypatch.setattr(sys, "argv", ["probatum", "ablate", "plan.yaml", "--detach", "--jobs", "1"])
    code, out = ablate("plan.yaml", "--detach", "--jobs", "1")
    assert code == 0
    assert started[0][2:] == ["probatum", "ablate", "plan.yaml", "--jobs", "1"]
    assert "--status plan.yaml tells how far it is" in out


def test_neither_the_package_nor_the_verb_imports_torch():
    line = "import sys, probatum.ablations, probatum.cli.ablate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", line], check=False).returncode == 0


def test_an_option_that_is_not_there_is_answered_with_the_nearest(ablate):
    with pytest.raises(click.NoSuchOption) as caught:
        ablate("plan.yaml", "--skip-existin")
    assert "--skip-existing" in (caught.value.possibilities or ())


def test_the_flags_of_seed_000_are_overrides_of_every_run():
    words = as_sets(command, {"instrument_signals": [], "instrumentation_mask_rates": ["0.0,0.2"]})
    assert words == ["--set", "instrument_signals=true", "--set", "instrumentation_mask_rates=0.0,0.2"]


def test_an_option_of_an_engine_is_a_name_and_a_value(ablate):
    with pytest.raises(click.UsageError, match="must be NAME=VALUE, got 'partition'"):
        ablate("plan.yaml", "--engine-option", "partition")
