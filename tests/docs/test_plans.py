"""The plans of the documentation are plans, and the shipped example is one too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probatum.ablations import PlanOptions, load_plan

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```yaml\n(plan_name:.*?)^```", re.DOTALL | re.MULTILINE)
PLANS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in sorted((REPOSITORY / "docs").glob("*.md"))
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("text", PLANS)
def test_a_plan_of_the_documentation_resolves(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    assert load_plan(tmp_path / "plan.yaml", PlanOptions()).runs


def test_the_example_has_five_axes_over_three_seeds():
    plan = load_plan(REPOSITORY / "examples/abprop/configs/ablations/plan.yaml", PlanOptions())
    axes = {run.experiment.tags["axis"] for run in plan.runs} - {"baseline"}
    assert axes == {"model", "task_weights", "data", "masking", "optimizer"}
    assert {run.seed for run in plan.runs} == {1, 2, 3}
