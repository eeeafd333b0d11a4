"""The host, its blueprints, and a slot that changes nothing until it should."""

import copy
import io

import pytest
import torch
from torch.nn.functional import cross_entropy

from probatum._errors import UnknownNameError
from probatum.signals.layers import select_layers
from probatum.studies.tamiyo.blueprints import BLUEPRINTS, build_seed
from probatum.studies.tamiyo.host import Host
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.single_run import isolation_violations
from probatum.studies.tamiyo.stages import Stage


def count(module):
    return sum(weight.numel() for weight in module.parameters())


def placed(network, blueprint, stage, alpha=0.0):
    network.plant(blueprint)
    network.slot.stage, network.slot.alpha = stage, alpha
    return network


def gradients(module):
    return {name: weight.grad for name, weight in module.named_parameters()}


def test_the_host_has_the_documented_number_of_parameters():
    assert count(Host(3, 10)) == 94_762
    assert Host(3, 10)(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize(
    ("blueprint", "parameters"),
    [("conv_enhance", 73_984), ("attention", 2_048), ("norm", 129), ("depthwise", 4_800)],
)
def test_each_blueprint_has_the_documented_number_of_parameters_and_keeps_the_shape(blueprint, parameters):
    seed = build_seed(blueprint, 64)
    assert count(seed) == parameters
    assert seed(torch.randn(4, 64, 8, 8)).shape == (4, 64, 8, 8)


def test_an_unknown_blueprint_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="depthwise"):
        build_seed("depthwize", 64)


@pytest.mark.parametrize("blueprint", BLUEPRINTS)
@pytest.mark.parametrize("stage", [Stage.GERMINATED, Stage.TRAINING])
def test_until_blending_the_networks_function_is_the_hosts_bit_for_bit(network, batch, blueprint, stage):
    placed(network, blueprint, stage).eval()
    assert torch.equal(network(batch[0]), network.host(batch[0]))


@pytest.mark.parametrize("blueprint", BLUEPRINTS)
def test_in_training_the_host_gets_exactly_the_gradients_and_statistics_of_the_host_alone(
    network, batch, blueprint
):
    images, labels = batch
    alone = copy.deepcopy(network)
    cross_entropy(alone(images), labels).backward()
    logits, aside = placed(network, blueprint, Stage.TRAINING)(images, True)
    (cross_entropy(logits, labels) + cross_entropy(aside, labels)).backward()
    for name, gradient in gradients(alone.host).items():
        assert torch.equal(gradients(network.host)[name], gradient), name
    for name, buffer in alone.host.named_buffers():
        assert torch.equal(dict(network.host.named_buffers())[name], buffer), name


@pytest.mark.parametrize("blueprint", BLUEPRINTS)
def test_in_training_every_weight_of_the_seed_learns_and_its_own_loss_falls(network, batch, blueprint):
    images, labels = batch
    placed(network, blueprint, Stage.TRAINING)
    optimizer = torch.optim.SGD(network.slot.seed.parameters(), lr=0.05, momentum=0.9)
    before, losses = copy.deepcopy(network.slot.seed.state_dict()), []
    for _ in range(30):
        optimizer.zero_grad()
        _, aside = network(images, True)
        losses.append(cross_entropy(aside, labels))
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0]
    for name, weight in network.slot.seed.named_parameters():
        assert not torch.equal(weight, before[name]), name


def test_in_blending_both_sides_get_a_gradient_and_the_output_is_the_mixture(network, batch):
    images, labels = batch
    placed(network, "depthwise", Stage.BLENDING, alpha=0.3).eval()
    features = network.host.to_injection(images)
    mixture = 0.3 * network.slot.seed(features) + 0.7 * features
    torch.testing.assert_close(network(images), network.host.from_injection(mixture))
    cross_entropy(network.train()(images), labels).backward()
    assert all(gradient.abs().max() > 0 for gradient in gradients(network).values())


def test_a_fossilized_seed_acts_alone_and_the_early_host_still_learns(network, batch):
    images, labels = batch
    placed(network, "conv_enhance", Stage.FOSSILIZED, alpha=1.0).eval()
    features = network.slot.seed(network.host.to_injection(images))
    assert torch.equal(network(images), network.host.from_injection(features))
    cross_entropy(network.train()(images), labels).backward()
    assert network.host.block1.conv.weight.grad.abs().max() > 0


def test_the_seed_is_a_submodule_for_modes_state_dicts_and_probes(network):
    placed(network, "conv_enhance", Stage.TRAINING)
    assert network.slot.seed.norm1.training
    network.eval()
    assert not network.slot.seed.norm1.training
    assert "slot.seed.conv1.weight" in network.state_dict()
    assert "slot.seed.conv1" in select_layers(network).parameters


@pytest.mark.parametrize("held", [None, "norm", "conv_enhance"])
def test_loading_a_state_dict_builds_its_seed_first_and_moves_no_generator(network, batch, held):
    placed(network, "conv_enhance", Stage.BLENDING, alpha=0.5).eval()
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    other = GrowingNetwork(1, 10)
    if held:
        other.plant(held)
    state = torch.get_rng_state()
    other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    assert torch.equal(torch.get_rng_state(), state)
    assert (other.slot.stage, other.slot.alpha, other.slot.blueprint) == (Stage.BLENDING, 0.5, "conv_enhance")
    assert torch.equal(other.eval()(batch[0]), network(batch[0]))


def test_loading_a_state_dict_without_a_seed_takes_the_seed_out(network):
    empty = copy.deepcopy(network.state_dict())
    placed(network, "norm", Stage.TRAINING).load_state_dict(empty)
    assert network.slot.seed is None
    assert network.slot.stage == Stage.DORMANT


def test_a_narrow_slot_passes_few_channels_and_a_seed_reads_all(network, batch):
    network.slot.narrow(2)
    features = network.host.to_injection(batch[0])
    assert (network.slot(features)[:, 2:] == 0).all()
    assert torch.equal(network.slot(features)[:, :2], features[:, :2])
    placed(network, "norm", Stage.FOSSILIZED, alpha=1.0)
    assert network.slot(features)[:, 2:].abs().max() > 0


def test_a_seed_that_is_not_isolated_is_noticed(network, batch):
    images, labels = batch
    _, aside = placed(network, "norm", Stage.TRAINING)(images, True)
    assert isolation_violations(cross_entropy(aside, labels), network.host) == 0
    features = network.host.to_injection(images)  # not cut from the host
    reaching = network.host.from_injection_untouched(network.slot.seed(features))
    assert isolation_violations(cross_entropy(reaching, labels), network.host) == 6
