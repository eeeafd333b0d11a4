import pytest
import torch
from torch import nn

from probatum.signals.attention_weights import multihead_weights, scaled_dot_product_weights


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def returned(layer, inputs):
    layer.eval()
    with torch.no_grad():
        return layer(**inputs, need_weights=True, average_attn_weights=False)[1]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bias": False},
        {"kdim": 5, "vdim": 6},
        {"add_bias_kv": True},
        {"add_zero_attn": True},
    ],
)
@pytest.mark.parametrize("batch_first", [True, False])
def test_recomputed_weights_are_those_that_the_layer_returns_without_dropout(options, batch_first):
    layer = nn.MultiheadAttention(8, 2, batch_first=batch_first, dropout=0.5, **options)
    query, key, value = noise(3, 4, 8), noise(3, 6, layer.kdim, seed=1), noise(3, 6, layer.vdim, seed=2)
    inputs = {"query": query, "key": key, "value": value}
    if not batch_first:
        inputs = {name: states.transpose(0, 1) for name, states in inputs.items()}
    padding = torch.tensor([[False] * 6, [False] * 4 + [True] * 2, [False] * 5 + [True]])
    inputs |= {"key_padding_mask": padding, "attn_mask": torch.ones(4, 6).triu(3).bool()}
    with torch.no_grad():
        torch.testing.assert_close(multihead_weights(layer, inputs).values, returned(layer, inputs))


def test_a_mask_of_each_head_and_an_additive_mask_are_obeyed():
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True), noise(3, 4, 8)
    for mask in (noise(6, 4, 4), noise(6, 4, 4) > 1.5, noise(4, 4)):
        inputs = {"query": x, "key": x, "value": x, "attn_mask": mask}
        torch.testing.assert_close(multihead_weights(layer, inputs).values, returned(layer, inputs))


def test_an_unbatched_input_is_a_batch_of_one():
    layer, x = nn.MultiheadAttention(8, 2), noise(4, 8)
    inputs = {"query": x, "key": x, "value": x}
    torch.testing.assert_close(multihead_weights(layer, inputs).values[0], returned(layer, inputs))


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, {"mask": noise(5, 5) > 0}])
def test_weights_times_values_are_the_fused_kernels_output(options):
    query, key, value = noise(2, 4, 5, 8), noise(2, 4, 5, 8, seed=1), noise(2, 4, 5, 8, seed=2)
    named = {("attn_mask" if name == "mask" else name): value for name, value in options.items()}
    if "mask" in options:
        options["mask"][:, 0] = True
    fused = nn.functional.scaled_dot_product_attention(query, key, value, **named)
    torch.testing.assert_close(scaled_dot_product_weights(query, key, **options).values @ value, fused)


def test_grouped_queries_share_key_heads():
    query, key, value = noise(2, 4, 5, 8), noise(2, 2, 5, 8, seed=1), noise(2, 2, 5, 8, seed=2)
    fused = nn.functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
    found = scaled_dot_product_weights(query, key).values @ value.repeat_interleave(2, dim=1)
    torch.testing.assert_close(found, fused)


def test_the_lowest_number_of_a_type_is_a_mask():
    x = noise(1, 1, 3, 4)
    mask = torch.zeros(3, 3).masked_fill(torch.ones(3, 3).triu(1).bool(), torch.finfo(torch.float32).min)
    found, causal = scaled_dot_product_weights(x, x, mask), scaled_dot_product_weights(x, x, is_causal=True)
    torch.testing.assert_close(found.values, causal.values)
    assert torch.equal(found.allowed, causal.allowed)


def test_a_query_without_keys_has_zeros_and_no_nan():
    x = noise(1, 1, 2, 4)
    assert (
        not scaled_dot_product_weights(x, x, torch.tensor([[False, False], [True, True]]))
        .values[0, 0, 0]
        .any()
    )
