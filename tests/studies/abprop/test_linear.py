"""oneDNN's linear layer beside torch's: numbers, gradients, and where it steps aside."""

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from probatum.studies.abprop import linear as module
from probatum.studies.abprop.linear import Linear, affine

WIDTHS = [(6, 15), (15, 6)]  # (in, out): both orders of the weight's gradient


@pytest.fixture
def calls(monkeypatch):
    """Count the products that oneDNN is given."""
    if module._ONEDNN is None:
        pytest.skip("torch is built without oneDNN")
    counted, real = [], module._ONEDNN
    monkeypatch.setattr(module, "_ONEDNN", lambda *given: counted.append(given[0].shape) or real(*given))
    return counted


@pytest.mark.parametrize(("inward", "outward"), WIDTHS)
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_torch(calls, inward, outward, bias):
    torch.manual_seed(0)
    mine = Linear(inward, outward, bias=bias)
    theirs = nn.Linear(inward, outward, bias=bias)
    theirs.load_state_dict(mine.state_dict())
    x = torch.randn(3, 4, inward, requires_grad=True)
    slope = torch.randn(3, 4, outward)
    got = torch.autograd.grad(mine(x), [x, *mine.parameters()], slope)
    expected = torch.autograd.grad(theirs(x), [x, *theirs.parameters()], slope)
    assert len(calls) == 3
    torch.testing.assert_close(mine(x), theirs(x))
    torch.testing.assert_close(got, expected)


def test_second_derivatives_exist_and_are_those_of_torch():
    x, weight, bias = torch.randn(3, 4), torch.randn(5, 4), torch.randn(5)

    def curved(product):
        return torch.autograd.functional.hessian(lambda w: product(x, w, bias).pow(3).sum(), weight)

    torch.testing.assert_close(curved(affine), curved(linear))


def test_an_input_that_needs_no_gradient_costs_no_product(calls):
    layer = Linear(4, 5)
    layer(torch.randn(3, 4)).sum().backward()
    assert len(calls) == 2


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_number_formats_are_torchs(calls, dtype):
    x = torch.randn(3, 4, dtype=dtype)
    weight = torch.randn(5, 4, dtype=dtype)
    assert torch.equal(affine(x, weight, None), linear(x, weight))
    assert not calls


def test_autocast_is_torchs(calls):
    with torch.autocast("cpu", torch.bfloat16):
        assert affine(torch.randn(3, 4), torch.randn(5, 4), None).dtype == torch.bfloat16
    assert not calls


def test_no_rows_give_no_rows():
    assert affine(torch.zeros(0, 4), torch.zeros(5, 4), torch.zeros(5)).shape == (0, 5)


def test_without_onednn_the_layer_is_torchs(monkeypatch):
    monkeypatch.setattr(module, "_ONEDNN", None)
    layer, x = Linear(4, 5), torch.randn(3, 4)
    assert torch.equal(layer(x), linear(x, layer.weight, layer.bias))
