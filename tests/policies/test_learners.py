import numpy as np
import pytest
import torch

from probatum.packs.environment import EpisodeSettings
from probatum.policies.dataset import PackDataset
from probatum.policies.imitation import ImitationSettings, class_weights, train_imitation
from probatum.policies.learn import learn, lessons_record, lessons_text, settings_of
from probatum.policies.learned import LearnedPolicy
from probatum.policies.network import PolicyNetwork
from probatum.policies.offline import OfflineSettings, train_cql, train_iql
from probatum.policies.offline_value import Baseline, offline_value
from probatum.policies.ppo import PPOSettings, train_ppo
from probatum.policies.registry import make_policy
from probatum.policies.remedies import is_right
from probatum.policies.rollout import Task, roll_out

QUICK = OfflineSettings(hidden=(32,), steps=500, look_every=100, learning_rate=3e-3, target_rate=0.05)
pytestmark = pytest.mark.usefixtures("one_thread")


def outcome(fake, make, *, causes=tuple(), **options):
    """Return the mean final accuracy in new episodes, and the share in which the right remedy was taken."""
    states = [EpisodeSettings(9000 + n, cause) for n, cause in enumerate(list(causes or ["none"]) * 4)]
    tasks = [Task(f"t{own.seed}", own, make(), own.seed) for own in states]
    records = roll_out(fake.FakeEnvironment(12, **options), tasks)
    right = [any(is_right(r.settings.cause, r.name(n)) for n in r.interventions) for r in records]
    return np.mean([own.test_accuracy for own in records]), np.mean(right)


def acting(data, trained):
    return lambda: LearnedPolicy(
        trained.network, data.names, data.normaliser, data.actions, kind=trained.kind
    )


@pytest.mark.parametrize("train", [train_iql, train_cql])
def test_offline_learning_finds_the_remedies_in_random_behaviour(fake, causes_pack, train):
    data = PackDataset(causes_pack)
    options = {"causes": fake.REMEDIES, "diagnosis": True}
    by_chance, _ = outcome(fake, lambda: make_policy("random:sparse"), **options)
    reached, right = outcome(fake, acting(data, train(data, QUICK, 1)), **options)
    assert right >= 0.75
    assert reached > by_chance + 10


def test_imitation_decides_as_the_behaviour_did(growth_pack):
    data = PackDataset(growth_pack, policies=["heuristic:eager"])
    lessons = learn(data, "imitation", ImitationSettings(hidden=(32,), epochs=40), [1, 2])
    record = lessons_record(lessons, data, "imitation")
    assert record["balanced_accuracy"]["mean"] > 0.9
    assert record["recall"]["FOSSILIZE"]["mean"] > 0.9
    assert record["recall"]["WAIT"]["n"] == 2
    assert "recall ADVANCE" in lessons_text(record)
    assert sum(map(sum, record["confusion"])) == 2 * record["pack"]["decisions"]["test"]


def test_training_repeats_and_leaves_torchs_generator_alone(growth_pack):
    data = PackDataset(growth_pack)
    settings = ImitationSettings(hidden=(8,), epochs=2)
    before = torch.random.get_rng_state()
    first, second = (train_imitation(data, settings, 3).network.state_dict() for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_ppo_learns_to_grow(fake):
    settings = PPOSettings(hidden=(32,), batches=20, learning_rate=3e-3)
    trained, normaliser = train_ppo(fake.FakeEnvironment(), settings, 1)
    actions = fake.FakeEnvironment().actions
    waiting, _ = outcome(fake, lambda: make_policy("no_growth"))
    reached, _ = outcome(fake, lambda: LearnedPolicy(trained.network, normaliser.names, normaliser, actions))
    assert reached > waiting + 5
    assert len(trained.history) == 20


def test_class_weights_are_by_effective_number():
    weights = class_weights([1000, 10, 0], 0.999)
    expected = (1 - 0.999**1000) / (1 - 0.999**10)
    assert float(weights[1] / weights[0]) == pytest.approx(expected, rel=1e-4)
    assert weights[2] == 0


class Always(PolicyNetwork):
    """A network that answers one action."""

    def __init__(self, features, actions, action):
        super().__init__(features, actions, (1,))
        self.action = action

    def forward(self, inputs):
        answer = torch.zeros(len(inputs), self.outputs)
        answer[:, self.action] = 1.0
        return answer


def test_the_offline_value_prefers_the_better_action(fake, packed, tmp_path):
    from probatum.policies.plan import Plan

    plan = Plan(3, 200, {"random:sparse": 1.0}, {"low_learning_rate": 1.0})
    pack = packed(tmp_path / "pack", plan, diagnosis=True)
    data = PackDataset(pack)
    baseline, batch = Baseline.fit(data.batch(data.rows("train"))), data.batch(data.rows("validation"))

    def value(name):
        network = Always(len(data.names), len(data.actions), data.actions.index(name))
        return offline_value(network, batch, baseline)

    assert value("RAISE_LEARNING_RATE").points > value("LOWER_LEARNING_RATE").points
    assert 0 < value("RAISE_LEARNING_RATE").effective_decisions < len(batch.actions)


def test_settings_are_typed_and_unknown_ones_are_answered():
    settings = settings_of("iql", {"steps": "10", "hidden": "8,4", "expectile": "0.9"})
    assert (settings.steps, settings.hidden, settings.expectile) == (10, (8, 4), 0.9)
    with pytest.raises(KeyError, match="expectile"):
        settings_of("iql", {"expectil": "1"})
    with pytest.raises(ValueError, match="expected int"):
        settings_of("iql", {"steps": "many"})
