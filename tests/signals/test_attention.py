import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from probatum.signals.attention import AttentionCollector
from probatum.signals.attention_statistics import attention_statistics
from probatum.signals.collector import Gate


def everything(name, module):
    return True


def probe_forward(model, *inputs, select=everything, **named):
    """Return readings, reasons and output of one probed training pass."""
    gate, collector = Gate(), AttentionCollector()
    handles = collector.attach(model, select, gate)
    gate.begin_step()
    output = model(*inputs, **named)
    for handle in handles:
        handle.remove()
    found = {
        layer: {k: v.tolist() for k, v in statistics.items()}
        for layer, statistics in collector.read().items()
    }
    return found, collector.missing, output


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Block(nn.Module):
    """Self-attention by the fused kernel, with dropout, as small language models have it."""

    def __init__(self, width=8, heads=2, dropout=0.0):
        super().__init__()
        self.qkv, self.heads, self.dropout = nn.Linear(width, 3 * width), heads, dropout

    def forward(self, x):
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, dropout_p=self.dropout * self.training
        )
        return mixed.transpose(1, 2).flatten(-2)


class EagerAttention(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.project, self.drop = nn.Linear(width, width), nn.Dropout(0.5)

    def forward(self, x):
        heads = self.project(x).unflatten(-1, (2, -1)).transpose(1, 2)
        self.before = (heads @ heads.transpose(-1, -2)).softmax(dim=-1)
        return (self.drop(self.before) @ heads).transpose(1, 2).flatten(-2)


class Pooling(nn.Module):
    def __init__(self, width=4, **said):
        super().__init__()
        self.score = nn.Linear(width, 1)
        for name, value in said.items():
            setattr(self, f"attention_{name}", value)

    def forward(self, x):
        self.attention_weights = self.score(x).squeeze(-1).softmax(-1)
        return (self.attention_weights.unsqueeze(-1) * x).sum(1)


@pytest.mark.parametrize("need_weights", [True, False])
def test_multihead_attention_is_read_whatever_it_was_asked_for(need_weights):
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.4, batch_first=True), noise(3, 5, 8)
    found, reasons, _ = probe_forward(layer, x, x, x, need_weights=need_weights)
    with torch.no_grad():
        true = layer.eval()(x, x, x, average_attn_weights=False)[1]
    assert found["(model)"]["entropy"] == pytest.approx(
        float(attention_statistics(true)["entropy"]), rel=1e-5
    )
    assert reasons == {}


def test_attention_inside_a_transformer_is_found_under_its_name():
    layer = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    found, _, _ = probe_forward(layer, noise(2, 4, 8))
    assert sorted(found) == ["layers.0.self_attn", "layers.1.self_attn"]


def test_fused_attention_is_read_before_dropout_and_causally():
    block, x = Block(dropout=0.5), noise(2, 6, 8)
    found, _, _ = probe_forward(nn.Sequential(block), x)
    assert found["0"]["future_mass"] == 0
    assert found["0"]["row_error"] < 1e-5
    assert len(found["0"]["lag_curve"]) == 6


def test_a_softmax_inside_an_attention_module_is_read_before_dropout():
    model, x = nn.Sequential(EagerAttention()), noise(2, 6, 8)
    found, _, _ = probe_forward(model, x)
    expected = attention_statistics(model[0].before)
    assert found["0"]["entropy"] == pytest.approx(float(expected["entropy"]), rel=1e-6)
    assert found["0"]["head_agreement"] == pytest.approx(float(expected["head_agreement"]), rel=1e-6)


def test_a_softmax_elsewhere_is_no_attention():
    found, reasons, _ = probe_forward(nn.Sequential(nn.Conv2d(1, 2, 1), nn.Softmax(-1)), noise(2, 1, 3, 3))
    assert found == {}
    assert "no attention was seen" in reasons["attention"]


def test_weights_that_a_module_shows_are_read():
    model, x = nn.Sequential(Pooling(axis="time")), noise(3, 5, 4)
    found, _, _ = probe_forward(model, x)
    weights = model[0].attention_weights
    assert found["0"]["lag_curve"] == pytest.approx(weights.mean(0).flip(0).tolist(), rel=1e-6)


def test_weights_of_an_unknown_layout_are_refused_with_the_shapes():
    _, reasons, _ = probe_forward(nn.Sequential(Pooling(layout="bhqk")), noise(3, 5, 4))
    assert "(3, 5)" in reasons["attention: 0"]
    assert "attention_layout" in reasons["attention: 0"]


