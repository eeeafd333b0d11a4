"""Calls of attention inside a forward, seen by a `TorchFunctionMode` around the model's first training pass.

The mode runs every call as it was made and only looks at two of them, scaled-dot-product attention and softmax,
after they have run. It is not entered where its presence could change numbers: beside attention layers in eval
mode, whose fast kernels step aside for any mode, and where a part of the model is compiled.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from .attention_weights import Weights, apart_from_training, batch_stride, scaled_dot_product_weights
from .collector import Gate

FAST_KERNELS = (nn.MultiheadAttention, nn.TransformerEncoderLayer)
SOFTMAXES = (torch.softmax, Tensor.softmax, nn.functional.softmax)
FRAMES = 32  # how far up the calling functions a module is looked for

Report = Callable[[str, Weights], None]


class AttentionCalls:
    """Reports the weights of attention calls, with the name of the innermost module that made them."""

    def __init__(self, names: Mapping[nn.Module, str], gate: Gate, report: Report) -> None:
        """Prepare to look for calls made by the modules of `names`."""
        self._names = names
        self._inside: dict[int, nn.Module] = {}  # every module of the model, watched or not
        self._gate = gate
        self._report = report
        self._mode: _Mode | None = None

    def attach(self, model: nn.Module) -> list[RemovableHandle]:
        """Return the handles of the two hooks that enter and leave the mode around one forward of `model`."""
        self._inside = {id(module): module for module in model.modules()}
        return [
            model.register_forward_pre_hook(_Inert.around(self._enter)),
            model.register_forward_hook(_Inert.around(self._leave), always_call=True),
        ]

    def _enter(self, model: nn.Module, *_: Any) -> None:
        if self._mode is None and self._gate.admits(model) and is_safe(model):
            self._mode = _Mode(self)
            self._mode.__enter__()

    def _leave(self, *_: Any) -> None:
        if self._mode is not None:
            self._mode.__exit__(None, None, None)
            self._mode = None

    def look(self, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Report the weights of one call, if it is attention, made by a module that is being watched."""
        begin = time.perf_counter()
        owner = self._owner()
        if owner is not None and not isinstance(owner[1], nn.MultiheadAttention):
            with apart_from_training(result.device):
                weights = _weights_of(call, args, kwargs, result, owner[1])
                if weights is not None:
                    axis = getattr(owner[1], "attention_axis", None) or weights.axis
                    self._report(owner[0], weights._replace(axis=axis))
        self._gate.seconds += time.perf_counter() - begin

    def _owner(self) -> tuple[str, nn.Module] | None:
        """Return name and module of the innermost calling function of the model's, if that module is watched."""
        frame = sys._getframe(3)
        for _ in range(FRAMES):
            local = frame.f_locals
            for variable in ("module", "self"):
                module = self._inside.get(id(local.get(variable)))
                if module is not None:
                    is_watched = module in self._names and not _exposes(module)
                    return (self._names[module], module) if is_watched else None
            if frame.f_back is None:
                return None
            frame = frame.f_back
        return None


class _Mode(TorchFunctionMode):
    """Runs every call unchanged and shows attention calls to `AttentionCalls.look`."""

    def __init__(self, calls: AttentionCalls) -> None:
        super().__init__()
        self._calls = calls

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is nn.functional.scaled_dot_product_attention or func in SOFTMAXES:
            self._calls.look(func, args, kwargs or {}, result)
        return result


class _Inert:
    """A hook that does nothing once it is copied or pickled with its model."""

    def __init__(self, hook: Callable[..., None] | None = None) -> None:
        self._hook = hook

    @classmethod
    def around(cls, hook: Callable[..., None]) -> _Inert:
        """Return `hook`, inert in copies."""
        return cls(hook)

    def __call__(self, *arguments: Any) -> None:
        if self._hook is not None:
            self._hook(*arguments)

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        """Forget the hook."""
        return _Inert, ()


def is_safe(model: nn.Module) -> bool:
    """Return whether a function mode around `model` changes nothing that it computes.

    Example:
        >>> layer = nn.TransformerEncoderLayer(4, 2, dropout=0.0)
        >>> is_safe(layer), is_safe(nn.Sequential(layer.eval(), nn.Linear(4, 1)))
        (True, False)
    """
    return not any(
        (isinstance(module, FAST_KERNELS) and not module.training) or _is_compiled(module)
        for module in model.modules()
    )


def _is_compiled(module: nn.Module) -> bool:
    return getattr(module, "_compiled_call_impl", None) is not None or hasattr(module, "_orig_mod")


def _exposes(module: nn.Module) -> bool:
    """Return whether a module says itself what its weights are."""
    return isinstance(getattr(module, "attention_weights", None), Tensor)


def _weights_of(
    call: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, owner: nn.Module
) -> Weights | None:
    """Return the weights of a call, or None where it is no attention."""
    if torch._C._functorch.is_functorch_wrapped_tensor(result):  # pyright: ignore[reportAttributeAccessIssue]
        return None  # inside vmap or grad, where a tensor must not leave its level
    if call is nn.functional.scaled_dot_product_attention:
        return None if result.is_nested else _of_scaled_dot_product(*args, **kwargs)
    dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
    kind = type(owner).__name__.lower()
    if result.dim() != 4 or dim not in (-1, 3) or not ("attention" in kind or "attn" in kind):
        return None
    return Weights(result[:: batch_stride(len(result), result[0].numel())].float())


def _of_scaled_dot_product(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Weights:
    """Return the weights of a call of `scaled_dot_product_attention`, of some of its sequences."""
    query, key = _four_axes(query), _four_axes(key)
    stride = batch_stride(len(query), query.shape[1] * query.shape[2] * key.shape[2])
    if attn_mask is not None and attn_mask.dim() > 2:
        attn_mask = _four_axes(attn_mask)
        attn_mask = attn_mask[::stride] if len(attn_mask) > 1 else attn_mask
    weights = scaled_dot_product_weights(query[::stride], key[::stride], attn_mask, is_causal, scale)
    is_aligned = query.shape[2] in (1, key.shape[2])
    return weights if is_aligned else weights._replace(axis="other sequence")


def _four_axes(states: Tensor) -> Tensor:
    """Return (..., heads, position, width) as (batch, heads, position, width); three axes have one head."""
    if states.dim() == 2:
        return states[None, None]
    return states.unsqueeze(1) if states.dim() == 3 else states.flatten(0, -4)
