from __future__ import annotations

import json
import subprocess
import sys

import pytest

from probatum.cli import launch
from probatum.cli.main import run

STUDY = "./spiral_study.py"


@pytest.fixture
def launched(spiral, monkeypatch):
    """Return a function that launches up to the point where the training would take over."""
    executed = {}

    def execve(program, words, environment):
        executed.update(words=words, environment=environment)

    monkeypatch.setattr(launch.os, "execve", execve)

    def call(*words):
        executed.clear()
        code = run(["launch", STUDY, *map(str, words)])
        folder = executed.get("environment", {}).get("EXPERIMENT_DIR")
        config = json.loads((spiral / folder / "config.json").read_text()) if folder else None
        return code, config, dict(executed)

    return call


def test_a_dry_run_shows_the_command_and_writes_nothing(launched, spiral, capsys):
    before = {path.name for path in spiral.iterdir()}
    assert launched("--epochs", 2, "--dry_run")[0] == 0
    shown = capsys.readouterr().out
    assert "override: epochs:8->2" in shown
    assert "probatum train ./spiral_study.py --seeds 42 --epochs 2" in shown
    assert {path.name for path in spiral.iterdir()} - before <= {"__pycache__"}


def test_the_explicit_command_is_what_is_executed(launched):
    _, config, executed = launched("--epochs", 2)
    assert executed["words"][:3] == [sys.executable, "-m", "probatum"]
    assert " ".join(["probatum", *executed["words"][3:]]) == config["commands"]["train_explicit"]


def test_set_takes_dotted_paths_and_is_recorded(launched, spiral):
    _, config, executed = launched("--set", "training.batch_size=16", "--set", "noise=0.5")
    assert config["overrides"] == {"batch_size": 16, "noise": 0.5}
    log = (spiral / executed["environment"]["EXPERIMENT_DIR"] / "overrides_applied.txt").read_text()
    assert "batch_size:32->16" in log


def test_unset_returns_to_the_default(launched, spiral):
    _, _, executed = launched("--set", "epochs=2", "--set", "noise=0.5")
    file = spiral / executed["environment"]["EXPERIMENT_DIR"] / "config.json"
    assert launched("--from_config", file, "--unset", "noise")[1]["overrides"] == {"epochs": 2}


def test_setting_and_unsetting_one_parameter_is_a_contradiction(launched, capsys):
    assert launched("--set", "noise=0.5", "--unset", "noise")[0] == 2
    assert "`noise` stands in both" in capsys.readouterr().err


def test_a_flag_wins_over_the_file_that_it_starts_from(launched, spiral):
    _, first, executed = launched("--epochs", 2, "--hidden", 4)
    file = spiral / executed["environment"]["EXPERIMENT_DIR"] / "config.json"
    _, second, _ = launched("--from_config", file, "--hidden", 6)
    assert (second["parameters"]["epochs"], second["parameters"]["hidden"]) == (2, 6)
    assert second["config_md5"] != first["config_md5"]


def test_short_flags_stand_for_parameters(launched):
    _, config, _ = launched("--seed", 7, "--use_amp")
    assert config["parameters"]["seeds"] == [7]
    assert config["parameters"]["mixed_precision"] is True
    assert launched("--no_amp")[1]["parameters"]["mixed_precision"] is False


SWITCHES = ("alignment_loss", "global_alignment_pass", "retention_loss", "lag_gain_loss")
MODES = {  # what seed 002 says of each, in the order of SWITCHES
    "none": (False, False, False, False),
    "baseline": (False, False, False, False),
    "alignment_only": (True, True, False, False),
    "align": (True, True, False, False),
    "retention": (False, True, True, False),
    "both": (True, True, True, False),
    "both_lag": (True, True, True, True),
}


@pytest.fixture
def resolved(launched, capsys):
    """Return a function that gives the switches of a launch, as its explicit command states them."""

    def call(study, *words):
        assert run(["launch", study, *words, "--dry_run"]) == 0
        explicit = capsys.readouterr().out.splitlines()[-1].split()
        stated = {name: explicit[explicit.index(f"--enable_{name}") + 1] for name in SWITCHES}
        return tuple(stated[name] == "true" for name in SWITCHES)

    return call


