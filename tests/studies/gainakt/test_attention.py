"""Causal attention with decay equals its definition, and sees no later step."""

import pytest
import torch

from probatum.studies.gainakt.attention import DecayRates, TwoStreamAttention, alibi_rates, causal_attention


def attention_by_definition(query, key, value, rates):
    """Return the attention computed step by step from softmax weights times exp(−rate · distance)."""
    length, width = query.shape[-2:]
    out = torch.zeros_like(value)
    for t in range(length):
        for h in range(query.shape[1]):
            scores = (query[:, h, t, None] * key[:, h, : t + 1]).sum(-1) / width**0.5
            weights = torch.exp(scores) * torch.exp(-rates[h] * (t - torch.arange(t + 1)))
            weights = weights / weights.sum(-1, keepdim=True)
            out[:, h, t] = (weights[..., None] * value[:, h, : t + 1]).sum(1)
    return out


@pytest.fixture
def streams():
    torch.manual_seed(0)
    return [torch.randn(2, 4, 9, 5, dtype=torch.float64) for _ in range(3)]


@pytest.mark.parametrize("scale", [0.0, 1.0, 7.0])
def test_decayed_attention_equals_its_definition(streams, scale):
    rates = alibi_rates(4).double() * scale
    torch.testing.assert_close(causal_attention(*streams, rates), attention_by_definition(*streams, rates))


def test_rates_of_zero_are_plain_causal_attention(streams):
    torch.testing.assert_close(causal_attention(*streams, torch.zeros(4)), causal_attention(*streams, None))


def test_learned_rates_start_at_alibi_and_receive_a_gradient(streams):
    rates = DecayRates(decay="learned", n_heads=4)
    torch.testing.assert_close(rates(), alibi_rates(4))
    causal_attention(*streams, rates()).sum().backward()
    assert (rates.raw.grad != 0).all()


def test_alibi_rates_are_constant_and_none_has_no_rates():
    assert list(DecayRates(decay="alibi", n_heads=2).parameters()) == []
    assert DecayRates(decay="none", n_heads=2)() is None


def test_a_decay_that_is_long_keeps_the_precision_of_far_steps():
    torch.manual_seed(1)
    q, k, v = (torch.randn(1, 8, 200, 8) for _ in range(3))
    single, double = (
        causal_attention(q, k, v, alibi_rates(8)),
        causal_attention(q.double(), k.double(), v.double(), alibi_rates(8).double()),
    )
    torch.testing.assert_close(single.double(), double, atol=2e-5, rtol=1e-4)


def test_values_narrower_than_the_model_are_widened_back():
    layer = TwoStreamAttention(d_model=16, n_heads=4, value_width=10, dropout=0.0, decay="none")
    out, aggregated = layer(torch.randn(2, 5, 16), torch.randn(2, 5, 10))
    assert out.shape == (2, 5, 16)
    assert aggregated.shape == (2, 5, 10)


def test_heads_that_do_not_divide_the_width_are_refused_by_name():
    with pytest.raises(ValueError, match=r"`d_model` to be a multiple of `n_heads`, got 10 and 4"):
        TwoStreamAttention(d_model=10, n_heads=4, value_width=10, dropout=0.0, decay="none")
