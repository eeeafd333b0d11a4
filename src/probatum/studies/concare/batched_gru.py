"""Independent GRUs, one per feature, as one batched computation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

from probatum.studies.concare.recurrence import Saved, run_backward, run_forward

_PLAIN: ContextVar[bool] = ContextVar("plain_gru", default=False)


@contextmanager
def twice_differentiable() -> Iterator[None]:
    """Compute batched GRUs by plain operations inside: slower, but a second derivative exists.

    Example:
        >>> gru, x = BatchedGRU(2, 1, 3), torch.randn(4, 5, 2, 1)
        >>> with twice_differentiable():
        ...     slope = torch.autograd.grad(gru(x).sum(), gru.weight_hh, create_graph=True)[0]
        >>> torch.autograd.grad(slope.square().sum(), gru.weight_hh)[0].shape
        torch.Size([2, 9, 3])
    """
    token = _PLAIN.set(True)
    try:
        yield
    finally:
        _PLAIN.reset(token)


class BatchedGRU(nn.Module):
    """F GRUs with their own weights, each reading its own feature, equal to F `nn.GRU` in a loop.

    Equations, gate order (r, z, n) and the draw of the weights are those of `nn.GRU`: all weights uniform in
    ±1/sqrt(H). States start at 0. The arithmetic is float32 under autocast, float64 where the weights are.
    There is a first derivative only; see `twice_differentiable`. Under torch.compile the plain form is compiled.

    Source: Cho et al. 2014; one GRU per feature: Ma et al. 2020 (ConCare, AAAI).

    Example:
        >>> BatchedGRU(features=3, input_size=2, hidden_size=4)(torch.zeros(5, 7, 3, 2)).shape
        torch.Size([5, 7, 3, 4])
    """

    def __init__(self, features: int, input_size: int, hidden_size: int) -> None:
        """Draw the weights of `features` GRUs from `input_size` to `hidden_size`."""
        super().__init__()
        self.features, self.input_size, self.hidden_size = features, input_size, hidden_size
        self.weight_ih = nn.Parameter(torch.empty(features, 3 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(features, 3 * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(features, 3 * hidden_size))
        self.bias_hh = nn.Parameter(torch.empty(features, 3 * hidden_size))
        for weight in self.parameters():
            nn.init.uniform_(weight, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))

    @classmethod
    def from_loop(cls, grus: Sequence[nn.GRU]) -> BatchedGRU:
        """Return the batched form of single-layer GRUs with the same sizes, with copies of their weights."""
        batched = cls(len(grus), grus[0].input_size, grus[0].hidden_size)
        batched.to(next(grus[0].parameters()))
        with torch.no_grad():
            for name, weight in batched.named_parameters():
                weight.copy_(torch.stack([getattr(gru, f"{name}_l0") for gru in grus]))
        return batched

    def forward(self, x: Tensor) -> Tensor:
        """Return the state after every step, `(B, T, F, H)`, a view of a step-major tensor.

        Args:
            x: `(B, T, F, I)`; `(B, T, F)` where I is 1.
        """
        if x.dim() == 3:
            x = x[..., None]
        if x.dim() != 4 or tuple(x.shape[2:]) != (self.features, self.input_size):
            raise ValueError(
                f"Expected `x` of shape (batch, steps, {self.features}, {self.input_size}), "
                f"got {tuple(x.shape)}."
            )
        with torch.autocast(x.device.type, enabled=False):
            steps = torch.cat([x, torch.ones_like(x[..., :1])], dim=-1).permute(1, 2, 0, 3)  # (T, F, B, J)
            steps = steps.to(self.weight_hh.dtype)
            weight, candidate = self.side_by_side()
            if torch.compiler.is_compiling() or _PLAIN.get():
                return plain_states(steps, weight, candidate).permute(2, 0, 1, 3)
            if torch.is_grad_enabled() and (steps.requires_grad or weight.requires_grad):
                states: Any = _States.apply(steps, weight, candidate)
            else:
                states = state_view(run_forward(steps, weight, candidate, keep=False), self.hidden_size)
            return states.permute(2, 0, 1, 3)

    def side_by_side(self) -> tuple[Tensor, Tensor]:
        """Return W `(F, 3H, H + I + 1)` and V `(F, H, I + 1)` of `recurrence`; V is left out of W."""
        hidden = self.hidden_size
        inputs = torch.cat([self.weight_ih, self.bias_ih[..., None]], dim=-1)  # (F, 3H, J)
        gates, candidate = inputs.split([2 * hidden, hidden], dim=1)
        bias_m = torch.cat([torch.zeros_like(self.weight_ih), self.bias_hh[..., None]], dim=-1)
        inputs = bias_m + nn.functional.pad(gates, (0, 0, 0, hidden))
        return torch.cat([self.weight_hh, inputs], dim=-1), candidate

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"features={self.features}, input_size={self.input_size}, hidden_size={self.hidden_size}"


def state_view(saved: Saved, hidden: int) -> Tensor:
    """Return the states after each step, `(T, F, B, H)`."""
    return saved.states[1:, ..., :hidden]


class _States(torch.autograd.Function):
    """The states `(T, F, B, H)` of `x`, W and V, with the backward pass of `recurrence`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, candidate: Tensor) -> Tensor:
        """Return the states and keep the gates."""
        saved = run_forward(x, weight.detach(), candidate.detach(), keep=True)
        ctx.save_for_backward(weight, candidate, *saved)
        return state_view(saved, candidate.shape[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        """Return the gradients of the inputs and both weights."""
        if torch.is_grad_enabled():
            raise RuntimeError(
                "BatchedGRU has a first derivative only, and a second one was asked for (create_graph=True). "
                "Run the forward pass inside `with twice_differentiable():`."
            )
        weight, candidate, *saved = ctx.saved_tensors
        grad_weight, grad_candidate, grad_x = run_backward(
            grad, Saved(*saved), weight.detach(), candidate.detach(), with_inputs=ctx.needs_input_grad[0]
        )
        return grad_x, grad_weight, grad_candidate


def plain_states(x: Tensor, weight: Tensor, candidate: Tensor) -> Tensor:
    """Return the states `(T, F, B, H)` by operations that autograd differentiates as often as asked."""
    hidden = candidate.shape[1]
    state = x.new_zeros(*x.shape[1:3], hidden)
    states = []
    for step in x.unbind():
        r, z, m = torch.bmm(torch.cat([state, step], dim=-1), weight.mT).split(hidden, dim=-1)
        n = torch.tanh(torch.bmm(step, candidate.mT) + torch.sigmoid(r) * m)
        state = torch.lerp(n, state, torch.sigmoid(z))
        states.append(state)
    return torch.stack(states)
