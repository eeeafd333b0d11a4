from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from probatum.studies.tamiyo.stacked.block import Running, block, by_quarters, cut_block
from probatum.studies.tamiyo.stacked.kernels import dense_weight, form_for, patches_of
from probatum.studies.tamiyo.stacked.signals import quantiles_of_sorted


@pytest.mark.parametrize("size", [1, 2, 4])
def test_every_form_is_the_convolution_with_its_gradients(size: int) -> None:
    images = torch.randn(5, 6, size, size, requires_grad=True)
    weight = torch.randn(7, 6, 3, 3, requires_grad=True)
    expected = conv2d(images, weight, padding=1)
    upstream = torch.randn_like(expected)
    expected.backward(upstream)
    form = form_for(size, size)
    found = form.forward(images.detach().permute(0, 2, 3, 1).contiguous(), weight.detach())
    back, of_weight = form.backward(upstream.permute(0, 2, 3, 1).contiguous(), True, True)
    assert back is not None
    assert of_weight is not None
    torch.testing.assert_close(found.permute(0, 3, 1, 2), expected.detach(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(back.permute(0, 3, 1, 2), images.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(of_weight, weight.grad, rtol=1e-4, atol=1e-4)


def reference(images: torch.Tensor, weight: torch.Tensor, norm: nn.BatchNorm2d) -> torch.Tensor:
    return nn.functional.max_pool2d(norm(conv2d(images, weight, padding=1)).relu(), 2)


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_block_is_convolution_normalisation_relu_and_pooling(is_cut: bool) -> None:
    images, weight, norm = (
        torch.randn(6, 2, 8, 8),
        torch.randn(5, 2, 3, 3, requires_grad=True),
        nn.BatchNorm2d(5),
    )
    nn.init.uniform_(norm.weight, -1, 1)
    expected = reference(images, weight, norm)
    upstream = torch.randn_like(expected)
    expected.backward(upstream)
    w, a, b = own = tuple(
        one.detach()[None].clone().requires_grad_() for one in (weight, norm.weight, norm.bias)
    )
    running = Running(torch.zeros(1, 5), torch.ones(1, 5))
    if is_cut:
        found = cut_block(by_quarters(patches_of(images).unflatten(1, (8, 8)))[None], w, a, b, running)
    else:
        found = block(images.permute(0, 2, 3, 1)[None].contiguous(), w, a, b, running, pools=True)
    found.backward(upstream.permute(0, 2, 3, 1)[None])
    torch.testing.assert_close(found[0].permute(0, 3, 1, 2), expected, rtol=1e-4, atol=1e-4)
    for one, two in zip(own, (weight, norm.weight, norm.bias), strict=True):
        assert one.grad is not None
        torch.testing.assert_close(one.grad[0], two.grad, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(running.mean[0], norm.running_mean)
    torch.testing.assert_close(running.variance[0], norm.running_var)


def test_equal_maxima_pass_one_gradient() -> None:
    inputs = torch.ones(1, 2, 2, 2, 1, requires_grad=True)
    weight = torch.zeros(1, 1, 1, 3, 3, requires_grad=True)
    scale, shift = torch.ones(1, 1, requires_grad=True), torch.ones(1, 1, requires_grad=True)
    block(inputs, weight, scale, shift, None, pools=True).sum().backward()
    assert shift.grad is not None
    assert float(shift.grad) == 2.0  # one for each image, not for each place


def test_a_dense_matrix_of_two_by_two_holds_every_tap_that_meets_the_image() -> None:
    taps = torch.arange(9.0).view(1, 1, 3, 3)
    assert dense_weight(taps, 2, 2)[0].tolist() == [4.0, 5.0, 7.0, 8.0]


def test_quantiles_are_torchs_and_nan_stays() -> None:
    values = torch.randn(4096)
    found = quantiles_of_sorted(values.sort().values, [0.01, 0.5, 0.99])
    torch.testing.assert_close(found, torch.quantile(values, torch.tensor([0.01, 0.5, 0.99])))
    assert quantiles_of_sorted(torch.tensor([1.0, float("nan")]), [0.5]).isnan().all()
