import subprocess
import sys
from pathlib import Path

import pytest

from probatum._errors import UsageError
from probatum.packs.reader import PackReader
from probatum.policies.generate import generate
from probatum.policies.plan import Plan, weights_of
from probatum.policies.rollout import Counterfactuals

MIX = {"random": 1.0, "heuristic:eager": 1.0}


def digests(pack):
    return {own["episode_id"]: bytes(pack.index["sha256"][n]) for n, own in enumerate(pack.summaries)}


def test_a_continued_generation_gives_the_same_episodes(fake, packed, tmp_path):
    whole = packed(tmp_path / "whole", Plan(1, 7, MIX, side_by_side=3), counterfactuals=Counterfactuals(1))
    packed(tmp_path / "part", Plan(1, 2, MIX, side_by_side=3), counterfactuals=Counterfactuals(1))
    grown = packed(tmp_path / "part", Plan(1, 7, MIX, side_by_side=3), counterfactuals=Counterfactuals(1))
    assert digests(whole) == digests(grown)


def test_an_interruption_leaves_a_valid_pack(fake, packed, tmp_path, monkeypatch):
    calls = []

    def break_off(self, actions):
        calls.append(actions)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return original(self, actions)

    original = fake.FakeEnvironment.step
    monkeypatch.setattr(fake.FakeEnvironment, "step", break_off)
    with pytest.raises(KeyboardInterrupt):
        packed(tmp_path / "pack", Plan(1, 6, MIX, side_by_side=2))
    assert len(PackReader(tmp_path / "pack")) == 2


def test_what_is_done_is_not_carried_out_again(fake):
    environments = []

    def make():
        environments.append(fake.FakeEnvironment())
        return environments[-1]

    plan = Plan(1, 4, MIX, side_by_side=2)
    found = list(generate(plan, make, done=["episode_00000", "episode_00001"]))
    assert [own.episode_id for own in found] == ["episode_00002", "episode_00003"]
    assert environments[0].epochs_trained == 24
    assert list(generate(plan, make, done=[f"episode_{n:05d}" for n in range(4)])) == []


def test_progress_counts_what_was_there(fake):
    seen = []
    plan = Plan(1, 4, MIX, side_by_side=2)
    list(generate(plan, fake.FakeEnvironment, done=["episode_00000"], report=seen.append))
    assert [own.finished for own in seen] == [2, 4]
    assert [own.carried_out for own in seen] == [1, 3]
    assert "4 of 4 episodes" in seen[-1].line()


def test_processes_give_the_episodes_of_one(fake, tmp_path):
    code = f"""
import runpy, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from fake_environment import FakeEnvironment
from probatum.policies.generate import generate
from probatum.policies.plan import Plan
if __name__ == "__main__":
    plan = Plan(1, 6, {MIX!r}, side_by_side=2)
    several = {{own.episode_id: own.sha256 for own in generate(plan, FakeEnvironment, jobs=2)}}
    alone = {{own.episode_id: own.sha256 for own in generate(plan, FakeEnvironment)}}
    print(several == alone, len(several))
"""
    script = tmp_path / "script.py"  # a spawned process reads the main module again
    script.write_text(code)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "6"], done.stderr


def test_an_episode_follows_from_the_seed_and_its_number():
    plan = Plan(1, 50, MIX, {"none": 1.0, "underfitting": 3.0})
    assert plan.episode(7) == Plan(1, 9, MIX, {"none": 1.0, "underfitting": 3.0}).episode(7)
    assert plan.episode(7) != Plan(2, 50, MIX, {"none": 1.0, "underfitting": 3.0}).episode(7)
    causes = [plan.episode(index).settings.cause for index in range(200)]
    assert 120 < causes.count("underfitting") < 180
    assert len({plan.episode(index).settings.seed for index in range(200)}) == 200


def test_mistakes_in_a_plan_are_told_before_anything_runs():
    with pytest.raises(UsageError, match="unknown policy"):
        Plan(1, 1, {"herustic": 1.0})
    with pytest.raises(UsageError, match="one positive weight"):
        Plan(1, 1, {"random": 0.0})
    with pytest.raises(UsageError, match="at least 1"):
        Plan(1, 0)
    with pytest.raises(UsageError, match="given twice"):
        weights_of(["random", "random=2"], "behaviour")
    with pytest.raises(UsageError, match="jobs"):
        list(generate(Plan(1, 1), lambda: None, jobs=0))
