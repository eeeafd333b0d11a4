"""Hooks for one probed step: one on the model, and those of the collectors while its first pass runs.

Between steps, in evaluation passes and in further passes of the same step the layers carry no hook, so that a
model can be pickled and copied, auxiliary passes are not recorded, and no fast kernel that steps aside for hooks
is turned off. Modules that appeared since the last step are there, because the hooks are made as the pass begins.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from probatum.signals.collector import ForwardCollector, Gate
from probatum.signals.layers import LayerBook, compiled_modules, is_compiled, named_modules, unwrap

COMPILED = "compiled by torch.compile, which runs no hook inside: probe the model before compiling it"


class ForwardWatch:
    """Attaches the collectors to a model for one step at a time."""

    def __init__(
        self, model: nn.Module, book: LayerBook, collectors: Sequence[ForwardCollector], gate: Gate
    ) -> None:
        """Prepare; no hook is attached yet."""
        self.model = unwrap(model)
        self.gate = gate
        self.is_direct = False  # whether layers are called without a call of the model itself
        self.missing: dict[str, str] = {}
        self._given, self._book, self._collectors = model, book, collectors
        self._root: RemovableHandle | None = None
        self._layers: list[RemovableHandle] = []

    def arm(self) -> None:
        """Hook for the coming step."""
        self.disarm()
        self.gate.begin_step()
        if self._is_whole_model_compiled():
            self._note_whole_model()
        self.resume()

    def disarm(self) -> None:
        """Remove every hook until the next `arm`."""
        self.gate.end_step()
        self.suspend()

    def resume(self) -> None:
        """Put the hooks of an armed step back; what was recorded in it is not recorded again."""
        self.gate.is_paused = False
        if not self.gate.is_armed:
            return
        if not is_compiled(self.model):
            outer = self._given if is_compiled(self._given) else self.model
            self._root = outer.register_forward_pre_hook(_RootHook(self), prepend=True, with_kwargs=True)
        if self.is_direct and not self.gate.has_recorded:
            self._attach()

    def suspend(self) -> None:
        """Remove every hook and shut the gate; the step stays armed."""
        self.gate.is_paused = True
        if self._root is not None:
            self._root.remove()
            self._root = None
        self._detach()

    def begin_pass(self, args: Any, kwargs: Any) -> None:
        """Attach the collectors if the pass that begins is the one to record."""
        begin = time.perf_counter()
        self._detach()
        self.gate.begin_pass(self.model)
        if self.gate.passes == 1 and self.gate.admits(self.model) and not self._is_whole_model_compiled():
            already = set(self.model._forward_pre_hooks)
            self._attach()
            self._run_new_pre_hooks(already, args, kwargs)
            self._layers.append(self.model.register_forward_hook(_EndHook(self)))
        self.gate.seconds += time.perf_counter() - begin

    def end_pass(self) -> None:
        """Remove the collectors' hooks: what follows in this step is not recorded."""
        self.gate.end_pass()
        self._detach()

    def _run_new_pre_hooks(self, already: set[int], args: Any, kwargs: Any) -> None:
        """Run what collectors want to run before the model: torch fixed its list before they were attached."""
        with_kwargs = self.model._forward_pre_hooks_with_kwargs
        for key, hook in list(self.model._forward_pre_hooks.items()):
            if key not in already:
                hook(self.model, args, kwargs) if key in with_kwargs else hook(self.model, args)

    def _attach(self) -> None:
        layers = self._book.current(self.model).parameters
        compiled = compiled_modules(self.model)
        self._note_parts(compiled)

        def is_open(module: nn.Module) -> bool:
            return id(module) not in compiled and (module.training or self.is_direct)

        for collector in self._collectors:
            if collector.signal == "attention":  # attention layers often own no parameters
                self._layers += collector.attach(self.model, lambda _, module: is_open(module), self.gate)
            else:
                self._layers += collector.attach(
                    self.model, lambda name, module: name in layers and is_open(module), self.gate
                )

    def _detach(self) -> None:
        for handle in self._layers:
            handle.remove()
        self._layers = []

    def _is_whole_model_compiled(self) -> bool:
        return is_compiled(self._given) or is_compiled(self.model)

    def _note_whole_model(self) -> None:
        for collector in self._collectors:
            self.missing[collector.signal] = f"the model is {COMPILED}"
        if is_compiled(self.model):
            self.missing["forward_passes"] = f"the model is {COMPILED}"

    def _note_parts(self, compiled: set[int]) -> None:
        layers = self._book.layers.parameters
        for name, module in named_modules(self.model) if compiled else ():
            if id(module) in compiled and name in layers:
                for collector in self._collectors:
                    self.missing[f"{collector.signal}: {name}"] = f"the layer is {COMPILED}"


class _RootHook:
    """Begins a pass; in a copy of the model it does nothing."""

    def __init__(self, watch: ForwardWatch | None = None) -> None:
        self._watch = watch

    def __call__(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._watch is not None and not torch.compiler.is_compiling():
            self._watch.begin_pass(args, kwargs)

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        """Forget the watch."""
        return type(self), ()


class _EndHook(_RootHook):
    """Ends the pass that was recorded."""

    def __call__(self, *_: Any) -> None:
        if self._watch is not None:
            self._watch.end_pass()
