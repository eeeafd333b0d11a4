"""Activations of the chosen layers in the first training pass of a probed step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .collector import Gate, Readings, Select, listen
from .layers import ROOT, named_modules
from .statistics import SAMPLE_SIZE, mean_and_std, quantiles, upcast

QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
BOUNDED = {  # activations with limits that they saturate at
    nn.Sigmoid: (0.0, 1.0),
    nn.Tanh: (-1.0, 1.0),
    nn.Hardsigmoid: (0.0, 1.0),
    nn.Hardtanh: (-1.0, 1.0),
    nn.Softsign: (-1.0, 1.0),
}
EDGE = 0.005  # share of a limited range, at either end, that counts as saturated
RECTIFIED = (nn.ReLU, nn.ReLU6, nn.Threshold)
RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)
NOT_CALLED = (
    "its forward was not called in the first training pass; its parent may use its parameters directly"
)


def main_output(output: Any) -> Tensor | None:
    """Return the tensor that a module's output is about; None where there is none of floating point.

    Of a tuple (a recurrent layer: the sequence output and its last state) the first; of a dict or a Hugging Face
    output the last hidden state, the logits, or else the first. A packed sequence gives its data.

    Example:
        >>> main_output(nn.GRU(2, 3)(torch.zeros(4, 1, 2))).shape
        torch.Size([4, 1, 3])
    """
    if isinstance(output, Tensor):
        return output if output.is_floating_point() and not output.is_nested and output.numel() else None
    if isinstance(output, nn.utils.rnn.PackedSequence):
        return main_output(output.data)
    if isinstance(output, Mapping):
        order = [name for name in ("last_hidden_state", "logits") if name in output]
        return _first(output[name] for name in [*order, *output])
    return _first(output) if isinstance(output, (tuple, list)) else None


def _first(outputs: Any) -> Tensor | None:
    return next((found for output in outputs if (found := main_output(output)) is not None), None)


def activation_statistics(activations: Tensor) -> dict[str, Tensor]:
    r"""Return mean, std, min, max, the quantiles q05, q50, q95 and the hidden norm of activations.

    norm = root mean square over the batch of the L2 norm of one example's activations: it does not grow with the
    batch. std is the sample standard deviation over all elements. Quantiles see a bounded sample of at most
    4096 elements, strided: their standard error is about sqrt(p (1 - p) / 4096) / density.

    Args:
        activations: (batch, ...), any floating type; computed in float32 or more.

    Returns:
        Scalars on the device, in the activations' own unit; NaN where an element is NaN.

    Source:
        Seed 000, "Activation statistics".

    Example:
        >>> found = activation_statistics(torch.tensor([[3.0, 4.0], [0.0, 5.0]]))
        >>> float(found["mean"]), float(found["norm"]), float(found["q50"])
        (3.0, 5.0, 3.5)
    """
    values = upcast(activations)
    low, high = torch.aminmax(values)
    batch = values.shape[0] if values.dim() else 1
    sampled = quantiles(values, list(QUANTILES.values()))
    return {
        "std": low.new_full((), torch.nan),  # of one element: not measured
        **mean_and_std(values.reshape(-1)),
        "min": low,
        "max": high,
        "norm": torch.linalg.vector_norm(values) / batch**0.5,
        **{name: sampled[place] for place, name in enumerate(QUANTILES)},
    }


def saturated_share(activations: Tensor, lowest: float, highest: float) -> Tensor:
    """Return the share of elements within half a percent of the range of either limit, in 0..1.

    For a sigmoid this is |input| > 5.3, where the slope is a fiftieth of its greatest; for tanh |input| > 2.6.

    Example:
        >>> float(saturated_share(torch.tensor([0.0, 0.5, 0.999, 1.0]), 0.0, 1.0))
        0.75
    """
    values = upcast(activations)
    edge = EDGE * (highest - lowest)
    return ((values <= lowest + edge) | (values >= highest - edge)).count_nonzero() / values.numel()


def dead_share(activations: Tensor, unit_axis: int) -> Tensor:
    """Return the share of units that are not above zero for any example of the batch, in 0..1.

    A unit is one channel of a convolution's output (axis 1), else one place of the last axis.

    Example:
        >>> float(dead_share(torch.tensor([[0.0, 1.0], [0.0, 0.0]]), unit_axis=-1))
        0.5
    """
    units = activations.detach().movedim(unit_axis, 0).flatten(1)
    return (units <= 0).all(1).count_nonzero() / len(units)


def is_rectified(module: nn.Module) -> bool:
    """Return whether a module's outputs are zero below a threshold, so that its units can be dead."""
    return isinstance(module, RECTIFIED)


