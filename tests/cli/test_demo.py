import json

import pytest
from click.testing import CliRunner

from probatum import demo
from probatum.ablations import PlanOptions, load_plan
from probatum.cli.demo import command
from probatum.runs.folder import list_run_folders

STEPS = ("ablate", "analyze", "explain", "reproduce", "verify", "report")


def test_a_failed_step_ends_the_demo_with_its_own_exit_code():
    said = []
    with pytest.raises(demo.DemoStepError, match="exit code 2: probatum launch no_such_study") as failure:
        demo.step("launch", "no_such_study", say=said.append)
    assert failure.value.exit_code == 2
    assert said == ["\n$ probatum launch no_such_study"]


def test_a_dataset_that_does_not_exist_ends_the_demo(tmp_path):
    result = CliRunner().invoke(command, ["--dataset", "none", "--folder", str(tmp_path / "d")])
    assert isinstance(result.exception, demo.DemoStepError)
    assert result.exception.exit_code in (2, 3)


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    result = CliRunner().invoke(command, ["--folder", str(tmp_path)])
    assert "holds other files" in str(result.exception)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_plan_compares_a_variant_with_its_baseline_over_three_seeds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_bytes(demo.PLAN.read_bytes())
    plan = load_plan(tmp_path / "plan.yaml", PlanOptions())
    assert (plan.name, plan.baseline) == (demo.PLAN_NAME, demo.BASELINE)
    assert [run.key for run in plan.runs] == [
        f"{name}/seed_{seed}" for name in (demo.BASELINE, demo.VARIANT) for seed in (1, 2, 3)
    ]
    differences = {str(d) for run in plan.runs for d in run.differences(plan.base)}
    assert "train.missing_aware_extension:false->true" in differences


@pytest.mark.slow
def test_the_demo_tells_the_whole_story(tmp_path):
    folder = tmp_path / "demo"
    result = CliRunner().invoke(command, ["--folder", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert all(f"\n$ probatum {step} " in result.output for step in STEPS)
    assert "6 completed" in result.output
    assert "PASS (strict tolerances, from the record)" in result.output
    assert "bit for bit: identical" in result.output
    files = demo.DemoFolder(folder)
    page = files.report.read_text(encoding="utf-8")
    assert "<html" in page
    assert len(page) < 6_000_000
    assert json.loads((files.results / "plan_index.json").read_text())["baseline"] == demo.BASELINE
    assert len(list_run_folders(files.runs)) == 7
