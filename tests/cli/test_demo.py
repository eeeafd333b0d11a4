import json

import pytest
from click.testing import CliRunner

from probatum import demo
from probatum.cli.demo import command
from probatum.runs.folder import list_run_folders

STEPS = ("launch gainakt2exp", "evaluate", "reproduce", "verify")


def test_a_failed_step_ends_the_demo_with_its_own_exit_code():
    said = []
    with pytest.raises(demo.DemoStepError, match="exit code 2: probatum launch no_such_study") as failure:
        demo.step("launch", "no_such_study", say=said.append)
    assert failure.value.exit_code == 2
    assert said == ["\n$ probatum launch no_such_study"]


def test_a_dataset_that_does_not_exist_ends_the_demo(tmp_path):
    result = CliRunner().invoke(command, ["--dataset", "none", "--runs_root", str(tmp_path)])
    assert isinstance(result.exception, demo.DemoStepError)
    assert result.exception.exit_code == 2


def test_the_figures_are_explained_beside_the_constant_and_the_truth():
    lines = demo.judge({"test_auc": 0.78, "test_oracle_auc": 0.81, "test_true_mastery_correlation": 0.755})
    assert lines == [
        "Test AUC 0.7800; a constant prediction scores 0.5, and the simulator's own probabilities 0.8100.",
        "Recovered mastery correlates 0.7550 with the true mastery of the learners.",
    ]


@pytest.mark.slow
def test_the_demo_trains_reproduces_and_beats_a_constant(tmp_path):
    result = CliRunner().invoke(command, ["--runs_root", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert all(f"\n$ probatum {step}" in result.output for step in STEPS)
    assert "PASS (strict tolerances, from the record)" in result.output
    assert "bit for bit: identical" in result.output
    assert "1 of 1 runs whole." in result.output
    original, again = list_run_folders(tmp_path)
    assert again.reproduction_report.exists()
    evaluation = json.loads(original.eval_results.read_text())
    assert evaluation["test_auc"] > 0.75
    assert evaluation["test_oracle_auc"] - evaluation["test_auc"] < 0.05
