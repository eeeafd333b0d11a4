import json
import pickle

import pytest

from probatum._errors import ComparisonError, RecordError
from probatum.packs.environment import EpisodeSettings
from probatum.packs.normalisation import Normaliser
from probatum.policies.dataset import PackDataset
from probatum.policies.learned import LearnedPolicy
from probatum.policies.network import PolicyNetwork
from probatum.policies.registry import make_policy
from probatum.policies.rollout import attend
from probatum.policies.store import load_policy, save_policy


@pytest.fixture
def policy(causes_pack):
    data = PackDataset(causes_pack)
    network = PolicyNetwork(len(data.names), len(data.actions), (8,))
    return LearnedPolicy(
        network, data.names, data.normaliser, data.actions, {"algorithm": "none"}, name="mine"
    )


def test_a_saved_policy_decides_as_before(fake, policy, tmp_path):
    path = save_policy(policy, tmp_path / "mine")
    environment = fake.FakeEnvironment(diagnosis=True)
    (observed,) = environment.reset([EpisodeSettings(1)])
    found = make_policy(str(path))
    for own in (policy, found):
        attend(own, environment)
    assert found.choose(observed, environment.actions) == policy.choose(observed, environment.actions)
    assert found.name == "mine"
    assert found.record == {"algorithm": "none"}


def test_a_decision_names_features_and_alternatives(fake, policy):
    environment = fake.FakeEnvironment(diagnosis=True)
    (observed,) = environment.reset([EpisodeSettings(1)])
    attend(policy, environment)
    choice = policy.choose(observed, environment.actions)
    assert "weighed most" in choice.reason
    assert len(choice.why_not) == sum(observed.allowed) - 1
    assert observed.allowed[choice.action]


def test_another_schema_is_refused_by_its_first_difference(fake, policy):
    with pytest.raises(ComparisonError, match="first that this environment lacks is 'loss_noise'"):
        attend(policy, fake.FakeEnvironment(diagnosis=True, rich=False))
    with pytest.raises(ComparisonError, match="no more"):
        attend(policy, fake.FakeEnvironment())


def test_a_policy_of_the_base_acts_where_more_is_observed(fake, causes_pack):
    data = PackDataset(causes_pack, "base")
    policy = LearnedPolicy(PolicyNetwork(27, 12, (4,)), data.names, data.normaliser, data.actions)
    attend(policy, fake.FakeEnvironment(diagnosis=True))


def test_exploration_around_a_learned_policy_lets_it_see_the_schema(fake, policy, tmp_path):
    path = save_policy(policy, tmp_path / "mine")
    with pytest.raises(ComparisonError):
        attend(make_policy(f"epsilon({path}, 0.1)"), fake.FakeEnvironment())


def test_weights_that_were_changed_are_refused(policy, tmp_path):
    path = save_policy(policy, tmp_path / "mine")
    path.with_suffix(".pt").write_bytes(b"other")
    with pytest.raises(RecordError, match="SHA-256 differs"):
        load_policy(path)


def test_a_pickle_in_place_of_weights_is_never_run(policy, tmp_path):
    from probatum._files import sha256_file

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "touched"), "w"))

    path = save_policy(policy, tmp_path / "mine")
    path.with_suffix(".pt").write_bytes(pickle.dumps(Evil(), protocol=2))
    record = json.loads(path.read_text())
    record["weights_sha256"] = sha256_file(path.with_suffix(".pt"))
    path.write_text(json.dumps(record))
    with pytest.raises(RecordError):
        load_policy(path)
    assert not (tmp_path / "touched").exists()


def test_a_file_that_is_no_policy_is_refused(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(RecordError, match="expected a policy"):
        load_policy(tmp_path / "other.json")
    with pytest.raises(RecordError, match="found none"):
        load_policy(tmp_path / "none.json")


def test_a_normaliser_survives_the_file(policy, tmp_path):
    found = load_policy(save_policy(policy, tmp_path / "mine"))
    assert isinstance(found.normaliser, Normaliser)
    assert found.normaliser.as_record() == policy.normaliser.as_record()