def test_attention_between_two_sequences_has_no_lag_curve():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    found, reasons, _ = probe_forward(layer, noise(2, 3, 8), noise(2, 5, 8), noise(2, 5, 8))
    assert "lag_curve" not in found["(model)"]
    assert "no distance back" in reasons["attention: (model): lag_curve"]


def test_a_layer_in_eval_mode_inside_a_training_model_is_left_alone_and_named():
    model = nn.Sequential(nn.Linear(8, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
    model[1].eval().requires_grad_(False)
    found, reasons, _ = probe_forward(model, noise(2, 4, 8))
    assert found == {}
    assert "fast kernel" in reasons["attention: 1.self_attn"]


def test_only_chosen_layers_are_read():
    model = nn.Sequential(Block(), Block())
    found, _, _ = probe_forward(model, noise(2, 4, 8), select=lambda name, module: name == "1.qkv")
    assert sorted(found) == ["1"]


def test_a_module_without_parameters_takes_its_parents_choice():
    class Kernel(nn.Module):
        def forward(self, x):
            return functional.scaled_dot_product_attention(x, x, x)

    model = nn.Sequential(nn.Linear(8, 8), Kernel())
    found, _, _ = probe_forward(model, noise(2, 4, 8), select=lambda name, module: name == "0")
    assert sorted(found) == ["1"]


def test_two_calls_of_one_module_are_told_apart():
    class Twice(Block):
        def forward(self, x):
            return super().forward(super().forward(x))

    found, _, _ = probe_forward(nn.Sequential(Twice()), noise(2, 4, 8))
    assert sorted(found) == ["0", "0#2"]


def test_a_layer_used_twice_in_a_pass_is_read_the_first_time():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(0 * x, 0 * x, 0 * x)[0] + self.layer(x, x, x)[0]

    found, _, _ = probe_forward(Shared(), 9 * noise(2, 4, 8))
    assert found["layer"]["entropy"] == pytest.approx(math.log(4))


def test_large_batches_are_strided_over():
    found, _, _ = probe_forward(nn.Sequential(Block()), noise(1, 32, 8).repeat(512, 1, 1))
    one, _, _ = probe_forward(nn.Sequential(Block()), noise(1, 32, 8))
    assert set(found["0"]) == set(one["0"])


@pytest.mark.parametrize("kind", [Block, EagerAttention])
def test_nothing_that_is_computed_or_drawn_changes(kind):
    model = nn.Sequential(kind() if kind is EagerAttention else Block(dropout=0.5), nn.Linear(8, 1))
    twin, x = copy.deepcopy(model), noise(2, 4, 8)
    torch.manual_seed(1)
    output = probe_forward(model, x)[2]
    output.sum().backward()
    state = torch.get_rng_state()
    torch.manual_seed(1)
    expected = twin(x)
    expected.sum().backward()
    assert torch.equal(output, expected)
    assert torch.equal(state, torch.get_rng_state())
    assert all(
        torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), twin.parameters(), strict=True)
    )


def test_the_same_gradients_come_under_autocast():
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), Block())
    twin, x = copy.deepcopy(model), noise(2, 4, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found, _, output = probe_forward(model, x)
        expected = twin(x)
    output.float().sum().backward()
    expected.float().sum().backward()
    assert sorted(found) == ["0.self_attn", "1"]
    assert all(
        torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), twin.parameters(), strict=True)
    )


def test_an_error_in_the_forward_leaves_no_mode_behind():
    class Broken(Block):
        def forward(self, x):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        probe_forward(nn.Sequential(Broken()), noise(1, 2, 8))
    assert not torch.overrides._get_current_function_mode_stack()


def test_a_copy_of_a_model_with_hooks_is_not_probed():
    model, gate, collector = nn.Sequential(Block()), Gate(), AttentionCollector()
    collector.attach(model, everything, gate)
    gate.begin_step()
    copy.deepcopy(model)(noise(1, 2, 8))
    assert collector.read() == {}


def test_hugging_face_attentions_are_read_where_nothing_else_is():
    class Output(dict):
        pass

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 4)

        def forward(self, x):
            scores = self.linear(x).exp()  # no softmax to be seen
            return Output(logits=x, attentions=(scores.div(scores.sum(-1, keepdim=True)).view(2, 1, 4, 4),))

    found, _, _ = probe_forward(Model(), noise(2, 4, 4))
    assert list(found) == ["attentions.0"]
    assert len(found["attentions.0"]["lag_curve"]) == 4
