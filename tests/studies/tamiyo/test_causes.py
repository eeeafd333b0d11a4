"""Hidden causes and the interventions that mend them, as mechanisms; what they gain is measured in the docs."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from probatum._errors import UnknownNameError, UsageError
from probatum.packs.environment import EpisodeSettings
from probatum.studies.tamiyo import causes
from probatum.studies.tamiyo.growth import GrowthEnvironment
from probatum.studies.tamiyo.mending import Mending, rescale_gradients


@pytest.fixture
def begun(few):
    def begin(cause):
        own = GrowthEnvironment(diagnosis=True, telemetry_profile="standard", epochs=5)
        return own, own.reset([EpisodeSettings(2, cause)])[0]

    return begin


def act(environment, name):
    return environment.step([environment.actions.index(name)])[0]


def norm(observed, layer):
    return observed.snapshot.gradient_stats[layer]["norm"]


def test_vanishing_gradients_are_seen_by_the_probe_and_rescaling_mends_them(begun):
    environment, before = begun("vanishing_gradients")
    assert norm(before, "host.block1.conv") < 1e-3 * norm(before, "host.classifier")
    after = act(environment, "RESCALE_GRADIENTS")
    assert norm(after, "host.block1.conv") == pytest.approx(norm(after, "host.classifier"), rel=1e-4)


@pytest.mark.parametrize(("action", "factor"), [("RAISE_LEARNING_RATE", 10), ("LOWER_LEARNING_RATE", 0.1)])
def test_the_learning_rate_moves_by_ten_for_host_and_seed(begun, action, factor):
    environment, _ = begun("low_learning_rate")
    act(environment, "GERMINATE_NORM")
    act(environment, action)
    rates = [group["lr"] for own in environment.runs[0].optimizers.values() for group in own.param_groups]
    cause = causes.CAUSES["low_learning_rate"].learning_rate_factor
    assert rates == pytest.approx([0.01 * cause * factor] * 2)


def test_the_learning_rate_stays_within_a_hundredfold():
    mending = Mending()
    mending.act("RAISE_LEARNING_RATE")
    mending.act("RAISE_LEARNING_RATE")
    assert "at most 100 times" in mending.refusal("RAISE_LEARNING_RATE")
    assert mending.refusal("LOWER_LEARNING_RATE") is None


@pytest.mark.parametrize("action", ["RESCALE_GRADIENTS", "REBALANCE_CLASSES"])
def test_what_is_done_is_not_done_again(begun, action):
    environment, _ = begun("none")
    observed = act(environment, action)
    assert not observed.allowed[environment.actions.index(action)]
    with pytest.raises(UsageError, match="already"):
        act(environment, action)


def test_imbalance_makes_half_of_the_classes_twenty_times_rarer(digits):
    labels = digits.splits["train"].labels
    counts = torch.bincount(labels[causes.imbalanced_rows(labels, 3)]).sort().values
    assert counts.sum() == len(labels)
    assert counts[5:].float().mean() / counts[:5].float().mean() == pytest.approx(20, rel=0.05)


def test_which_classes_are_rare_follows_from_the_seed_alone(digits):
    labels = digits.splits["train"].labels
    assert torch.equal(causes.imbalanced_rows(labels, 3), causes.imbalanced_rows(labels, 3))
    assert not torch.equal(causes.imbalanced_rows(labels, 3), causes.imbalanced_rows(labels, 4))


def test_weights_by_inverse_frequency_have_mean_one_over_the_images():
    labels = torch.tensor([0] * 90 + [1] * 10)
    weights = causes.inverse_frequency(labels, 2)
    assert weights[1] / weights[0] == pytest.approx(9.0)
    assert weights[labels].mean() == pytest.approx(1.0)


def test_the_jitter_has_the_spread_that_it_states(network):
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    causes.jitter(network, 2.0, torch.Generator().manual_seed(1))
    weight = network.host.block3.conv.weight
    assert float(weight.grad.std()) == pytest.approx(2.0 * float(weight.detach().std()), rel=0.02)
    assert not network.host.block1.norm.weight.grad.any()


def test_rescaling_keeps_directions_and_leaves_zeros(network, batch):
    cross_entropy(network(batch[0]), batch[1]).backward()
    network.host.block1.conv.weight.grad.zero_()
    before = network.host.block2.conv.weight.grad.clone()
    rescale_gradients(network)
    after = network.host.block2.conv.weight.grad
    torch.testing.assert_close(after / after.norm(), before / before.norm())
    assert not network.host.block1.conv.weight.grad.any()


def test_an_unknown_cause_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="underfitting"):
        causes.cause_called("underfiting")
