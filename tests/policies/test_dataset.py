import numpy as np
import pytest
import torch

from probatum._errors import UsageError
from probatum.policies import dataset
from probatum.policies.dataset import PackDataset, split_episodes
from probatum.policies.plan import Plan
from probatum.signals.features import BASE


def test_no_episode_is_in_two_parts_and_all_are_in_one(causes_pack):
    data = PackDataset(causes_pack)
    parts = [set(own) for own in data.episodes.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(causes_pack)
    assert [len(own) for own in data.episodes.values()] == [60, 20, 20]
    rows = [set(data.rows(part)) for part in data.episodes]
    assert sum(map(len, rows)) == len(set.union(*rows)) == int((causes_pack.actions_taken >= 0).sum())


def test_the_split_does_not_depend_on_the_order_of_writing():
    names = [f"e{index:02d}" for index in range(20)]
    first = split_episodes(names, "ab12")
    turned = split_episodes(names[::-1], "ab12")
    assert {names[place] for place in first["test"]} == {names[::-1][place] for place in turned["test"]}
    assert first != split_episodes(names, "ab13")


def test_features_are_the_base_or_all(causes_pack):
    assert PackDataset(causes_pack, "base").names == BASE
    assert PackDataset(causes_pack, "all").names[27:] == (
        "loss_noise",
        "sharpness",
        "gradient_spread",
        "class_variance",
    )
    with pytest.raises(UsageError, match="signs"):
        PackDataset(causes_pack, "signz")


def test_the_normaliser_knows_training_episodes_only(causes_pack):
    data = PackDataset(causes_pack, "base")
    own = causes_pack.batch(data.episodes["train"])
    column = BASE.index("val_accuracy")
    assert data.normaliser.means[column] == pytest.approx(own.observations[:, column].mean(), rel=1e-5)


def test_a_batch_holds_the_observation_after_each_decision(causes_pack):
    data = PackDataset(causes_pack, "base")
    first, last = causes_pack.episode_offsets[0], causes_pack.episode_offsets[1] - 2
    batch = data.batch(np.array([first, last]))
    assert batch.final.tolist() == [False, True]
    assert torch.equal(batch.next_inputs[0], data.batch(np.array([first + 1])).inputs[0])
    assert batch.rewards[1] == pytest.approx(float(batch.returns[1]))
    assert batch.propensities.min() > 0


def test_a_pack_too_large_to_hold_is_read_batch_by_batch(causes_pack, monkeypatch):
    rows = PackDataset(causes_pack).rows("test")[:9]
    held = PackDataset(causes_pack).batch(rows)
    monkeypatch.setattr(dataset, "HELD_BYTES", 0)
    read = PackDataset(causes_pack).batch(rows)
    assert torch.equal(held.inputs, read.inputs)
    assert torch.equal(held.returns, read.returns)


def test_episodes_can_be_chosen_by_policy(growth_pack):
    count = sum(own["policy"].startswith("epsilon") for own in growth_pack.summaries)
    data = PackDataset(growth_pack, policies=["epsilon*"])
    assert sum(map(len, data.episodes.values())) == count


def test_a_pack_too_small_to_split_is_refused(packed, tmp_path):
    pack = packed(tmp_path / "pack", Plan(1, 4, {"random": 1.0}))
    with pytest.raises(UsageError, match="at least 5 episodes"):
        PackDataset(pack)
