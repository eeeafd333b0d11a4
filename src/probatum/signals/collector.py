"""What a collector of forward signals is to the probe, and the one way it hooks a module.

The probe attaches the collectors for one step, opens a `Gate` for that step's first forward pass in train mode,
and removes every hook after it. A collector hooks with `listen` alone, so that auxiliary passes (a teacher, a
corrupted copy of the batch, a validation batch), compiled code and copies of the model are never recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

Select = Callable[[str, nn.Module], bool]  # (name in named_modules(), module) -> was it chosen
Readings = dict[str, dict[str, Tensor]]  # {layer: {statistic: 0-d or 1-d tensor on the model's device}}
Callback = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], None]  # module, args, kwargs, output


class Gate:
    """Decides whether a forward call belongs to the step's first pass in train mode with gradients.

    Example:
        >>> gate, layer = Gate(), nn.Linear(1, 1)
        >>> gate.begin_step()
        >>> gate.admits(layer), gate.admits(layer.eval())
        (True, False)
    """

    def __init__(self) -> None:
        """Begin closed: no step is probed."""
        self.passes = 0  # of the whole model, in train mode with gradients, since the step began
        self.seconds = 0.0  # what the hooks cost
        self.is_paused = False
        self.has_recorded = False  # whether any hook was called since the step began
        self._armed = False
        self._closed = False

    def begin_step(self) -> None:
        """Open for the coming step."""
        self.passes, self.has_recorded, self._armed, self._closed = 0, False, True, False

    @property
    def is_armed(self) -> bool:
        """Return whether the step is a probed one."""
        return self._armed

    def end_step(self) -> None:
        """Close until the next probed step."""
        self._armed = False

    def begin_pass(self, model: nn.Module) -> None:
        """Note that a pass of the whole model begins; a second one, or one not for training, is shut out."""
        counts = model.training and torch.is_grad_enabled() and not self.is_paused
        self.passes += counts
        self._closed = not counts or self.passes > 1

    def end_pass(self) -> None:
        """Note that a pass of the whole model has ended; before the first one that counts, all stays open."""
        self._closed = self.passes > 0

    def admits(self, module: nn.Module) -> bool:
        """Return whether a call of `module` happening now is to be recorded."""
        return (
            self._armed
            and not self._closed
            and not self.is_paused
            and module.training
            and torch.is_grad_enabled()
            and not torch.compiler.is_compiling()
        )


def listen(module: nn.Module, gate: Gate, callback: Callback) -> RemovableHandle:
    """Return the handle of a forward hook that calls `callback(module, args, kwargs, output)` at most once.

    It is called for the module's first call that the gate admits, without gradients and outside autocast; what
    it returns is ignored, so it cannot change the output. A copy of the model made while the hook is attached
    carries a hook that does nothing.
    """
    return module.register_forward_hook(_Listener(gate, callback), with_kwargs=True)


class _Listener:
    """The hook behind `listen`."""

    def __init__(self, gate: Gate, callback: Callback) -> None:
        self.gate, self.callback, self.is_spent = gate, callback, False

    def __call__(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if self.is_spent or not self.gate.admits(module):
            return
        begin = time.perf_counter()
        self.is_spent = self.gate.has_recorded = True
        with torch.no_grad(), torch.autocast(_device_type(output), enabled=False):
            self.callback(module, args, kwargs, output)
        self.gate.seconds += time.perf_counter() - begin

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        """Become inert when copied or pickled: a copy of the model is not probed."""
        return _Inert, ()


class _Inert:
    """A hook that does nothing, in copies of a model that was being probed."""

    def __call__(self, *_: Any, **__: Any) -> None:
        return None


def _device_type(output: Any) -> str:
    for value in output if isinstance(output, (tuple, list)) else (output,):
        if isinstance(value, Tensor):
            return value.device.type
    return "cpu"


@runtime_checkable
class ForwardCollector(Protocol):
    """Reads statistics of the step's first forward pass: activations, attention."""

    signal: str  # the field of `EpochSignals` that it fills: "activations", "attention"
    taken: Mapping[str, str]  # where and how: {"axis": ..., "mode": "train", "pass": "first", ...}

    @property
    def missing(self) -> Mapping[str, str]:
        """Return {signal, or "signal: layer" for one layer: why it was not captured}."""
        ...

    def attach(self, model: nn.Module, select: Select, gate: Gate) -> list[RemovableHandle]:
        """Return the handles of hooks made with `listen` for one probed step; the probe removes them.

        `model` is unwrapped (no `module.`, no `_orig_mod.`); modules inside compiled code are not selected.
        """
        ...

    def read(self) -> Readings:
        """Return the statistics of the step, without a host read, and forget them."""
        ...


@runtime_checkable
class OutputCollector(Protocol):
    """Reads statistics of what the step's objective saw: the outputs given to `Probe.observe`."""

    signal: str  # "heads"
    taken: Mapping[str, str]

    @property
    def missing(self) -> Mapping[str, str]:
        """Return {signal, or "signal: layer" for one layer: why it was not captured}."""
        ...

    def read(self, outputs: Any) -> Readings:
        """Return {head: {statistic: 0-d tensor}} of a probed step's outputs, without a host read."""
        ...


@runtime_checkable
class EpochCollector(Protocol):
    """Gathers over an epoch and reports once: per class."""

    signal: str  # "per_class"
    taken: Mapping[str, str]

    @property
    def missing(self) -> Mapping[str, str]:
        """Return {signal, or "signal: layer" for one layer: why it was not captured}."""
        ...

    def observe(self, outputs: Any, targets: Any) -> None:
        """Add one probed training batch, on its device, without a host read; either may be None."""
        ...

    def end_epoch(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Return the plain record and forget the epoch.

        Where `predictions` and `targets` (a whole validation set) are given, they are described; else the
        training batches that were observed, and the record says which (`"of"`).
        """
        ...
