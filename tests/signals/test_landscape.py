"""The loss around the weights: exact on known functions, invariant, and leaving everything as it was."""

from __future__ import annotations

import copy
import json
import statistics

import pytest
import torch
from torch import nn

from probatum._errors import UsageError
from probatum.signals import landscape
from probatum.signals.config import LossLandscapeConfig
from probatum.signals.landscape import LandscapeSample, measure_landscape, standard_error


@pytest.fixture(autouse=True)
def one_thread():
    """Models this small are slower on two threads, and much slower where another process has the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def config(**given):
    return LossLandscapeConfig(enabled=True, **given)


def relu_net(bias=True, dtype=torch.float64):
    torch.manual_seed(3)
    layers = nn.Linear(6, 12, bias=bias), nn.ReLU(), nn.Linear(12, 12, bias=bias), nn.ReLU(), nn.Linear(12, 4)
    return nn.Sequential(*layers).to(dtype)


def data(count=32, dtype=torch.float64):
    draw = torch.Generator().manual_seed(4)
    inputs = torch.randn(count, 6, dtype=dtype, generator=draw)
    return inputs, torch.randint(0, 4, (count,), generator=draw)


def sample(part_size=16, dtype=torch.float64):
    return LandscapeSample.of(nn.functional.cross_entropy, *data(dtype=dtype), "test", part_size)


def quadratic(weights):
    """Return a model with one filter per row and the loss of known Hessian, diagonal within a row."""
    model = nn.Linear(weights.shape[1], weights.shape[0], bias=False).double()
    with torch.no_grad():
        model.weight.copy_(weights)
    return model


def test_a_loss_of_squares_has_exactly_the_sharpness_of_its_weights():
    model = quadratic(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    curvatures = torch.tensor([[2.0], [5.0]]).double()  # L = ½ Σ_f h_f ‖w_f‖²: ½ dᵀHd = ½ Σ_f h_f ‖w_f‖²
    found = measure_landscape(
        model, LandscapeSample(lambda m: (curvatures * m.weight.square()).sum() / 2, "b"), config(), seed=0
    )
    assert found["sharpness"] == pytest.approx((2 * 5 + 5 * 25) / 2, rel=1e-9)
    assert found["sharpness_se"] == pytest.approx(0, abs=1e-6)
    assert found["base_loss"] == pytest.approx(67.5)


def test_sharpness_agrees_with_half_the_trace_of_the_scaled_hessian():
    torch.manual_seed(0)
    weights, root = torch.randn(2, 3).double(), torch.randn(6, 6).double()
    hessian = root + root.T  # indefinite
    model = quadratic(weights)
    loss = LandscapeSample(lambda m: m.weight.flatten() @ hessian @ m.weight.flatten() / 2, "b")
    runs = [measure_landscape(model, loss, config(perturbation_samples=20), seed) for seed in range(30)]
    scales = (weights.square().sum(1, keepdim=True) / 3).expand(2, 3).flatten()  # E[d dᵀ] of the sphere
    expected = (hessian.diagonal() * scales).sum().item() / 2
    values = [run["sharpness"] for run in runs]
    error = statistics.stdev(values) / len(values) ** 0.5
    assert abs(statistics.fmean(values) - expected) < 3 * error
    claimed = statistics.fmean(run["sharpness_se"] for run in runs)
    assert claimed == pytest.approx(statistics.stdev(values), rel=0.4)


def test_sharpness_is_signed():
    found = measure_landscape(
        quadratic(torch.ones(2, 2)),
        LandscapeSample(lambda m: -m.weight.square().sum(), "b"),
        config(),
        seed=0,
    )
    assert found["sharpness"] == pytest.approx(-4)


def test_a_linear_loss_has_a_slope_and_no_sharpness():
    slope = torch.tensor([[3.0, 4.0]]).double()
    model = quadratic(torch.tensor([[1.0, 0.0]]))
    found = measure_landscape(
        model,
        LandscapeSample(lambda m: (slope * m.weight).sum(), "b"),
        config(perturbation_samples=20),
        seed=0,
    )
    assert found["sharpness"] == pytest.approx(0, abs=1e-8)
    assert found["slope_rms"] == pytest.approx((25 / 2) ** 0.5, rel=0.3)  # E (g·d)² = ‖g‖²‖w‖² / 2


def test_rescaling_the_layers_of_a_relu_net_changes_nothing():
    model, other = relu_net(), relu_net()
    with torch.no_grad():
        other[0].weight.mul_(8), other[0].bias.mul_(8), other[2].weight.div_(8)
    found, same = (measure_landscape(net, sample(), config(slice_points=5), seed=1) for net in (model, other))
    assert same["sharpness"] == pytest.approx(found["sharpness"], rel=1e-6)
    assert same["slice"]["loss"] == pytest.approx(found["slice"]["loss"], rel=1e-9)


def test_parts_measure_the_same_sharpness_with_a_smaller_error():
    model = relu_net()
    whole, parts = sample(part_size=32), sample(part_size=4)
    settings = config(perturbation_samples=20)
    one = [measure_landscape(model, whole, settings, seed) for seed in range(8)]
    many = [measure_landscape(model, parts, settings, seed) for seed in range(8)]
    means = [statistics.fmean(run["sharpness"] for run in runs) for runs in (one, many)]
    errors = [statistics.fmean(run["sharpness_se"] for run in runs) for runs in (one, many)]
    assert abs(means[0] - means[1]) < 3 * (errors[0] ** 2 + errors[1] ** 2) ** 0.5 / 8**0.5
    assert errors[1] < errors[0]


def test_the_standard_error_of_drawn_pairs_leaves_the_spread_between_parts_out():
    values = torch.tensor([[1.0, 3.0], [101.0, 103.0]])
    assert standard_error(values) == pytest.approx((2 / 2 + 2 / 2) ** 0.5 / 2)
    assert standard_error(torch.ones(1, 1)) is None
    assert standard_error(torch.tensor([[1.0], [3.0]])) == pytest.approx(1.0)


def test_the_slice_holds_the_loss_along_a_filter_normalised_line():
    model = quadratic(torch.tensor([[3.0, 4.0]]))
    loss = LandscapeSample(lambda m: m.weight.square().sum(), "b")
    found = measure_landscape(model, loss, config(slice_points=5), seed=2)["slice"]
    assert found["alpha"] == [-1, -0.5, 0, 0.5, 1]
    assert found["loss"][2] == 25
    second = [found["loss"][0] + found["loss"][4] - 50, found["loss"][1] + found["loss"][3] - 50]
    assert second == pytest.approx([50, 12.5])  # 2 alpha² ‖d‖² with ‖d‖ = ‖w‖


def test_biases_and_frozen_weights_stay_where_they_are():
    model = relu_net()
    model[2].weight.requires_grad_(False)
    seen = []
    loss = LandscapeSample(lambda m: (seen.append(copy.deepcopy(m.state_dict())), m[0].weight.sum())[1], "b")
    measure_landscape(model, loss, config(), seed=0)
    moved = {name for state in seen for name, value in state.items() if not value.equal(seen[0][name])}
    assert moved == {"0.weight", "4.weight"}


def everything(model):
    states = [torch.get_rng_state(), *(value.clone() for value in model.state_dict().values())]
    return states, [module.training for module in model.modules()], [p.grad for p in model.parameters()]


class Restless(nn.Module):
    """A model with all that a measurement may leave changed."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 4))
        self.register_buffer("calls", torch.zeros(()))
        self.net[2].eval()

    def forward(self, inputs):
        self.calls = self.calls + 1
        self.calls += torch.rand(())
        return self.net(inputs)


