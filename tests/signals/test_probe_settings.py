"""The settings that real training loops have."""

import copy
import io
import pickle
import runpy
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from probatum.signals.config import load_profile
from probatum.signals.probe import Probe

loops = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("training_loops.py"))))
CONFIG = load_profile(
    "research", {"loss_landscape": {"enabled": False}, "per_class": {"enabled": False}, "probe_batches": 9}
)


def one_step(model, inputs, probe, *, backward=None, optimizer=None, targets=None):
    """Train one step of a probed model and return the loss."""
    outputs = model(inputs)
    loss = outputs.float().square().mean()
    (backward or (lambda own: own.backward()))(loss)
    probe.observe(loss, outputs, targets)
    if optimizer:
        optimizer.step()
    return loss


def test_bfloat16_autocast_is_upcast_and_leaves_every_bit():
    def train(with_probe):
        torch.manual_seed(0)
        model = loops.Attending()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        probe = Probe(model, CONFIG, steps_per_epoch=3) if with_probe else None
        for step in range(3):
            inputs, targets = loops.tokens(step)
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                outputs = model(inputs)
                loss = nn.functional.cross_entropy(outputs, targets)
            loss.backward()
            if probe:
                probe.observe(loss, outputs, targets)
            optimizer.step()
        return model.state_dict(), probe.end_epoch() if probe else None

    plain, _ = train(False)
    probed, signals = train(True)

    assert all(torch.equal(plain[name], probed[name]) for name in plain)
    assert signals.attention["attention"]["entropy"].n == 3
    assert signals.activations["head"]["std"].mean > 0


def test_a_bfloat16_model_is_read_in_float32():
    model = nn.Linear(64, 64).bfloat16()
    with Probe(model, CONFIG, steps_per_epoch=1) as probe:
        one_step(model, torch.ones(4, 64, dtype=torch.bfloat16), probe)
        found = probe.end_epoch()

    reference = torch.cat([own.grad.float().flatten() for own in model.parameters()]).norm().item()
    assert found.gradients["(model)"]["norm"].mean == pytest.approx(reference, rel=1e-5)


@pytest.mark.parametrize(
    "grad_scale", [1024.0, lambda: torch.tensor(1024.0), torch.amp.GradScaler("cpu", init_scale=1024.0)]
)
def test_the_loss_scale_of_mixed_precision_is_divided_out(grad_scale):
    model = nn.Linear(4, 2)
    inputs = torch.randn(3, 4)
    model(inputs).square().mean().backward()
    reference = torch.nn.utils.get_total_norm([own.grad for own in model.parameters()]).item()
    model.zero_grad()

    with Probe(model, CONFIG, steps_per_epoch=1, grad_scale=grad_scale) as probe:
        one_step(model, inputs, probe, backward=lambda loss: (1024.0 * loss).backward())
        signals = probe.end_epoch()

    assert signals.batches[0].gradient_norm == pytest.approx(reference, rel=1e-5)
    assert "divided out" in probe.taken["gradients"]["scale"]


def test_accumulated_gradients_are_read_whole_and_the_first_pass_alone_is_described():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2))
    batches = [torch.full((2, 3), value) for value in (1.0, 2.0, 3.0)]
    with Probe(model, CONFIG, steps_per_epoch=1) as probe:
        for inputs in batches:
            (model(inputs).mean() / 3).backward()
        probe.observe()
        signals = probe.end_epoch()

    norm = torch.nn.utils.get_total_norm([own.grad for own in model.parameters()]).item()
    assert signals.batches[0].forward_passes == 3
    assert signals.batches[0].gradient_norm == pytest.approx(norm)
    assert signals.activations["0"]["mean"].mean == pytest.approx(model(batches[0]).mean().item(), rel=1e-5)


def test_a_compiled_model_has_gradients_and_says_why_it_has_no_activations():
    model = torch.compile(loops.small_model(), backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Probe(model, CONFIG, steps_per_epoch=2) as probe:
        _, signals = loops.train_epoch(model, optimizer, probe, steps=2)

    assert list(signals.gradients) == ["0", "1", "5"]
    assert signals.weights["5"]["update_ratio"].mean > 0
    assert signals.activations == {}
    assert "torch.compile" in signals.missing["activations"]
    assert "torch.compile" in signals.missing["attention"]
    assert [batch.forward_passes for batch in signals.batches] == [1, 1]


def test_a_model_compiled_in_place_says_so_too():
    model = loops.small_model()
    model.compile(backend="eager")
    with Probe(model, CONFIG, steps_per_epoch=2) as probe:
        _, signals = loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2)

    assert "torch.compile" in signals.missing["activations"]
    assert "torch.compile" in signals.missing["forward_passes"]
    assert list(signals.gradients) == ["0", "1", "5"]


