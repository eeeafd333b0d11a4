"""The steps of many small GRUs at once, forward and backward, one chunk of features at a time.

Per step and feature, with `h` of `(B, H)` and `x` of `(B, J)` whose last column is 1 (the bias)::

    [r z m] = [h x] W^T             (B, 3H)   W holds hidden, input and bias weights side by side
    r, z    = sigmoid(r), sigmoid(z)
    n       = tanh(x V^T + r m)               V is the input part of the candidate
    h'      = n + z (h - n)

What makes it fast on a processor: every product is one batched product over the features of a chunk, whose
gates stay in the cache; elementwise work happens in place; tanh(u) is taken as 2 sigmoid(2u) - 1, whose kernel
is several times faster; the memory of saved gates is recycled, since touching fresh pages costs as much as all
products of the forward pass. Worker threads take whole chunks and never wait for one another.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from probatum.studies.concare.recycled import empty

CHUNK_GATES = (
    64 * 1024
)  # gate values of a chunk per gate and step: a chunk's step fits the second-level cache


class Saved(NamedTuple):
    """What the backward pass reads."""

    states: Tensor  # (T + 1, F, B, H + J): the state before step t, beside the input of step t
    gates: Tensor  # (T, F, B, 3H): r, z and m
    candidates: Tensor  # (T, F, B, H): n


def run_forward(x: Tensor, weight: Tensor, candidate: Tensor, *, keep: bool) -> Saved:
    """Return every state, and every gate where `keep` asks for them.

    Args:
        x: `(T, F, B, J)`, the last of J columns is 1.
        weight: W, `(F, 3H, H + J)`.
        candidate: V, `(F, H, J)`.
        keep: False keeps the gates of one step only; there is no backward pass then.
    """
    steps, features, batch, inputs = x.shape
    hidden = candidate.shape[1]
    kept = steps if keep else 1
    states = empty((steps + 1, features, batch, hidden + inputs), x)
    gates = empty((kept, features, batch, 3 * hidden), x)
    candidates = empty((kept, features, batch, hidden), x)
    doubled = 2 * candidate

    def chunk(first: int, last: int) -> None:
        own = states[:, first:last]
        own[0, ..., :hidden] = 0
        own[:steps, ..., hidden:] = x[:, first:last]
        own[steps, ..., hidden:] = 0
        w, v = weight[first:last].transpose(1, 2), doubled[first:last].transpose(1, 2)
        forward_steps(Saved(own, gates[:, first:last], candidates[:, first:last]), w, v)

    each_chunk(chunk, features, batch * hidden, x.device)
    return Saved(states, gates, candidates)


def forward_steps(saved: Saved, weight: Tensor, doubled: Tensor) -> None:
    """Fill the states, gates and candidates of one chunk; `doubled` is 2 V."""
    hidden = doubled.shape[-1]
    minus_one = saved.states.new_full((), -1.0)
    both, states, inputs = (
        part.unbind() for part in (saved.states, saved.states[..., :hidden], saved.states[..., hidden:])
    )
    slots = list(
        zip(saved.gates.unbind(), *views(saved.gates, hidden), saved.candidates.unbind(), strict=True)
    )
    for step, state in enumerate(states[:-1]):
        gate, r, z, m, rz, n = slots[step if len(slots) > 1 else 0]
        torch.bmm(both[step], weight, out=gate)
        torch.bmm(inputs[step], doubled, out=n)
        rz.sigmoid_()
        n.addcmul_(r, m, value=2).sigmoid_()
        torch.add(minus_one, n, alpha=2, out=n)
        torch.lerp(n, state, z, out=states[step + 1])


def run_backward(
    grad: Tensor, saved: Saved, weight: Tensor, candidate: Tensor, *, with_inputs: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the gradients of W, of V, and of x where asked for; `grad` is that of all states, `(T, F, B, H)`."""
    steps, features, batch, hidden = grad.shape
    grad_weight, grad_candidate = torch.zeros_like(weight), torch.zeros_like(candidate)
    grad_inputs = None
    if with_inputs:
        grad_inputs = empty((steps, features, batch, candidate.shape[2]), grad)

    def chunk(first: int, last: int) -> None:
        part = slice(first, last)
        backward_steps(
            grad[:, part],
            Saved(*(tensor[:, part] for tensor in saved)),
            (weight[part], candidate[part]),
            (grad_weight[part], grad_candidate[part]),
            None if grad_inputs is None else grad_inputs[:, part],
        )

    each_chunk(chunk, features, batch * hidden, grad.device)
    return grad_weight, grad_candidate, grad_inputs


