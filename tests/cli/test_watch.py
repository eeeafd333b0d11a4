import json
import os
import runpy
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from probatum._errors import UsageError
from probatum.cli.watch import command

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "reports" / "explained.py")))


@pytest.fixture
def root(tmp_path):
    explained.run(tmp_path / "runs", "base", 1, 0.5)
    return tmp_path / "runs"


def ask(*words, fails=None):
    found = CliRunner().invoke(command, [*map(str, words)], standalone_mode=False)
    if fails:
        assert isinstance(found.exception, fails), found.output
        return str(found.exception)
    assert not found.exception, found.output
    return found.stdout


def test_once_prints_the_table(root):
    out = ask(root, "--once")
    assert out.splitlines()[0].split()[:4] == ["run", "study", "title", "status"]
    assert "base" in out


def test_without_a_terminal_it_ends_where_nothing_runs(root):
    assert "completed" in ask(root)


def test_json_is_whole(root):
    assert json.loads(ask(root, "--format", "json"))["runs"][0]["title"] == "base"


def test_the_runs_root_is_the_default(root, monkeypatch):
    monkeypatch.setenv("PROBATUM_RUNS", str(root))
    assert "base" in ask("--once")


def test_plans_are_looked_at_where_there_is_no_runs_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROBATUM_RUNS", raising=False)
    plan = tmp_path / "outputs" / "ablations" / "sweep"
    explained.plan_run(plan, "baseline", 1, 1.0)
    (plan / "plan_index.json").write_text("{}")
    assert ask("--once").startswith("plan sweep: 1 completed of 1")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert "expected a folder" in ask(tmp_path / "no", "--once", fails=UsageError)


def test_web_stays_and_once_ends(root):
    assert "--once" in ask(root, "--web", "--once", fails=click.UsageError)


def test_web_serves_until_ctrl_c_and_leaves_with_zero(root):
    words = [sys.executable, "-m", "probatum", "watch", str(root), "--web", "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        address = process.stdout.readline().split()[0]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}state.json", timeout=20) as answer:
            assert json.load(answer)["runs"][0]["title"] == "base"
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (0, "")


def test_watching_imports_no_torch(root):
    code = (
        f"import sys; from probatum.cli.main import run; code = run(['watch', {str(root)!r}, '--once']); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0
    )
