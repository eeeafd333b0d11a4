from collections import Counter
from dataclasses import replace

import pytest

from probatum._errors import UnknownNameError, UsageError
from probatum.packs.environment import EpisodeSettings
from probatum.policies.behaviours import EpsilonGreedy, NoGrowth, RandomPolicy
from probatum.policies.registry import BUILT_IN, make_policy


@pytest.fixture
def state(fake):
    environment = fake.FakeEnvironment()
    return environment.reset([EpisodeSettings(1)])[0], environment.actions


@pytest.mark.parametrize("name", [*BUILT_IN, "epsilon(random, 0.5)"])
def test_probabilities_sum_to_one_and_are_zero_where_nothing_is_allowed(state, name):
    observed, actions = state
    policy = make_policy(name)
    policy.begin(3)
    choice = policy.choose(observed, actions)
    assert sum(choice.probabilities) == pytest.approx(1)
    assert all(
        own == 0 for own, allowed in zip(choice.probabilities, observed.allowed, strict=True) if not allowed
    )
    assert choice.probabilities[choice.action] > 0
    assert policy.name == name


def test_epsilon_greedy_knows_the_exact_mixture(state):
    observed, actions = state
    policy = EpsilonGreedy(NoGrowth(), 0.2)
    policy.begin(0)
    choice = policy.choose(observed, actions)
    assert sum(observed.allowed) == 5
    assert choice.probabilities[0] == pytest.approx(0.8 + 0.2 / 5)
    assert choice.probabilities[1] == pytest.approx(0.2 / 5)


@pytest.mark.parametrize("name", ["epsilon(no_growth, 0.6)", "random", "random:family", "random:sparse"])
def test_draws_follow_the_probabilities_that_are_stored(state, name):
    observed, actions = state
    policy = make_policy(name)
    policy.begin(5)
    choices = [policy.choose(observed, actions) for _ in range(4000)]
    counts = Counter(choice.action for choice in choices)
    for action, probability in enumerate(choices[0].probabilities):
        assert counts[action] / 4000 == pytest.approx(probability, abs=0.03)


def test_exploration_is_told_from_the_policys_own_choice(state):
    policy = EpsilonGreedy(NoGrowth(), 1.0)
    policy.begin(1)
    choices = [policy.choose(*state) for _ in range(30)]
    explored = [choice for choice in choices if choice.is_exploratory]
    assert explored
    assert all(choice.greedy == 0 and choice.action != 0 for choice in explored)
    assert "instead of WAIT" in explored[0].reason


def test_the_same_seed_draws_the_same(state):
    def drawn(seed):
        policy = make_policy("epsilon(random, 0.5)")
        policy.begin(seed)
        return [policy.choose(*state).action for _ in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_random_by_family_gives_blueprints_one_share(state):
    policy = RandomPolicy(by_family=True)
    policy.begin(0)
    assert policy.choose(*state).probabilities[:5] == (0.5, 0.125, 0.125, 0.125, 0.125)


def test_sparse_waits_where_nothing_else_is_allowed(state):
    observed, actions = state
    policy = make_policy("random:sparse")
    policy.begin(0)
    only = replace(observed, allowed=(True, *[False] * 7))
    assert policy.choose(only, actions).probabilities[0] == 1


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="heuristic:patient"):
        make_policy("heuristic:patint")
    with pytest.raises(UsageError, match="expected a number"):
        make_policy("epsilon(random, much)")
    with pytest.raises(UsageError, match=r"in \[0, 1\]"):
        make_policy("epsilon(random, 2)")
