"""Attention over time is the paper's formula, hour by hour, and reads masks only where it is told to."""

import math

import pytest
import torch

from probatum.studies.concare.time_attention import TimeAttention

BATCH, STEPS, CHANNELS, WIDTH = 3, 5, 2, 4


def attention(*, is_mask_aware=False, scale=0.0, dtype=torch.float64):
    torch.manual_seed(2)
    built = TimeAttention(
        channels=CHANNELS, width=WIDTH, attention_width=3, scale=scale, is_mask_aware=is_mask_aware
    )
    return built.to(dtype)


@pytest.fixture
def states():
    torch.manual_seed(3)
    return torch.randn(BATCH, STEPS, CHANNELS, WIDTH, dtype=torch.float64)


@pytest.fixture
def mask():
    torch.manual_seed(4)
    return (torch.rand(BATCH, STEPS, CHANNELS) < 0.5).double()


LENGTHS = torch.tensor([5, 5, 3])


def scores_by_definition(layer, states, mask, stay, channel):
    """Return one score per real hour, from scalars."""
    length = int(LENGTHS[stay])
    query = states[stay, length - 1, channel] @ layer.query[channel]
    rate = torch.sigmoid(layer.rate[channel, 0])
    scores = []
    for hour in range(length):
        fit = torch.sigmoid(query @ (states[stay, hour, channel] @ layer.key[channel]))
        score = torch.relu(fit / (rate * torch.log(2.72 + 1 - fit) * (length - hour)))
        if layer.log_scale is not None:
            score = layer.log_scale[channel, 0].exp() * score
        if layer.mask_bias is not None:
            score = score + layer.mask_bias[int(mask[stay, hour, channel])]
        scores.append(score)
    return torch.stack(scores)


@pytest.mark.parametrize("scale", [0.0, 10.0])
@pytest.mark.parametrize("is_mask_aware", [False, True])
def test_weights_and_context_equal_the_formula(states, mask, is_mask_aware, scale):
    layer = attention(is_mask_aware=is_mask_aware, scale=scale)
    context = layer(states, mask, LENGTHS)
    for stay in range(BATCH):
        for channel in range(CHANNELS):
            expected = torch.softmax(scores_by_definition(layer, states, mask, stay, channel), dim=0)
            length = len(expected)
            torch.testing.assert_close(layer.attention_weights[stay, channel, 0, :length], expected.detach())
            torch.testing.assert_close(
                context[stay, channel], expected @ states[stay, :length, channel], rtol=1e-9, atol=1e-12
            )


def test_exposed_weights_are_a_distribution_over_real_hours_without_a_graph(states, mask):
    layer = attention(is_mask_aware=True)
    layer(states, mask, LENGTHS)
    weights = layer.attention_weights
    assert weights.shape == (BATCH, CHANNELS, 1, STEPS)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert (weights[2, ..., 3:] == 0).all()
    assert not weights.requires_grad


def test_equal_fits_leave_only_age_and_the_newest_hour_weighs_most(mask):
    layer = attention()
    layer(torch.ones(BATCH, STEPS, CHANNELS, WIDTH, dtype=torch.float64), mask, LENGTHS)
    weights = layer.attention_weights[0, 0, 0]
    assert (weights.diff() > 0).all()
    assert math.isclose(float(weights.sum()), 1.0)


def test_only_the_aware_form_reads_the_mask(states, mask):
    for is_mask_aware in (False, True):
        layer = attention(is_mask_aware=is_mask_aware)
        changed = layer(states, mask, LENGTHS) - layer(states, 1 - mask, LENGTHS)
        assert bool(changed.abs().max() > 0) == is_mask_aware


def test_every_weight_of_the_aware_form_is_trained(states, mask):
    layer = attention(is_mask_aware=True)
    layer(states, mask, LENGTHS).square().sum().backward()
    assert all(weight.grad.abs().max() > 0 for weight in layer.parameters())


def test_observed_and_missing_biases_start_as_published():
    assert attention(is_mask_aware=True).mask_bias.tolist() == [0.0, 0.5]


def test_the_published_scores_are_nearly_flat_and_the_learned_factor_lets_them_choose():
    states, mask = torch.randn(1, 48, CHANNELS, WIDTH, dtype=torch.float64), torch.ones(1, 48, CHANNELS)
    spread = {}
    for scale in (0.0, 10.0):
        layer = attention(scale=scale)
        layer(states, mask, torch.tensor([48]))
        spread[scale] = layer.attention_weights.amax(-1).max()
    assert spread[0.0] < 0.1  # of 48 hours, no hour of any channel has a tenth
    assert spread[10.0] > 5 * spread[0.0]
