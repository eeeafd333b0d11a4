"""A repository laid out like AbProp's, with its six plan files, and a trainer that takes milliseconds."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from abprop_repository import CONFIGS, PLANS, TRAINER


def write(path: Path, text: str) -> Path:
    """Write an indented text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).strip() + "\n", encoding="utf-8")
    return path


@pytest.fixture
def abprop(tmp_path, monkeypatch):
    """Return the root of a repository like AbProp's."""
    root = tmp_path / "repository"
    for name, text in PLANS.items():
        write(root / "configs/ablations" / f"{name}.yaml", text)
    for name, text in CONFIGS.items():
        write(root / "configs" / f"{name}.yaml", text)
    write(root / "scripts/train.py", TRAINER)
    monkeypatch.chdir(tmp_path)
    for variable in ("PROBATUM_RUNS", "PYTHONPATH", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(variable, raising=False)
    return root


@pytest.fixture
def plan_of(tmp_path, monkeypatch):
    """Return a function that loads the plan in a text, beside nothing else."""
    from probatum.ablations import PlanOptions, load_plan

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROBATUM_RUNS", raising=False)

    def load(text: str, **options):
        return load_plan(write(tmp_path / "plan.yaml", text), PlanOptions(**options))

    return load


@pytest.fixture
def shell_plan(plan_of):
    """Return a function that loads a plan of shell lines: `shell_plan(a="exit 0", b="exit 1")`."""

    def load(extra: str = "", **lines: str):
        experiments = "\n".join(
            f"  - {{name: {name}, train_overrides: {{line: {line!r}}}}}" for name, line in lines.items()
        )
        head = "plan_name: p\ndefaults:\n  train_script: [/bin/sh, -c, '{train.line}', '{seed}', '{output_dir}']\n"
        return plan_of(f"{head}{textwrap.dedent(extra)}experiments:\n{experiments}\n")

    return load


@pytest.fixture
def sweep():
    """Return a function that carries a plan out in two slots and returns the result and what was said."""
    from probatum.ablations import SweepOptions, run_plan
    from probatum.ablations.engines.local import LocalEngine
    from probatum.ablations.engines.slots import Slot

    def run(plan, **options):
        said: list[str] = []
        with LocalEngine(
            None, {"grace_seconds": "0.5"}, slots=[Slot(0, 1, None), Slot(1, 1, None)]
        ) as engine:
            return run_plan(plan, engine, SweepOptions(**options), said.append), said

    return run
