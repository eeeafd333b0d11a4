"""The layer against torch's own, and what padding may not do."""

import pytest
import torch
from torch import nn

from probatum.studies.abprop.encoder import Encoder, EncoderLayer

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


class Plain(nn.Module):
    """The encoder as torch's own modules spell it: every place computed, nothing rounded, no dropout."""

    def __init__(self, mine, *, norm_first):
        super().__init__()
        self.tokens, self.places = mine.token_embedding, mine.position_embedding
        width = mine.token_embedding.embedding_dim
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 2, 16, 0.0, batch_first=True, norm_first=norm_first)
            for _ in mine.layers
        )
        for theirs, layer in zip(self.layers, mine.layers, strict=True):
            for my, their in PAIRS.items():
                for kind in ("weight", "bias"):
                    theirs.get_parameter(their + kind).data = layer.get_parameter(f"{my}.{kind}").data.clone()
        self.norm = mine.norm

    def forward(self, tokens):
        stream = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
        for layer in self.layers:
            stream = layer(stream, src_key_padding_mask=tokens == 0)
        return self.norm(stream)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("steps", [5, 8, 13])  # 13 of at most 14: rounding must not run over the positions
def test_outputs_and_gradients_are_those_of_the_plain_formulation(norm_first, steps):
    torch.manual_seed(0)
    layers = [EncoderLayer(8, 2, 16, 0.0, 0.0, norm_first=norm_first) for _ in range(2)]
    mine = Encoder(layers, 8, 14, 0.0, 1.0, gradient_checkpointing=False)
    plain = Plain(mine, norm_first=norm_first)
    tokens = torch.randint(1, 25, (3, steps))
    tokens[1, 4:] = 0
    real, slopes = tokens != 0, torch.randn(3, steps, 8)
    hidden, expected = mine(tokens, is_padded=True), plain(tokens)
    torch.testing.assert_close(hidden[real], expected[real])
    shared = [mine.token_embedding.weight, mine.position_embedding.weight, mine.norm.weight]
    mine_too = [layer.inward.weight for layer in (mine.layers[0].attention, mine.layers[1].attention)]
    theirs = [layer.self_attn.in_proj_weight for layer in plain.layers]
    got = torch.autograd.grad(hidden[real], [*shared, *mine_too], slopes[real])
    wanted = torch.autograd.grad(expected[real], [*shared, *theirs], slopes[real])
    torch.testing.assert_close(got, wanted)


def test_padding_up_to_a_round_number_changes_no_shape():
    layers = [EncoderLayer(8, 2, 16, 0.0, 0.0, norm_first=True)]
    encoder = Encoder(layers, 8, 14, 0.0, 1.0, gradient_checkpointing=False)
    assert encoder(torch.ones(2, 5, dtype=torch.int64), is_padded=False).shape == (2, 5, 8)


def test_checkpointing_computes_again_with_the_same_masks(monkeypatch):
    tokens, gradients, calls = torch.randint(4, 24, (2, 8)), [], []
    real = EncoderLayer.forward
    monkeypatch.setattr(
        EncoderLayer, "forward", lambda layer, *given: calls.append(layer) or real(layer, *given)
    )
    for checkpointed in (False, True):
        torch.manual_seed(0)
        layers = [EncoderLayer(8, 2, 16, 0.3, 0.3, norm_first=True) for _ in range(2)]
        encoder = Encoder(layers, 8, 14, 0.3, 1.0, gradient_checkpointing=checkpointed)
        encoder(tokens, is_padded=False).pow(2).sum().backward()
        gradients.append([weight.grad for weight in encoder.parameters()])
    assert len(calls) == 2 + 4
    torch.testing.assert_close(*gradients)
