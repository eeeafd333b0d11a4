import pytest

from probatum._errors import UsageError
from probatum.packs.environment import EpisodeSettings
from probatum.policies.registry import make_policy
from probatum.policies.rollout import Counterfactuals, Task, left_alone, roll_out


def tasks(names, seed=1):
    return [
        Task(f"e{index}", EpisodeSettings(seed + index), make_policy(name), seed + index)
        for index, name in enumerate(names)
    ]


def test_episodes_side_by_side_are_those_that_go_alone(fake):
    names = ["random", "heuristic:eager", "no_growth"]
    together = roll_out(fake.FakeEnvironment(), tasks(names))
    alone = [roll_out(fake.FakeEnvironment(), [task])[0] for task in tasks(names)]
    assert [own.accuracies for own in together] == [own.accuracies for own in alone]
    assert [[c.action for c in own.choices] for own in together] == [
        [c.action for c in own.choices] for own in alone
    ]


def test_an_episode_spends_its_budget_and_is_tested_once(fake):
    (record,) = roll_out(fake.FakeEnvironment(7), tasks(["no_growth"]))
    assert len(record.observations) == 7
    assert record.test_accuracy == pytest.approx(20 + 3 * 1.0 + 4 * 0.2)


def test_a_fork_is_the_run_left_alone_to_the_end_of_the_budget(fake):
    (record,) = roll_out(fake.FakeEnvironment(), tasks(["heuristic:eager"]), Counterfactuals(1))
    (waiting,) = roll_out(fake.FakeEnvironment(), tasks(["no_growth"]))
    first = record.interventions[0]
    assert list(record.counterfactuals) == [first]
    assert record.counterfactuals[first] == waiting.accuracies[first + 1 :]


def test_the_first_intervention_is_always_judged_and_no_more_than_asked(fake):
    for seed in range(20):
        (record,) = roll_out(fake.FakeEnvironment(15), tasks(["random"], seed), Counterfactuals(2, horizon=3))
        assert record.interventions[0] in record.counterfactuals
        assert len(record.counterfactuals) == min(2, len(record.interventions))
        assert all(len(own) <= 3 for own in record.counterfactuals.values())
        assert set(record.counterfactuals) <= set(record.interventions)


def test_asking_for_forks_changes_nothing_else(fake):
    plain = roll_out(fake.FakeEnvironment(), tasks(["random"]))[0]
    forked = roll_out(fake.FakeEnvironment(), tasks(["random"]), Counterfactuals(3))[0]
    assert plain.accuracies == forked.accuracies
    assert plain.choices == forked.choices


def test_a_fork_is_followed_no_further_than_its_budget(fake):
    environment = fake.FakeEnvironment(4)
    (observed,) = environment.reset([EpisodeSettings(1)])
    assert len(left_alone(environment.fork(0), 9, budget=observed.budget)) == 3


def test_a_policy_is_not_shared_between_episodes(fake):
    policy = make_policy("heuristic")
    shared = [Task("a", EpisodeSettings(1), policy, 1), Task("b", EpisodeSettings(2), policy, 2)]
    with pytest.raises(UsageError, match="policy object of its own"):
        roll_out(fake.FakeEnvironment(), shared)


def test_an_action_that_is_not_allowed_is_refused(fake):
    class Stubborn(type(make_policy("no_growth"))):
        def choose(self, observed, actions):
            from dataclasses import replace

            return replace(super().choose(observed, actions), action=actions.index("FOSSILIZE"))

    with pytest.raises(UsageError, match="FOSSILIZE at epoch 1 of e, which is not allowed"):
        roll_out(fake.FakeEnvironment(), [Task("e", EpisodeSettings(1), Stubborn(), 1)])
