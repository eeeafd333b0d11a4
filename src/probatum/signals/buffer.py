"""What the collectors read during an epoch, kept on the device until one host read at its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from probatum.signals.epoch import Statistic

Values = dict[str, dict[str, list[Any]]]  # {layer: {statistic: one number, or list of numbers, per batch}}


class EpochBuffer:
    """Tensors of an epoch by signal, layer and statistic.

    Example:
        >>> buffer = EpochBuffer()
        >>> buffer.add("weights", {"fc": {"norm": torch.tensor(2.0)}})
        >>> buffer.add("weights", {"fc": {"norm": torch.tensor(4.0)}})
        >>> buffer.settle()
        >>> buffer.of("weights")
        {'fc': {'norm': [2.0, 4.0]}}
    """

    def __init__(self) -> None:
        """Begin an empty epoch."""
        self._waiting: list[tuple[str, str, str, Tensor]] = []
        self._settled: dict[str, Values] = {}

    def add(self, signal: str, readings: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Keep the readings of one batch: tensors of 0 or 1 dimension."""
        for layer, own in readings.items():
            self._waiting += [(signal, layer, name, value.detach()) for name, value in own.items()]

    def settle(self) -> None:
        """Read everything that waits: one host read for each device."""
        numbers = _read([value for *_, value in self._waiting])
        for (signal, layer, name, _), value in zip(self._waiting, numbers, strict=True):
            self._settled.setdefault(signal, {}).setdefault(layer, {}).setdefault(name, []).append(value)
        self._waiting = []

    def of(self, signal: str) -> Values:
        """Return what was settled of a signal."""
        return self._settled.get(signal, {})

    def take(self, signal: str) -> Values:
        """Return what was settled of a signal, and forget it."""
        return self._settled.pop(signal, {})

    def state_dict(self) -> dict[str, Values]:
        """Return everything of the epoch as plain numbers; this is a host read."""
        self.settle()
        return {
            signal: {
                layer: {name: list(found) for name, found in own.items()} for layer, own in values.items()
            }
            for signal, values in self._settled.items()
        }

    def load_state_dict(self, state: Mapping[str, Values]) -> None:
        """Take up the readings before an interruption."""
        self._waiting = []
        self._settled = {
            signal: {
                layer: {name: list(found) for name, found in own.items()} for layer, own in values.items()
            }
            for signal, values in state.items()
        }


def _read(tensors: Sequence[Tensor]) -> list[Any]:
    """Return the tensors as numbers or lists of numbers, with one transfer for each device."""
    streams = {device: _on_host(tensors, device) for device in dict.fromkeys(one.device for one in tensors)}
    return [
        next(streams[one.device])
        if one.dim() == 0
        else [next(streams[one.device]) for _ in range(one.numel())]
        for one in tensors
    ]


def _on_host(tensors: Sequence[Tensor], device: torch.device) -> Any:
    own = [one.reshape(-1) for one in tensors if one.device == device]
    return iter(torch.cat(own).tolist())


def tables(values: Values) -> dict[str, dict[str, Statistic]]:
    """Return the statistics over batches of every reading that is one number per batch.

    Example:
        >>> tables({"fc": {"norm": [2.0, 4.0], "histogram": [[1.0], [2.0]]}})["fc"]["norm"].mean
        3.0
    """
    return {
        layer: {name: Statistic.of(found) for name, found in own.items() if not isinstance(found[0], list)}
        for layer, own in values.items()
    }


def mean_curve(curves: Iterable[Sequence[float]]) -> list[float | None]:
    """Return the mean at each place over the curves that reach it; None where none is finite.

    Example:
        >>> mean_curve([[1.0, 3.0], [3.0]])
        [2.0, 3.0]
    """
    found: list[list[float]] = []
    for curve in curves:
        found += [[] for _ in range(len(curve) - len(found))]
        for place, value in enumerate(curve):
            found[place] += [value] if math.isfinite(value) else []
    return [math.fsum(place) / len(place) if place else None for place in found]
