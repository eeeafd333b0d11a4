"""The layer against torch's own, and what padding may not do."""

import pytest
import torch
from torch import nn

from probatum.studies.abprop.encoder import EncoderLayer

PAIRS = {
    "attention.inward": "self_attn.in_proj_", "attention.outward": "self_attn.out_proj.",
    "attention_norm": "norm1.", "widen": "linear1.", "narrow": "linear2.", "feed_forward_norm": "norm2.",
}  # fmt: skip


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_layer_is_that_of_torch(norm_first):
    torch.manual_seed(0)
    mine = EncoderLayer(12, 3, 20, 0.0, 0.0, norm_first=norm_first)
    theirs = nn.TransformerEncoderLayer(12, 3, 20, 0.0, batch_first=True, norm_first=norm_first)
    weights = {
        their + kind: mine.state_dict()[f"{my}.{kind}"]
        for my, their in PAIRS.items()
        for kind in ("weight", "bias")
    }
    theirs.load_state_dict(weights)
    stream = torch.randn(2, 5, 12)
    real = torch.tensor([[True] * 5, [True, True, True, False, False]])
    got = mine(stream, real[:, None, None, :])
    expected = theirs(stream, src_key_padding_mask=~real)
    torch.testing.assert_close(got[real], expected[real])