def test_a_compiled_part_is_left_out_with_its_reason_and_its_plain_name():
    model = loops.small_model()
    model[0] = torch.compile(model[0], backend="eager")
    with Probe(model, CONFIG, steps_per_epoch=2) as probe:
        _, signals = loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2)

    assert "torch.compile" in signals.missing["activations: 0"]
    assert {"1", "5"} <= set(signals.activations)
    assert list(signals.gradients) == ["0", "1", "5"]


def test_a_shared_weight_is_counted_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(11, 4)
            self.out = nn.Linear(4, 11, bias=False)
            self.out.weight = self.embed.weight

        def forward(self, inputs):
            return self.out(self.embed(inputs))

    model = Tied()
    with Probe(model, CONFIG, steps_per_epoch=1) as probe:
        one_step(model, torch.arange(4), probe)
        signals = probe.end_epoch()

    assert list(signals.gradients) == ["embed"]
    assert signals.batches[0].gradient_norm == pytest.approx(model.embed.weight.grad.norm().item())


def test_a_frozen_layer_is_no_layer_until_it_thaws():
    model = loops.small_model()
    model[0].requires_grad_(False)
    with Probe(model, CONFIG, steps_per_epoch=2) as probe:
        _, frozen = loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2)
        model[0].requires_grad_(True)
        _, thawed = loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2)

    assert list(frozen.gradients) == ["1", "5"]
    assert list(thawed.gradients) == ["0", "1", "5"]


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_a_sparse_gradient_counts_as_the_dense_one():
    norms = []
    for sparse in (False, True):
        torch.manual_seed(0)
        model = loops.Attending(sparse=sparse)
        model.attention.dropout = 0.0
        with Probe(model, CONFIG, steps_per_epoch=2) as probe:
            _, signals = loops.train_epoch(
                model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2, batch=loops.tokens
            )
        found = signals.gradients["embed"]
        norms.append([found[name].mean for name in ("norm", "mean", "std", "p50", "vanishing_share")])

    assert norms[0] == pytest.approx(norms[1], rel=1e-3)


def test_modules_that_appear_during_training_are_picked_up():
    model = loops.small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Probe(model, CONFIG, steps_per_epoch=2) as probe:
        _, before = loops.train_epoch(model, optimizer, probe, steps=2)
        model.append(nn.Linear(3, 3))
        optimizer.add_param_group({"params": model[6].parameters()})
        _, after = loops.train_epoch(model, optimizer, probe, steps=2)

    assert "6" not in before.gradients
    assert after.gradients["6"]["norm"].n == 2
    assert after.weights["6"]["update_ratio"].n == 2
    assert after.activations["6"]["mean"].n == 2


def test_a_model_can_be_copied_and_pickled_between_steps_and_the_copy_is_not_probed():
    model = loops.small_model()
    with Probe(model, CONFIG, steps_per_epoch=9) as probe:
        loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2, end=False)
        copied, pickled = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
        torch.save(model, io.BytesIO())
        inputs = loops.images(0)[0]
        copied(inputs)
        pickled(inputs)
        one_step(model, inputs, probe)
        signals = probe.end_epoch()

    assert [batch.forward_passes for batch in signals.batches] == [1, 1, 1]


def test_layers_that_are_called_without_the_model_are_found_from_the_second_probed_step_on():
    model = loops.small_model()
    with Probe(model, CONFIG, steps_per_epoch=3) as probe:
        for step in range(3):
            states = loops.images(step)[0]
            for module in model:
                states = module(states)
            states.sum().backward()
            probe.observe()
        signals = probe.end_epoch()

    assert signals.activations["5"]["mean"].n == 2
    assert loops.hook_count(model) == 0


def test_a_pass_that_fails_leaves_the_probe_working():
    model = loops.small_model()
    with Probe(model, CONFIG, steps_per_epoch=2) as probe:
        with pytest.raises(RuntimeError):
            model(torch.ones(2, 3, 6, 6))
        _, signals = loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2)

    assert signals.batches[0].forward_passes == 2
    assert signals.gradients["5"]["norm"].n == 2
    assert loops.hook_count(model) == 0


@pytest.fixture
def one_process():
    """Start a process group of one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore")
def test_a_distributed_model_keeps_its_plain_names(one_process):
    model = nn.parallel.DistributedDataParallel(loops.small_model())
    with Probe(model, CONFIG, steps_per_epoch=2) as probe:
        _, signals = loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2)

    assert list(signals.gradients) == ["0", "1", "5"]
    assert {"0", "5"} <= set(signals.activations)
    assert [batch.forward_passes for batch in signals.batches] == [1, 1]