class ActivationCollector:
    """Reads the activations of the chosen layers, and of the bounded and rectifying activations between them.

    Example:
        >>> model, gate, collector = nn.Sequential(nn.Linear(2, 3), nn.Tanh()), Gate(), ActivationCollector()
        >>> handles = collector.attach(model, lambda name, module: name == "0", gate)
        >>> gate.begin_step()
        >>> _ = model(torch.zeros(4, 2))
        >>> found = collector.read()
        >>> sorted(found), "saturated_share" in found["1"]
        (['0', '1'], True)
    """

    signal = "activations"

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.missing: dict[str, str] = {}
        self.taken: Mapping[str, str] = {
            "mode": "train",
            "pass": "first of the step",
            "what": "outputs of the layer; of a recurrent layer its sequence output",
            "axis": "all elements; dead units: over batch and positions; norm: per example",
            "quantiles": f"of at most {SAMPLE_SIZE} elements, strided",
        }
        self._found: Readings = {}
        self._awaited: set[str] = set()
        self._seen: set[str] = set()

    def attach(self, model: nn.Module, select: Select, gate: Gate) -> list[RemovableHandle]:
        """Return the handles of one probed step's hooks, one for each layer of which an output is read."""
        modules = observed(model, select)
        self._awaited |= modules.keys()
        return [listen(module, gate, self._reader(name)) for name, module in modules.items()]

    def read(self) -> Readings:
        """Return the step's statistics by layer, on the device, and forget them."""
        found, self._found = self._found, {}
        self._seen |= found.keys()
        for name in self._awaited:
            self._note_silence(name)
        return found

    def _note_silence(self, name: str) -> None:
        """Say of a layer that no training pass has called that it was not called, until one has."""
        key = f"{self.signal}: {name}"
        if name in self._seen:
            self.missing.pop(key, None)
        else:
            self.missing.setdefault(key, NOT_CALLED)

    def _reader(self, name: str) -> Any:
        """Return the callback that reads one module's output."""

        def read(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            values = main_output(output)
            if values is None:
                self.missing[f"{self.signal}: {name}"] = (
                    f"its output is a {type(output).__name__} without a dense floating-point tensor in it"
                )
            else:
                self._found[name] = _describe(module, values)

        return read


def observed(model: nn.Module, select: Select) -> dict[str, nn.Module]:
    """Return the modules whose outputs are read: the chosen layers, and rectifiers and limiters beside them.

    A rectifier or limiter owns no parameters and so is no layer; it is read where its parent holds a chosen
    layer directly. One module under two names is read once, under the first.
    """
    modules = dict(named_modules(model))
    chosen = {name for name, module in modules.items() if select(name, module)}
    parents = {_parent(name) for name in chosen}
    return {
        name: module
        for name, module in modules.items()
        if name in chosen or (_parent(name) in parents and is_nonlinearity(module))
    }


def _parent(name: str) -> str | None:
    return None if name == ROOT else name.rpartition(".")[0] or ROOT


def is_nonlinearity(module: nn.Module) -> bool:
    """Return whether a module is a bounded or a rectifying activation, whose outputs can saturate or die."""
    return isinstance(module, (*BOUNDED, *RECTIFIED))


def _describe(module: nn.Module, values: Tensor) -> dict[str, Tensor]:
    """Return what is recorded of one module's output."""
    statistics = activation_statistics(values)
    limits = next((limits for kind, limits in BOUNDED.items() if type(module) is kind), None)
    if type(module) is nn.Hardtanh:  # nn.ReLU6 is one too, and zero is no limit of it
        limits = (module.min_val, module.max_val)
    if isinstance(module, RECURRENT) and getattr(module, "nonlinearity", "tanh") == "tanh":
        limits = (-1.0, 1.0)
    if limits is not None:
        statistics["saturated_share"] = saturated_share(values, *limits)
    if is_rectified(module) or getattr(module, "nonlinearity", None) == "relu":
        statistics["dead_share"] = dead_share(values, 1 if values.dim() == 4 else -1)
    return statistics
