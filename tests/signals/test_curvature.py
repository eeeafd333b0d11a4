"""Hessian products, top eigenvalue and trace against dense Hessians and closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from probatum._errors import MissingExtraError, UsageError
from probatum.signals.config import LossLandscapeConfig
from probatum.signals.curvature import HessianProduct, hessian_trace, math_kernels, top_eigenvalue
from probatum.signals.landscape import LandscapeSample, measure_landscape


@pytest.fixture(autouse=True)
def one_thread():
    """Models this small are slower on two threads, and much slower where another process has the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def quadratic(hessian, at=None):
    """Return a model and the loss ½ wᵀHw."""
    size = len(hessian)
    model = nn.Linear(size, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.ones(1, size) if at is None else at[None])
    return model, lambda m: m.weight[0] @ hessian @ m.weight[0] / 2


def small_net():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    inputs, targets = torch.randn(20, 4).double(), torch.randint(0, 3, (20,))
    return model, lambda m: nn.functional.cross_entropy(m(inputs), targets)


def dense_hessian(model, loss):
    names, values = zip(*model.named_parameters(), strict=True)
    sizes = [value.numel() for value in values]

    def flat_loss(flat):
        pieces = [p.view_as(v) for p, v in zip(flat.split(sizes), values, strict=True)]
        swapped = dict(zip((f"0.{name}" for name in names), pieces, strict=True))
        return torch.func.functional_call(Whole(model, loss), swapped, ())

    return torch.autograd.functional.hessian(flat_loss, torch.cat([v.detach().flatten() for v in values]))


class Whole(nn.ModuleList):
    def __init__(self, model, loss):
        super().__init__([model])
        self.loss = loss

    def forward(self):
        return self.loss(self[0])


def test_products_equal_those_of_the_dense_hessian():
    model, loss = small_net()
    vectors = torch.randn(43, 2).double()
    assert torch.allclose(HessianProduct(model, loss) @ vectors, dense_hessian(model, loss) @ vectors)


def test_the_top_eigenvalue_is_that_of_the_dense_hessian():
    model, loss = small_net()
    expected = torch.linalg.eigvalsh(dense_hessian(model, loss))[-1].item()
    found = top_eigenvalue(HessianProduct(model, loss), seed=0)
    assert found.converged
    assert found.value == pytest.approx(expected, rel=2e-3)
    assert abs(found.value - expected) <= found.residual


def test_the_top_eigenvalue_of_a_quadratic_is_exact_when_the_space_is_spanned():
    model, loss = quadratic(torch.diag(torch.tensor([1.0, -9.0, 4.0, 2.0]).double()))
    found = top_eigenvalue(HessianProduct(model, loss), seed=0, tolerance=0)
    assert found.value == pytest.approx(4, rel=1e-12)  # the largest, not the largest in magnitude
    assert found.products == 4
    assert found.residual == pytest.approx(0, abs=1e-9)


def test_a_gradient_orthogonal_to_the_top_eigenvector_does_not_hide_it():
    hessian = torch.diag(torch.linspace(1, 10, 10).double())
    at = torch.ones(10).double()
    at[-1] = 0  # no gradient along the steepest axis
    model, loss = quadratic(hessian, at)
    assert top_eigenvalue(HessianProduct(model, loss), seed=0).value == pytest.approx(10, rel=2e-3)


def test_a_minimum_without_gradient_has_a_top_eigenvalue():
    model, loss = quadratic(torch.diag(torch.tensor([3.0, 7.0]).double()), torch.zeros(2))
    assert top_eigenvalue(HessianProduct(model, loss), seed=0).value == pytest.approx(7)


def test_what_has_not_converged_says_so():
    model, loss = quadratic(torch.diag(torch.linspace(1, 1.1, 60).double()))
    found = top_eigenvalue(HessianProduct(model, loss), seed=0, tolerance=1e-9, max_products=3)
    assert not found.converged
    assert found.products == 3
    assert found.residual > 0


def test_a_loss_that_is_linear_has_a_hessian_of_zero():
    model = nn.Linear(3, 2)
    product = HessianProduct(model, lambda m: m.weight.sum())  # the bias is not even used
    assert (product @ torch.ones(8)).equal(torch.zeros(8))
    assert top_eigenvalue(product, seed=0).value == 0


def test_shared_weights_count_once():
    torch.manual_seed(0)
    layer = nn.Linear(3, 3, bias=False).double()
    model = nn.Sequential(layer, nn.Tanh(), layer)
    inputs = torch.randn(5, 3).double()
    assert HessianProduct(model, lambda m: m(inputs).square().mean()).shape == (9, 9)


def test_a_frozen_model_is_refused():
    with pytest.raises(UsageError, match="every parameter of the model is frozen"):
        HessianProduct(nn.Linear(2, 2).requires_grad_(False), lambda m: m.weight.sum())


def test_the_trace_of_a_diagonal_hessian_is_exact_and_has_no_error():
    pytest.importorskip("curvlinops")
    model, loss = quadratic(torch.diag(torch.tensor([1.0, -9.0, 4.0, 2.0]).double()))
    found = hessian_trace(HessianProduct(model, loss))  # a Rademacher probe reads a diagonal exactly
    assert (found.value, found.se) == pytest.approx((-2, 0))


def test_the_trace_lies_within_its_own_standard_errors():
    pytest.importorskip("curvlinops")
    model, loss = small_net()
    torch.manual_seed(1)
    found = hessian_trace(HessianProduct(model, loss), probes=60)
    assert abs(found.value - dense_hessian(model, loss).trace().item()) < 3 * found.se


def test_one_probe_has_no_spread_and_is_refused():
    model, loss = small_net()
    with pytest.raises(UsageError, match="at least 2 probes"):
        hessian_trace(HessianProduct(model, loss), probes=1)


def test_without_curvlinops_the_message_holds_the_pip_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "curvlinops", None)
    model, loss = small_net()
    with pytest.raises(MissingExtraError, match="pip install curvlinops-for-pytorch"):
        hessian_trace(HessianProduct(model, loss))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.out = nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        heads = self.query(x)[:, None]
        return self.out(nn.functional.scaled_dot_product_attention(heads, heads, heads)[:, 0].mean(1))


@pytest.mark.parametrize(
    "build",
    [
        Attending,
        lambda: nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten()),
    ],
)
def test_models_with_fused_attention_have_a_curvature(build):
    torch.manual_seed(0)
    model, inputs = build(), torch.randn(16, 6, 8)
    sample = LandscapeSample(lambda m: m(inputs).square().mean(), "b")
    found = measure_landscape(model, sample, LossLandscapeConfig(enabled=True, curvature=True), seed=0)
    assert found["top_eigenvalue"] > 0
    assert found["top_eigenvalue_converged"]
    assert "top_eigenvalue" not in found["missing"]


def test_a_recurrent_network_has_a_curvature():
    torch.manual_seed(0)
    model, inputs = nn.GRU(3, 4, batch_first=True), torch.randn(8, 5, 3)
    with math_kernels():
        product = HessianProduct(model, lambda m: m(inputs)[0].square().mean())
        assert top_eigenvalue(product, seed=0).converged