@pytest.mark.parametrize("fails", [False, True])
def test_model_modes_buffers_and_generators_are_left_as_they_were(fails):
    model = Restless().train()
    model.net[2].eval()
    model(torch.randn(4, 6)).sum().backward()
    grads, buffer = [p.grad.clone() for p in model.parameters()], model.calls
    before = everything(model)
    count = iter(range(10_000))

    def loss(net):
        if fails and next(count) == 12:
            raise ZeroDivisionError
        return nn.functional.cross_entropy(net(inputs), targets)

    inputs, targets = data(dtype=torch.float32)
    settings = config(curvature=not fails, slice_points=3, perturbation_samples=10)
    if fails:
        with pytest.raises(ZeroDivisionError):
            measure_landscape(model, LandscapeSample(loss, "b"), settings, seed=0)
    else:
        measure_landscape(model, LandscapeSample(loss, "b"), settings, seed=0)
    after = everything(model)
    assert all(a.equal(b) for a, b in zip(before[0], after[0], strict=True))
    assert before[1] == after[1]
    assert all(p.grad.equal(g) for p, g in zip(model.parameters(), grads, strict=True))
    assert model.calls is buffer


def test_a_loss_that_draws_sees_the_same_draws_at_every_weight():
    model = quadratic(torch.ones(2, 2))
    loss = LandscapeSample(lambda m: m.weight.square().sum() + torch.randn(()), "b")
    assert measure_landscape(model, loss, config(), seed=0)["sharpness"] == pytest.approx(4)