@pytest.mark.parametrize("study", ["gainakt2exp", "gainakt3exp"])
@pytest.mark.parametrize("mode", MODES)
def test_an_ablation_mode_sets_its_switches(resolved, study, mode):
    assert resolved(study, "--ablation_mode", mode) == MODES[mode]


@pytest.mark.parametrize("mode", MODES)
def test_an_ablation_mode_is_the_same_from_whatever_it_starts(resolved, mode):
    opposite = [
        f"--enable_{name}={str(not on).lower()}" for name, on in zip(SWITCHES, MODES[mode], strict=True)
    ]
    assert resolved("gainakt2exp", "--ablation_mode", mode) == MODES[mode]
    assert resolved("gainakt2exp", "--ablation_mode", mode, *opposite) == tuple(not on for on in MODES[mode])


def test_a_single_switch_wins_and_leaves_the_others_of_the_mode(resolved):
    assert resolved("gainakt2exp", "--ablation_mode", "both_lag", "--enable_retention_loss", "false") == (
        True, True, False, True,
    )  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_the_record_names_a_mode_that_sets_the_same_switches(mode, spiral, monkeypatch):
    monkeypatch.setattr(launch.os, "execve", lambda *words: None)
    assert run(["launch", "gainakt2exp", "--title", "x", "--ablation_mode", mode]) == 0
    config = json.loads(next((spiral / "runs").glob("*/config.json")).read_text())
    assert config["input"]["ablation_mode"] == mode
    assert MODES[config["experiment"]["ablation_mode"]] == MODES[mode]
    assert tuple(config["parameters"][f"enable_{name}"] for name in SWITCHES) == MODES[mode]


def test_a_clone_keeps_the_source_and_lists_what_it_changed(launched):
    _, source, _ = launched("--epochs", 2, "--title", "base")
    identity = source["experiment"]["experiment_id"]
    _, clone, _ = launched("--reproduce_from", identity, "--hidden", 4)
    assert clone["parameters"]["epochs"] == 2
    assert clone["reproduction"]["source_experiment"] == identity
    assert clone["reproduction"]["source_config_md5"] == source["config_md5"]
    assert clone["reproduction"]["applied_overrides"] == ["--hidden 4"]
    assert "reproduce" in clone["experiment"]["experiment_id"]


def test_a_named_folder_is_used_and_not_written_over_without_force(launched, spiral, capsys):
    assert launched("--experiment_dir", "mine")[0] == 0
    assert (spiral / "mine" / "config.json").exists()
    assert launched("--experiment_dir", "mine")[0] == 2
    assert "--force" in capsys.readouterr().err
    assert launched("--experiment_dir", "mine", "--force")[0] == 0


def test_the_wish_for_a_manifest_reaches_the_training(launched):
    assert launched("--manifest")[1]["input"]["manifest"] is True
    assert launched()[1]["input"]["manifest"] is False


def test_no_device_that_cannot_train_makes_a_folder(launched, spiral):
    assert launched("--devices", "tpu")[0] == 2
    assert launched("--strategy", "fsdp")[0] == 2
    assert launched("--mixed_precision", "true", "--amp_dtype", "float16")[0] == 2
    assert not (spiral / "runs").exists()


def test_launching_a_built_in_study_imports_no_torch(spiral):
    code = (
        "import os, sys\n"
        "os.execve = lambda *words: print('torch' in sys.modules)\n"
        "from probatum.cli.main import run\n"
        "run(['launch', 'gainakt2exp', '--title', 'x'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_parameter_that_cannot_act_is_named_with_the_reason(probatum):
    said = probatum("launch", "concare", "--missing_aware_mask_ratio_max", 0.5, "--dry_run")
    assert said.code == 0
    assert "--missing_aware_mask_ratio_max was set but cannot act: missing_aware_extension is off" in said.err


def test_a_parameter_that_acts_is_not_warned_of(probatum):
    assert probatum("launch", "concare", "--hidden_dim", 8, "--dry_run").err == ""
