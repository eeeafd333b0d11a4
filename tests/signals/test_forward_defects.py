"""Defects b, c, d and k of the recorder that came before (its fact sheet, 1.5): each must stay impossible."""

import math

import pytest
import torch
from torch import nn

from probatum.signals.activations import ActivationCollector
from probatum.signals.attention import AttentionCollector
from probatum.signals.collector import Gate

FEATURES = 77


class FinalAttention(nn.Module):
    """Uniform weights over 77 features, shown before or after dropout."""

    attention_axis = "feature"

    def __init__(self, shows_dropped):
        super().__init__()
        self.scale, self.drop, self.shows_dropped = nn.Linear(1, 1), nn.Dropout(0.5), shows_dropped

    def forward(self, x):
        weights = (0 * self.scale(x).squeeze(-1)).softmax(-1)
        dropped = self.drop(weights)
        self.attention_weights = dropped if self.shows_dropped else weights
        return dropped


def read(model, collector, x):
    gate = Gate()
    handles = collector.attach(model, lambda name, module: True, gate)
    gate.begin_step()
    model(x)
    for handle in handles:
        handle.remove()
    return collector.read()


def test_b_weights_after_dropout_are_refused_with_the_reason():
    collector = AttentionCollector()
    found = read(nn.Sequential(FinalAttention(shows_dropped=True)), collector, torch.zeros(8, FEATURES, 1))
    assert math.isnan(found["0"]["entropy"])
    assert "before dropout" in collector.missing["attention: 0"]


def test_b_uniform_weights_over_77_features_have_their_true_entropy():
    found = read(
        nn.Sequential(FinalAttention(shows_dropped=False)), AttentionCollector(), torch.zeros(8, FEATURES, 1)
    )
    assert float(found["0"]["entropy"]) == pytest.approx(math.log(FEATURES), rel=1e-5)  # 4.34, not 3.60


def test_b_the_layer_of_torch_shows_dropped_weights_and_is_read_before_dropout():
    layer = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True)
    x = torch.zeros(8, 16, 4)
    shown = layer(x, x, x)[1]
    assert not torch.allclose(shown.sum(-1), torch.ones(8, 16))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x, x, x)[0]

    found = read(Model(), AttentionCollector(), x)
    assert float(found["layer"]["entropy"]) == pytest.approx(math.log(16), rel=1e-5)


def test_c_index_0_of_a_lag_curve_is_the_newest_bin():
    class Recent(nn.Module):
        attention_axis = "time"

        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(1, 1)

        def forward(self, x):
            self.attention_weights = torch.tensor([[0.0, 0.1, 0.9]]).expand(len(x), 3)  # oldest first
            return self.linear(x)

    collector = AttentionCollector()
    found = read(nn.Sequential(Recent()), collector, torch.zeros(2, 1))
    assert float(found["0"]["lag_curve"][0]) == pytest.approx(0.9)
    assert collector.taken["lag"].startswith("index 0 = the newest")


def test_d_weights_over_features_have_no_lag_curve():
    collector = AttentionCollector()
    found = read(nn.Sequential(FinalAttention(shows_dropped=False)), collector, torch.zeros(8, FEATURES, 1))
    assert "lag_curve" not in found["0"]
    assert "'feature'" in collector.missing["attention: 0: lag_curve"]


@pytest.mark.parametrize("auxiliary", ["second pass", "paused", "teacher in eval mode", "without gradients"])
def test_k_auxiliary_forwards_are_not_recorded(auxiliary):
    model, gate = nn.Sequential(nn.Linear(1, 4), nn.Tanh()), Gate()
    collector = ActivationCollector()
    clean, corrupted = torch.ones(3, 1), torch.full((3, 1), 50.0)
    collector.attach(model, lambda name, module: True, gate)
    gate.begin_step()

    def forward(x):
        gate.begin_pass(model)
        model(x)
        gate.end_pass()

    def auxiliary_forward():
        gate.is_paused = auxiliary == "paused"
        with torch.set_grad_enabled(auxiliary != "without gradients"):
            model.train(auxiliary != "teacher in eval mode")
            forward(corrupted)
        gate.is_paused = False
        model.train()

    order = [lambda: forward(clean), auxiliary_forward]
    for call in order if auxiliary == "second pass" else reversed(order):
        call()
    assert float(collector.read()["0"]["mean"]) == pytest.approx(
        float(model[0](clean).detach().mean()), rel=1e-6
    )
