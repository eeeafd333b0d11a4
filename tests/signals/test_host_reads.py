"""No collector of forward signals waits for the device within a step."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from probatum.signals.activations import ActivationCollector
from probatum.signals.attention import AttentionCollector
from probatum.signals.collector import Gate
from probatum.signals.config import PerClassConfig
from probatum.signals.head_statistics import HeadStatisticsCollector
from probatum.signals.per_class import PerClassCollector

WAITING = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select", "aten.equal", "aten._to_cpu")


class RefuseHostReads(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if str(func).rpartition(".")[0] in WAITING:
            raise AssertionError(f"{func} reads the device")
        return func(*args, **(kwargs or {}))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh())
        self.attention, self.gru = nn.MultiheadAttention(8, 2, 0.1, batch_first=True), nn.GRU(8, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.gru(self.inner(x))[0]
        x = x + self.attention(x, x, x, need_weights=False)[0]
        mixed = nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True).mean(1)
        self.attention_weights = mixed.softmax(-1)
        return self.head(mixed)


def test_a_read_is_noticed():
    with RefuseHostReads(), pytest.raises(AssertionError, match="reads the device"):
        torch.ones(1).item()


def test_no_forward_collector_reads_the_device():
    model, gate = Model(), Gate()
    for collector in (ActivationCollector(), AttentionCollector()):
        collector.attach(model, lambda name, module: True, gate)
        gate.begin_step()
        with RefuseHostReads():
            model(torch.randn(2, 5, 4))
            assert collector.read()


@pytest.mark.parametrize("outputs", [torch.randn(6, 3), torch.randn(6)])
def test_no_collector_of_outputs_reads_the_device(outputs):
    targets, per_class = torch.tensor([0, 1, 1, 0, 1, 0]), PerClassCollector(PerClassConfig(enabled=True))
    with RefuseHostReads():
        per_class.observe(outputs, targets)
        assert HeadStatisticsCollector().read(outputs)
