"""Attention whose weights are dropped, beside torch's fused attention."""

import pytest
import torch

from probatum.studies.abprop.attention import SelfAttention

REAL = torch.tensor([[True] * 5, [True, True, True, False, False]])


@pytest.mark.parametrize("allowed", [None, REAL[:, None, None, :]])
def test_the_weights_that_dropout_needs_give_what_torchs_attention_gives(allowed):
    torch.manual_seed(0)
    attention = SelfAttention(12, 3, 0.5).eval()
    query, key, value = torch.randn(3, 2, 3, 5, 4).unbind(0)
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    torch.testing.assert_close(attention._gathered(query, key, value, allowed), expected)


def test_training_drops_weights_and_evaluation_does_not():
    torch.manual_seed(0)
    attention, stream = SelfAttention(12, 3, 0.5), torch.randn(2, 5, 12)
    assert not torch.equal(attention(stream, None), attention(stream, None))
    attention.eval()
    assert torch.equal(attention(stream, None), attention(stream, None))


def test_dropped_weights_never_show_padding():
    torch.manual_seed(0)
    attention, stream = SelfAttention(12, 3, 0.5), torch.randn(2, 5, 12)
    changed = torch.where(REAL[..., None], stream, 100.0)
    found = []
    for given in (stream, changed):
        torch.manual_seed(1)
        found.append(attention(given, REAL[:, None, None, :])[REAL])
    assert torch.equal(*found)


def test_the_mean_over_masks_is_attention_without_dropout():
    torch.manual_seed(0)
    attention, stream = SelfAttention(8, 2, 0.2), torch.randn(1, 4, 8)
    mean = torch.stack([attention(stream, None) for _ in range(2000)]).mean(0)
    torch.testing.assert_close(mean, attention.eval()(stream, None), atol=0.05, rtol=0)
