"""Attention of the first training pass of a probed step: where weights come from, and what is recorded of them.

Weights are taken before dropout, from the first of these that a layer offers:

1. `nn.MultiheadAttention`: computed again from its inputs, whatever `need_weights` was.
2. A module that sets `attention_weights` in its forward; it may set `attention_layout` ("bk", "bhk", "bqk" or
   "bhqk"; by default by the number of axes), `attention_axis` ("position", "time", "feature", ...: what the keys
   are) and `attention_mask` (True = may be attended).
3. A call of `scaled_dot_product_attention` inside the forward: computed again from its arguments.
4. A softmax over the last of four axes inside a module whose class is called ...Attention... or ...Attn...
5. `attentions` of a Hugging Face output, where nothing else was found.

Rows of 2 and 5 that do not sum to one were taken after dropout; they are refused with the reason.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .attention_calls import AttentionCalls
from .attention_statistics import (
    LAG_ORIGIN,
    ORDERED_AXES,
    TOLERANCE,
    attention_statistics,
    future_mass,
    lag_curve,
)
from .attention_weights import ELEMENTS, Weights, batch_stride, multihead_weights
from .collector import Gate, Readings, Select, listen
from .layers import ROOT, named_modules

LAYOUTS = {
    "bk": (1, 1),
    "bhk": (2,),
    "bqk": (1,),
    "bhqk": (),
}  # axes to insert for (batch, heads, queries, keys)
NOTHING_SEEN = (
    "no attention was seen in a training pass: no nn.MultiheadAttention, no scaled_dot_product_attention, no "
    "module with `attention_weights`, no output with `attentions`; set `self.attention_weights` in a forward"
)
AFTER_DROPOUT = (
    "rows do not sum to one, as after dropout: expose the weights before dropout, set attention dropout to 0, or "
    'use scaled_dot_product_attention (Hugging Face: attn_implementation="sdpa"), which is read before dropout'
)
IN_EVAL_MODE = (
    "in eval mode inside a training model: a hook would turn its fast kernel off and change the numbers"
)


def as_weights(
    exposed: Tensor, layout: str | None = None, axis: str | None = None, mask: Any = None
) -> Weights:
    """Return exposed weights as (batch, heads, queries, keys), at most `ELEMENTS` of them, strided over the batch.

    Args:
        exposed: Row-normalised weights, before dropout.
        layout: Which axes they have; by default "bk", "bqk" or "bhqk" by their number.
        axis: What the keys are; "position" by default.
        mask: True where a key may be attended: (batch, keys), or the layout of the weights.

    Raises:
        ValueError: The layout is unknown or has another number of axes.

    Example:
        >>> as_weights(torch.full((8, 5, 10), 0.1), layout="bhk", axis="time").values.shape
        torch.Size([8, 5, 1, 10])
    """
    layout = layout or {2: "bk", 3: "bqk", 4: "bhqk"}.get(exposed.dim(), "")
    if layout not in LAYOUTS or len(layout) != exposed.dim():
        raise ValueError(
            f"expected weights laid out as one of {', '.join(LAYOUTS)}; got shape {tuple(exposed.shape)} and "
            f"layout {layout!r}. Set `attention_layout` on the module."
        )
    if isinstance(mask, Tensor):
        mask = mask.bool()
        mask = mask[:, None, None, :] if mask.dim() == 2 else _with_all_axes(mask, layout)
    values = _with_all_axes(exposed.detach(), layout)
    stride = batch_stride(len(values), values[0].numel())
    return Weights(values[::stride].float(), None if mask is None else mask[::stride], axis or "position")


def _with_all_axes(values: Tensor, layout: str) -> Tensor:
    for place in LAYOUTS[layout]:
        values = values.unsqueeze(place)
    return values


def describe(weights: Weights) -> dict[str, Tensor]:
    """Return the statistics of a layer's weights: those of `attention_statistics`; for ordered keys the lag curve.

    All are NaN where a row's sum is off by more than `TOLERANCE`.

    Example:
        >>> sorted(describe(Weights(torch.full((2, 1, 1, 4), 0.25), axis="feature")))
        ['entropy', 'entropy_normalised', 'mean', 'row_error']
    """
    statistics = attention_statistics(weights.values, weights.allowed)
    if weights.axis in ORDERED_AXES:
        statistics["lag_curve"] = lag_curve(weights.values, weights.allowed)
        if weights.values.shape[-2] > 1:
            statistics["future_mass"] = future_mass(weights.values, weights.allowed)
    trusted = statistics["row_error"] <= TOLERANCE
    return {
        name: value if name == "row_error" else value.where(trusted, torch.nan)
        for name, value in statistics.items()
    }


class AttentionCollector:
    """Reads the attention of each probed step's first training pass.

    Example:
        >>> layer, gate, collector = nn.MultiheadAttention(4, 2), Gate(), AttentionCollector()
        >>> handles = collector.attach(layer, lambda name, module: True, gate)
        >>> gate.begin_step()
        >>> _ = layer(*[torch.zeros(5, 3, 4)] * 3, need_weights=False)
        >>> round(float(collector.read()["(model)"]["entropy_normalised"]), 4)
        1.0
    """

    signal = "attention"

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.taken: Mapping[str, str] = {
            "mode": "train",
            "pass": "first of the step",
            "dropout": "before",
            "rows": f"queries that may see a key, of at most {ELEMENTS} weights, strided over the batch",
            "lag": LAG_ORIGIN,
        }
        self._reasons: dict[str, str] = {}
        self._row_errors: dict[str, list[Tensor]] = {}
        self._found: Readings = {}
        self._has_seen_any = False
        self._has_read = False

    @property
    def missing(self) -> dict[str, str]:
        """Return why attention, or that of one layer, was not captured; reads the device: not within a step."""
        for layer, errors in self._row_errors.items():
            if bool((torch.stack(errors) > TOLERANCE).any()):
                self._reasons[f"attention: {layer}"] = AFTER_DROPOUT
        self._row_errors = {}
        if self._has_read and not self._has_seen_any:
            return {**self._reasons, "attention": NOTHING_SEEN}
        return self._reasons

    def attach(self, model: nn.Module, select: Select, gate: Gate) -> list[RemovableHandle]:
        """Return the handles of one probed step's hooks."""
        self._reasons |= {f"attention: {name}": IN_EVAL_MODE for name in _resting(model)}
        names = {module: name for module, name in _covered(model, select) if module.training}
        handles = [listen(module, gate, self._reader(name)) for module, name in names.items()]
        if model in names:
            calls = AttentionCalls(names, gate, self._add_call)
            handles += calls.attach(model)
            handles.append(listen(model, gate, self._read_outputs))
        return handles

    def read(self) -> Readings:
        """Return the step's statistics by layer, on the device, and forget them."""
        found, self._found = self._found, {}
        self._has_seen_any, self._has_read = self._has_seen_any or bool(found), True
        return found

    def _reader(self, name: str) -> Any:
        """Return the callback that reads one module after its forward."""

        def read(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            if isinstance(module, nn.MultiheadAttention):
                inputs = inspect.signature(module.forward).bind(*args, **kwargs).arguments
                if not inputs["query"].is_nested:
                    weights = multihead_weights(module, inputs)
                    axis = getattr(module, "attention_axis", None) or weights.axis
                    self._found[name] = self._described(name, weights._replace(axis=axis))
            elif isinstance(exposed := getattr(module, "attention_weights", None), Tensor):
                parts = ("layout", "axis", "mask")
                self._add_exposed(
                    name, exposed, *(getattr(module, f"attention_{part}", None) for part in parts)
                )

        return read

    def _add_exposed(self, name: str, exposed: Tensor, *options: Any) -> None:
        """Record weights that a module or an output shows; of an unknown layout they are missing."""
        try:
            weights = as_weights(exposed, *options)
        except ValueError as error:
            self._reasons[f"attention: {name}"] = str(error)
            return
        self._found[name] = self._described(name, weights)
        self._row_errors.setdefault(name, []).append(self._found[name]["row_error"])

    def _add_call(self, name: str, weights: Weights) -> None:
        """Record the weights of a call inside a module; a second call of the same module counts as `name#2`."""
        key, count = name, 1
        while key in self._found:
            count += 1
            key = f"{name}#{count}"
        self._found[key] = self._described(key, weights)

    def _described(self, name: str, weights: Weights) -> dict[str, Tensor]:
        if weights.axis not in ORDERED_AXES:
            self._reasons[f"attention: {name}: lag_curve"] = (
                f"its keys are along {weights.axis!r}, which has no distance back from the query"
            )
        return describe(weights)

    def _read_outputs(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """Record `attentions` of a Hugging Face output, where no layer gave its weights before dropout."""
        if self._found:
            return
        for kind in ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions"):
            layers = output.get(kind) if isinstance(output, dict) else getattr(output, kind, None)
            axis = "other sequence" if kind == "cross_attentions" else None
            for index, exposed in enumerate(layers if isinstance(layers, (tuple, list)) else ()):
                if isinstance(exposed, Tensor):
                    self._add_exposed(f"{kind}.{index}", exposed, None, axis)


def _resting(model: nn.Module) -> list[str]:
    """Return the attention layers in eval mode inside a model that trains."""
    return [
        name
        for name, module in named_modules(model)
        if isinstance(module, nn.MultiheadAttention) and model.training and not module.training
    ]


def _covered(model: nn.Module, select: Select) -> Iterator[tuple[nn.Module, str]]:
    """Yield the modules that hold a chosen layer, or no parameters at all below one that does, with their names."""
    names = dict(named_modules(model))
    chosen = [name for name, module in names.items() if select(name, module)]
    holders = {ROOT} if chosen else set[str]()
    for name in chosen:
        parts = name.split(".")
        holders.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
    for name, module in names.items():
        is_bare = next(module.parameters(), None) is None
        if is_bare and (name.rpartition(".")[0] or ROOT) in holders:
            holders.add(name)
        if name in holders:
            yield module, name
