"""Linear layers by oneDNN on a CPU, at torch's precision; `probatum._onednn` says why."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from probatum._onednn import LINEAR as _ONEDNN
from probatum._onednn import takes


class Linear(nn.Linear):
    """`nn.Linear`, by `affine`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x W^T + b `(..., out)` of `input` `(..., in)`."""
        return affine(input, self.weight, self.bias)


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return x W^T + b, as `torch.nn.functional.linear` does.

    Args:
        x: `(..., in)`.
        weight: `(out, in)`.
        bias: `(out,)`, or None.

    Example:
        >>> affine(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]), torch.tensor([0.5]))
        tensor([[11.5000]])
    """
    if not _is_apt(x, weight):
        return linear(x, weight, bias)
    flat: Any = _Affine.apply(x.reshape(-1, x.shape[-1]), weight, bias)
    return flat.view(*x.shape[:-1], -1)


class _Affine(torch.autograd.Function):
    """x W^T + b; each of its gradients is such a product again, so derivatives of any order exist."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _ONEDNN(x, weight, bias, "none", [], "")

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (slope,), (x, weight) = slopes, ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        return (
            affine(slope, weight.t(), None) if needs_x else None,
            _weight_slope(slope, x) if needs_weight else None,
            slope.sum(0) if needs_bias else None,
        )


def _weight_slope(slope: Tensor, x: Tensor) -> Tensor:
    """Return the gradient of the weight `(out, in)`; the product with fewer rows is the faster one."""
    if slope.shape[1] > x.shape[1]:
        return affine(x.t(), slope.t(), None).t()
    return affine(slope.t(), x.t(), None)


def _is_apt(x: Tensor, weight: Tensor) -> bool:
    """Return whether oneDNN is there and takes the product."""
    return _ONEDNN is not None and takes(x, weight)