def test_the_seed_alone_decides_the_figures():
    model = relu_net(dtype=torch.float32)
    loss = sample(dtype=torch.float32)
    found = [measure_landscape(model, loss, config(slice_points=3), seed) for seed in (1, 1, 2)]
    torch.manual_seed(99)
    assert found[0] == found[1] == measure_landscape(model, loss, config(slice_points=3), 1)
    assert found[2]["sharpness"] != found[0]["sharpness"]


def test_autocast_does_not_reach_the_measurement():
    model, loss = relu_net(dtype=torch.float32), sample(dtype=torch.float32)
    plain = measure_landscape(model, loss, config(), seed=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert measure_landscape(model, loss, config(), seed=0) == plain


def test_every_field_of_the_configuration_has_an_effect():
    model, loss = relu_net(), sample()
    plain = measure_landscape(model, loss, config(), seed=0)
    assert measure_landscape(model, loss, LossLandscapeConfig(enabled=False), seed=0) == {}
    assert "sharpness" not in measure_landscape(model, loss, config(estimate_sharpness=False), seed=0)
    assert "top_eigenvalue" not in plain
    assert "slice" not in plain
    assert len(measure_landscape(model, loss, config(slice_points=7), seed=0)["slice"]["loss"]) == 7
    for other in (config(perturbation_samples=6), config(perturbation_scale=0.02)):
        assert measure_landscape(model, loss, other, seed=0)["sharpness"] != plain["sharpness"]


def test_a_loss_that_is_not_finite_gives_none_and_a_reason():
    model = relu_net()
    loss = LandscapeSample(lambda m: m[0].weight.sum() * float("nan"), "b")
    found = measure_landscape(model, loss, config(slice_points=3, curvature=True), seed=0)
    json.dumps(found, allow_nan=False)
    assert found["sharpness"] is None
    assert found["base_loss"] is None
    assert found["top_eigenvalue"] is None
    assert "not finite" in found["missing"]["sharpness"]


def test_a_model_without_filters_has_no_sharpness_and_says_so():
    model = nn.LayerNorm(3)
    found = measure_landscape(model, LandscapeSample(lambda m: m.weight.sum(), "b"), config(), seed=0)
    assert found["sharpness"] is None
    assert "two axes" in found["missing"]["sharpness"]


def test_a_missing_extra_leaves_the_eigenvalue_and_names_the_pip_line(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr("probatum.signals.curvature.importlib.import_module", absent)
    found = measure_landscape(relu_net(), sample(), config(curvature=True), seed=0)
    assert found["top_eigenvalue"] > 0
    assert found["trace"] is None
    assert "pip install curvlinops-for-pytorch" in found["missing"]["trace"]


def test_an_operation_without_second_derivative_is_a_reason_and_no_failure():
    centre = torch.zeros(1, 2).double()
    loss = LandscapeSample(lambda m: torch.cdist(m.weight, centre).square().sum(), "b")
    found = measure_landscape(quadratic(torch.ones(2, 2)), loss, config(curvature=True), seed=0)
    assert found["sharpness"] > 0
    assert found["top_eigenvalue"] is None
    assert "no Hessian-vector product" in found["missing"]["top_eigenvalue"]


def test_a_sample_of_no_examples_is_refused():
    with pytest.raises(UsageError, match="at least one example"):
        LandscapeSample.of(nn.functional.cross_entropy, torch.ones(0, 3), torch.ones(0), "b")


def test_the_extra_is_not_imported_until_it_is_asked_for():
    assert not hasattr(landscape, "curvlinops")
