"""Variance and skew of each output head over a probed batch: a head that collapses to one answer has neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from .attention_weights import apart_from_training
from .statistics import upcast

ONLY_HEAD = "output"  # the name of an output that is a bare tensor


def head_statistics(values: Tensor) -> dict[str, Tensor]:
    r"""Return variance and skew of a head's outputs over the batch, each averaged over the head's units.

    variance = sum (x - m)^2 / (n - 1); skew = m3 / m2^1.5 with central moments over n (the biased estimator,
    g1). A unit whose outputs are all equal has variance 0 and no skew: it is left out of the average.

    Args:
        values: (batch, ...); everything behind the batch is a unit of its own.

    Returns:
        Scalars on the device: variance in the square of the head's unit, skew without one; NaN where there is
        none (a single example; all units constant).

    Source:
        Joanes and Gill (1998), Comparing measures of sample skewness and kurtosis, g1.

    Example:
        >>> found = head_statistics(torch.tensor([0.0, 0.0, 0.0, 4.0]))
        >>> float(found["variance"]), round(float(found["skew"]), 4)
        (4.0, 1.1547)
    """
    values = (
        upcast(values).flatten(1) if values.dim() > 1 else upcast(values).reshape(-1, 1)
    )  # (batch, units)
    count = len(values)
    centred = values - values.mean(0)
    second, third = centred.square().mean(0), centred.pow(3).mean(0)
    scale = values.abs().amax(0) * torch.finfo(values.dtype).eps  # rounding alone is no spread
    varies = second > scale.square()
    skew = third / second.where(varies, 1.0).pow(1.5)
    return {
        "variance": second.mean() * (count / (count - 1)) if count > 1 else second.mean() * torch.nan,
        "skew": skew.where(varies, 0.0).sum() / varies.sum(),
    }


def named_heads(outputs: Any) -> dict[str, Tensor]:
    """Return the floating-point outputs of a model by name, those with a batch axis.

    Of a mapping, a named tuple, a dataclass or a Hugging Face output the names are its own; of a plain tuple or
    list the places "0", "1", ...; a bare tensor is called "output". Losses and other scalars are no heads.

    Example:
        >>> list(named_heads({"risk": torch.zeros(4), "loss": torch.tensor(1.0)}))
        ['risk']
    """
    return {
        name: value
        for name, value in _parts(outputs)
        if isinstance(value, Tensor) and value.is_floating_point() and value.dim() and value.numel()
    }


def _parts(outputs: Any) -> Iterator[tuple[str, Any]]:
    """Yield the named parts of an output, one level deep."""
    if isinstance(outputs, Tensor):
        yield ONLY_HEAD, outputs
    elif isinstance(outputs, Mapping):
        yield from ((str(name), value) for name, value in outputs.items())
    elif hasattr(outputs, "_fields"):
        yield from zip(outputs._fields, outputs, strict=True)
    elif isinstance(outputs, (tuple, list)):
        yield from ((str(place), value) for place, value in enumerate(outputs))
    elif is_dataclass(outputs) and not isinstance(outputs, type):
        yield from ((item.name, getattr(outputs, item.name)) for item in fields(outputs))


class HeadStatisticsCollector:
    """Reads variance and skew of the outputs that a probed step gives to `Probe.observe`.

    Example:
        >>> collector = HeadStatisticsCollector()
        >>> float(collector.read(torch.tensor([1.0, 3.0]))["output"]["variance"])
        2.0
    """

    signal = "heads"

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.missing: dict[str, str] = {}
        self.taken: Mapping[str, str] = {
            "mode": "train",
            "what": "the outputs given to `observe`, as the objective saw them",
            "axis": "over the batch, averaged over the head's units",
        }

    def read(self, outputs: Any) -> dict[str, dict[str, Tensor]]:
        """Return {head: {"variance", "skew"}} of a probed step's outputs, on their device."""
        heads = named_heads(outputs)
        if not heads:
            self.missing["heads"] = (
                "no outputs were given to `observe`" if outputs is None
                else f"the outputs given to `observe` are a {type(outputs).__name__} without floating-point tensors"
            )  # fmt: skip
            return {}
        self.missing.pop("heads", None)
        found = {}
        for name, values in heads.items():
            with apart_from_training(values.device):
                found[name] = head_statistics(values)
        return found