def backward_steps(
    grad: Tensor,
    saved: Saved,
    weights: tuple[Tensor, Tensor],
    grads: tuple[Tensor, Tensor],
    grad_inputs: Tensor | None,
) -> None:
    """Walk one chunk from its last step to its first and add up the gradients of its weights."""
    hidden = grad.shape[-1]
    weight, candidate = weights
    recurrent, from_input = weight[..., :hidden], weight[..., hidden:]
    due = torch.zeros_like(saved.candidates[0])  # gradient of the state after step t
    carried, d_n, d_gates = torch.empty_like(due), torch.empty_like(due), torch.empty_like(saved.gates[0])
    d_rz, d_m = d_gates[..., : 2 * hidden], d_gates[..., 2 * hidden :]
    ahead = torch.empty_like(d_rz, memory_format=torch.contiguous_format)  # of r and z after the sigmoid
    ahead_r, ahead_z = ahead[..., :hidden], ahead[..., hidden:]
    inputs_t, both_t = saved.states[..., hidden:].mT.unbind(), saved.states.mT.unbind()
    states = saved.states[..., :hidden].unbind()
    slots = list(zip(*views(saved.gates, hidden), saved.candidates.unbind(), strict=True))
    arriving = grad.unbind()
    for step in reversed(range(len(arriving))):
        r, z, m, rz, n = slots[step]
        due.add_(arriving[step])
        torch.sub(states[step], n, out=ahead_z)
        ahead_z.mul_(due)
        torch.mul(due, z, out=carried)
        due.sub_(carried)
        torch.ops.aten.tanh_backward.grad_input(due, n, grad_input=d_n)
        torch.mul(d_n, r, out=d_m)
        torch.mul(d_n, m, out=ahead_r)
        torch.ops.aten.sigmoid_backward.grad_input(ahead, rz, grad_input=d_rz)
        grads[0].baddbmm_(d_gates.mT, both_t[step].mT)
        grads[1].baddbmm_(d_n.mT, inputs_t[step].mT)
        if grad_inputs is not None:
            torch.bmm(d_gates[..., : 2 * hidden], from_input[:, : 2 * hidden], out=grad_inputs[step])
            grad_inputs[step].baddbmm_(d_n, candidate)
        due, carried = carried, due
        if step:  # nobody asks for the gradient of the state before the first step
            due.baddbmm_(d_gates, recurrent)


def views(gates: Tensor, hidden: int) -> tuple[tuple[Tensor, ...], ...]:
    """Return r, z, m and (r, z) of every step, as views."""
    r, z, m = gates.split(hidden, dim=-1)
    return r.unbind(), z.unbind(), m.unbind(), gates[..., : 2 * hidden].unbind()


def each_chunk(
    work: Callable[[int, int], None], features: int, per_feature: int, device: torch.device
) -> None:
    """Call `work(first, last)` for chunks of the features; on worker threads where torch may use several.

    Chunks depend on the sizes alone, so that the number of threads never changes a result.
    """
    size = features if device.type != "cpu" else max(1, min(-(-features // 2), CHUNK_GATES // per_feature))
    bounds = list(pairwise([*range(0, features, size), features]))
    threads = min(torch.get_num_threads(), len(bounds)) if device.type == "cpu" else 1
    if threads == 1:
        for first, last in bounds:
            work(first, last)
        return
    is_inference = torch.is_inference_mode_enabled()

    def detached(bound: tuple[int, int]) -> None:  # gradient and inference modes belong to a thread
        with torch.inference_mode(is_inference), torch.no_grad():
            work(*bound)

    list(workers(threads).map(detached, bounds))


@cache
def workers(count: int) -> ThreadPoolExecutor:
    """Return threads that run torch on one core each."""
    own = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, "probatum-gru", initializer=torch.set_num_threads, initargs=(1,))
    list(pool.map(lambda _: None, range(4 * count)))
    torch.set_num_threads(own)  # threads that torch starts later copy the latest setting
    return pool
