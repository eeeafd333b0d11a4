"""AbProp's own six plan files run unmodified; what had to give way is told (AbProp fact sheet, section 11)."""

from __future__ import annotations

import pytest
from abprop_repository import PLANS

from probatum._errors import ParameterError
from probatum._files import read_json
from probatum.ablations import PlanOptions, load_plan
from probatum.ablations.targets import script
from probatum.parameters.documents import read_document

RULE = ("heads=keep_dimension",)
COUNTS = {
    "plan": 15,
    "model_capacity": 2,
    "task_weights": 3,
    "data_regimes": 3,
    "masking_rates": 3,
    "optimizers": 3,
}


def load(root, name="plan", rules=RULE, **options):
    return load_plan(root / f"configs/ablations/{name}.yaml", PlanOptions(rules=rules, **options))


def rules(accommodations) -> dict[str, str]:
    return {a.rule: a.used for a in accommodations}


@pytest.mark.parametrize("name", PLANS)
def test_every_file_is_understood(abprop, name):
    assert len(load(abprop, name).runs) == COUNTS[name]


def test_the_whole_sweep_is_carried_out(abprop, sweep):
    plan = load(abprop)
    result, _ = sweep(plan)
    assert len(result.completed) == 15
    assert len(list((abprop / "outputs/ablations/baseline_sweep").glob("*/summary.json"))) == 15


def test_the_shipped_plans_includes_are_found_and_the_place_is_told(abprop):
    found = rules(load(abprop).accommodations)
    assert found["include"] == "configs/ablations/optimizers.yaml"


def test_a_missing_interpreter_gives_way_to_the_running_one(abprop):
    assert "python_executable" in rules(load(abprop).accommodations)


def test_a_script_that_is_there_is_honoured(abprop):
    assert "train_script" not in rules(load(abprop).accommodations)


def test_a_missing_script_is_a_mistake_where_nothing_stands_in(abprop, monkeypatch):
    (abprop / "scripts/train.py").unlink()
    monkeypatch.setattr(script, "STAND_INS", {})
    with pytest.raises(ParameterError, match=r"train_script: expected a file scripts/train.py"):
        load(abprop)


def test_probatums_trainer_and_its_data_stand_in_for_a_missing_script(abprop, monkeypatch):
    (abprop / "scripts/train.py").unlink()
    monkeypatch.setattr(script, "STAND_INS", {"scripts/train.py": "probatum.demo"})
    plan = load(abprop)
    assert rules(plan.accommodations)["train_script"] == "-m probatum.demo"
    assert rules(plan.accommodations)["data"] == "--synthetic"
    assert "--synthetic" in plan.runs[0].resolved.identity["command"]


def test_heads_that_do_not_divide_the_width_are_refused_with_the_valid_counts(abprop):
    with pytest.raises(ParameterError) as caught:
        load(abprop, rules=())
    assert "model_capacity.yaml:2: experiments[0] (model_tiny)" in str(caught.value)
    assert "Valid: 1, 2, 4, 8, 16, 32, 64, 128, 256, 512." in str(caught.value)


def test_the_declared_rule_keeps_the_size_of_a_head_and_is_told(abprop):
    runs = load(abprop).runs[:2]
    assert [run.resolved.configs["model"]["nhead"] for run in runs] == [4, 8]
    assert rules(runs[1].resolved.accommodations)["heads"] == "nhead 8"


def test_an_unknown_rule_is_refused(abprop):
    with pytest.raises(ParameterError, match="Did you mean 'keep_dimension'"):
        load(abprop, rules=("heads=keep_dimensions",))


def test_a_cap_on_the_steps_is_an_override_of_every_run(abprop):
    plan = load(abprop, sets=("train.max_steps=5",))
    assert {run.resolved.configs["train"]["max_steps"] for run in plan.runs} == {5}


@pytest.fixture
def finished(abprop, sweep):
    plan = load(abprop, filters=("model_tiny",))
    sweep(plan)
    return plan.folder / "model_tiny"


def test_a_run_leaves_the_seeds_files(finished):
    names = {path.name for path in finished.iterdir()}
    assert {"configs", "artifacts", "metadata.json", "summary.json", "stdout.log", "stderr.log"} <= names
    assert {path.name for path in (finished / "configs").iterdir()} == {
        "train.yaml",
        "model.yaml",
        "data.yaml",
    }
    assert (finished / "stdout.log").read_text() == "trained 42\n"


def test_the_resolved_configuration_has_the_folders_the_seed_and_the_tags(finished):
    train = read_document(finished / "configs/train.yaml").content
    artifacts = "outputs/ablations/baseline_sweep/model_tiny/artifacts"
    assert [train["output_dir"], train["log_dir"], train["seed"]] == [artifacts, f"{artifacts}/logs", 42]
    assert train["mlflow"]["experiment_name"] == "abprop"
    assert train["mlflow"]["tags"] == {
        "ablation_plan": "baseline_sweep", "ablation_experiment": "model_tiny", "axis": "model", "variant": "tiny",
    }  # fmt: skip
    assert train["learning_rate"] == 1.5e-4


def test_the_metadata_has_the_seeds_keys_and_what_gave_way(finished):
    record = read_json(finished / "metadata.json")
    assert {
        "plan", "experiment", "description", "command", "status", "start_time", "end_time", "duration_seconds",
        "run_root", "config_paths", "tags", "seed", "returncode",
    } <= set(record)  # fmt: skip
    assert record["status"] == "completed"
    assert record["run_root"] == "outputs/ablations/baseline_sweep/model_tiny"
    assert {a["rule"] for a in record["accommodations"]} == {"heads", "include", "python_executable"}
    assert record["command"][1:3] == ["scripts/train.py", "--config-path"]
    assert "model.nhead:6->4" in record["overrides"]


def test_the_summary_has_the_seeds_keys_and_the_evaluation_too(finished):
    summary = read_json(finished / "summary.json")
    assert summary["metrics"] == {"loss": 2.0, "step_time": 0.5, "eval_loss": 3.0}
    assert (summary["final_step"], summary["loss_min"], summary["loss_mean"]) == (100, 1.0, 2.0)
    assert summary["step_time_avg"] == 0.5
    assert summary["best"]["eval_loss"] == {"value": 2.0, "step": 50, "higher_is_better": False}


def test_no_record_holds_a_folder_of_this_machine_but_the_command(finished, abprop):
    record = read_json(finished / "metadata.json")
    for name in ("command", "place"):
        record.pop(name)
    assert str(abprop) not in str(record)
