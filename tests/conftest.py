"""A small study of a person's own, and runs of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALL = {"epochs": "3", "points": "64", "hidden": "8"}


@pytest.fixture
def spiral(tmp_path, monkeypatch):
    """Return the working folder of a person who has the spiral study, and nothing else set."""
    for variable in ("EXPERIMENT_DIR", "EXPERIMENT_MANIFEST", "PROBATUM_RUNS", "PROBATUM_DATA"):
        monkeypatch.delenv(variable, raising=False)
    for file in EXAMPLES.glob("spiral_study.*"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def prepare(spiral):
    """Return a function that plans a run of the study and makes its folder."""
    from probatum.training.launch import LaunchRequest, plan_launch

    def make(study="./spiral_study.py", **parameters):
        options = {name: str(value).split() for name, value in {**SMALL, **parameters}.items()}
        plan = plan_launch(
            LaunchRequest(study, "test", "", options, (), (), None, {}, ("probatum", "launch", study))
        )
        return plan.prepare(Path("runs"), folder=None, force=False)

    return make


@pytest.fixture
def carry_on():
    """Return a function that carries a prepared or interrupted run out in this process."""
    import torch

    from probatum.training.carry_out import carry_out
    from probatum.training.recorded import load_recorded_run

    threads = torch.get_num_threads()
    yield lambda paths: carry_out(load_recorded_run(paths))
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


@pytest.fixture
def train(prepare, carry_on):
    """Return a function that trains the study in this process and returns the run's paths."""

    def finish(study="./spiral_study.py", **parameters):
        paths = prepare(study, **parameters)
        carry_on(paths)
        return paths

    return finish


@pytest.fixture
def probatum(spiral):
    """Return a function that runs the command line in a process of its own."""

    def call(*words, before="", **variables):
        code = f"import sys\n{before}\nfrom probatum.cli.main import main\nmain()"
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)]
            if before
            else [sys.executable, "-m", "probatum", *map(str, words)],
            capture_output=True,
            text=True,
            env={**os.environ, **variables},
            check=False,
        )
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return call


REAL_COMPONENTS = {
    "Slurm": "slurmctld", "Ray": "ray", "MLflow": "mlflow", "immunum": "immunum", "jq": "jq",
    "real data": "PROBATUM_DATA", "CUDA": "CUDA",
}  # fmt: skip


def pytest_terminal_summary(terminalreporter):
    """Say in the last lines which real components the suite did without."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else "") for report in skipped]
    for component, word in REAL_COMPONENTS.items():
        count = sum(1 for reason in reasons if word.lower() in reason.lower())
        if count:
            terminalreporter.write_line(f"skipped without {component}: {count}")
