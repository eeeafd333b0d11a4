import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from probatum._errors import ComparisonError, UnknownNameError, UsageError
from probatum.cli.policy import command
from probatum.packs.header import PackHeader
from probatum.packs.writer import PackWriter
from probatum.policies.generate import generate
from probatum.policies.plan import Plan

fake = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "policies" / "fake_environment.py")))
QUICK = ("--set", "epochs=2", "--set", "hidden=8")


def call(*words, fails=None):
    result = CliRunner().invoke(command, [str(word) for word in words])
    if fails:
        assert isinstance(result.exception, fails), result.output
        return str(result.exception)
    assert not result.exception, result.output
    return result.stdout


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder with a pack; the environment of every study is the fake one."""
    monkeypatch.chdir(tmp_path)

    def factory(study, profile, changes, *, runs=1, diagnosis=False):
        return lambda: fake.FakeEnvironment(8, diagnosis=diagnosis, rich=profile != "minimal")

    monkeypatch.setattr("probatum.cli.environments.environment_factory", factory)
    plan = Plan(1, 10, {"heuristic:eager": 1.0})
    environment = fake.FakeEnvironment(8)
    header = PackHeader(
        {}, environment.schema.as_record(), environment.actions, environment.describe(), plan.as_record()
    )
    with PackWriter(tmp_path / "pack", header, sync=False) as writer:
        for episode in generate(plan, lambda: fake.FakeEnvironment(8)):
            writer.append(episode)
    return tmp_path


def test_a_policy_is_trained_judged_and_compared(place):
    out = call("train", "pack", "--seeds", "1,2", *QUICK)
    assert "balanced accuracy" in out
    file = "policies/imitation_all_seed2.json"
    assert file in out
    assert json.loads(Path("policies/report_imitation_all.json").read_text())["seeds"] == [1, 2]
    assert "imitation_all_seed2" in call("evaluate", "pack", file)
    found = json.loads(
        call("compare", "no_growth", file, "--episodes", 3, "--format", "json", "--out", "c.json")
    )
    assert [own["policy"] for own in found["policies"]] == ["no_growth", file]
    assert len(found["outcomes"]) == 6
    assert json.loads(Path("c.json").read_text()) == found


def test_compare_meets_four_policies_where_none_is_named(place):
    out = call("compare", "--episodes", 2)
    assert all(name in out for name in ("no_growth", "fixed", "random", "heuristic"))


def test_a_comparison_is_drawn(place):
    out = call("compare", "no_growth", "fixed", "--episodes", 2, "--figures", "figures")
    assert "figures/policies.svg" in out
    assert Path("figures/policies.png").stat().st_size > 1000


def test_ppo_learns_online(place):
    out = call("train", "--algorithm", "ppo", "--seeds", 1, "--set", "batches=2", "--set", "random_batches=1")
    assert "ppo_all_seed1.json" in out
    assert "on validation" in out


def test_diagnose_answers_in_one_command(place):
    words = ("diagnose", "e", "--episodes", 12, "--test-episodes", 6, "--seeds", "1,2",
             "--set", "steps=20", "--set", "look_every=10", "--set", "hidden=8")  # fmt: skip
    assert "# Did richer data help?" in call(*words)
    found = json.loads(call(*words, "--format", "json"))
    assert found["features"] == {"base": 27, "all": 31}
    assert Path("e/result.md").exists()


def test_mistakes_are_answered(place):
    assert "iql learns from a pack" in CliRunner().invoke(command, ["train", "--algorithm", "iql"]).output
    assert "takes no PACK" in CliRunner().invoke(command, ["train", "pack", "--algorithm", "ppo"]).output
    assert "expected NAME=VALUE" in CliRunner().invoke(command, ["train", "pack", "--set", "x"]).output
    assert "whole numbers" in CliRunner().invoke(command, ["train", "pack", "--seeds", "a"]).output
    assert "epochs" in call("train", "pack", "--set", "epoch=1", fails=UnknownNameError)
    assert "heuristic" in call("compare", "heurisic", fails=UnknownNameError)
    assert "signs" in call("train", "pack", "--features", "sings", fails=UsageError)


def test_a_policy_is_refused_where_its_features_are_missing(place):
    call("train", "pack", "--seeds", "1", *QUICK)
    said = call("compare", "policies/imitation_all_seed1.json", "--profile", "minimal", fails=ComparisonError)
    assert "loss_noise" in said


@pytest.mark.parametrize("verb", ["train", "evaluate", "compare", "diagnose"])
def test_every_help_has_examples_and_exit_codes(verb):
    text = " ".join(call(verb, "--help").split())
    assert "Examples:" in text
    assert "Exit code 0" in text
