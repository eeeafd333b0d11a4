"""Reductions that every collector shares: on the device, upcast, without a host read and without chance.

Sorting is what costs (a quantile of a full activation multiplies a step's time by 2 to 17), so quantiles and
histograms see a bounded sample: `SAMPLE_SIZE` distinct positions spread evenly by a fixed stride that shares no
factor with the number of elements, so that it follows no row or channel. The same tensor shape always gives the
same positions, and no random generator is touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

SAMPLE_SIZE = 4096
HISTOGRAM_EDGES = tuple(10.0 ** (exponent / 2) for exponent in range(-24, 9))  # 1e-12 ... 1e4, half decades


def upcast(values: Tensor) -> Tensor:
    """Return `values` detached, dense, real, and at least float32, so that no sum overflows half precision.

    A sparse gradient becomes the dense one that it stands for; a complex tensor its real and imaginary parts.
    """
    values = values.detach()
    if values.layout is not torch.strided:
        values = values.to_dense()
    if values.is_complex():
        values = torch.view_as_real(values)
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """Return all elements of `tensors`, upcast, as one `(n,)` tensor; a view where there is one tensor.

    Example:
        >>> flatten([torch.zeros(2, 2), torch.ones(1)]).tolist()
        [0.0, 0.0, 0.0, 0.0, 1.0]
    """
    parts = [upcast(tensor).reshape(-1) for tensor in tensors]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def norms(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the L2 norm of each tensor, `()` each, in one fused pass where the tensors share a device."""
    fused = getattr(torch, "_foreach_norm")  # noqa: B009 (in no stub)
    return list(fused([upcast(tensor) for tensor in tensors])) if tensors else []


def joint_norm(parts: Sequence[Tensor]) -> Tensor:
    """Return the norm of a whole from the norms `()` of its parts: the root of the sum of squares."""
    return torch.linalg.vector_norm(torch.stack([part.reshape(()) for part in parts]))


def share_below(magnitudes: Tensor, threshold: float) -> Tensor:
    """Return the share of `(n,)` magnitudes below `threshold`, `()`, in 0..1; NaN counts in the denominator."""
    return (magnitudes < threshold).count_nonzero() / magnitudes.numel()


def share_above(magnitudes: Tensor, threshold: float) -> Tensor:
    """Return the share of `(n,)` magnitudes above `threshold`, `()`, in 0..1; infinity is above, NaN is not."""
    return (magnitudes > threshold).count_nonzero() / magnitudes.numel()


def mean_and_std(values: Tensor) -> dict[str, Tensor]:
    """Return the `mean` and the sample `std` of `(n,)` values, `()` each; one value alone has no deviation.

    Example:
        >>> {name: float(value) for name, value in mean_and_std(torch.tensor([1.0, 3.0, 5.0])).items()}
        {'mean': 3.0, 'std': 2.0}
    """
    if values.numel() == 1:
        return {"mean": values.mean()}
    mean = values.mean()
    # Two passes: torch.var_mean over a whole tensor takes 12 times as long on a CPU.
    return {"mean": mean, "std": torch.linalg.vector_norm(values - mean) / (values.numel() - 1) ** 0.5}


def bounded_sample(values: Tensor, size: int = SAMPLE_SIZE) -> Tensor:
    """Return at most `size` elements of `values` as `(min(n, size),)`, upcast: all of them where they fit.

    Example:
        >>> bounded_sample(torch.arange(10.0), size=4).tolist()
        [0.0, 7.0, 4.0, 1.0]
    """
    flat = values.detach()
    if flat.layout is not torch.strided:
        flat = flat.to_dense()
    flat = flat.reshape(-1) if flat.is_contiguous() else flat.contiguous().reshape(-1)
    if flat.numel() > size:
        flat = flat[_positions(flat.numel(), size, flat.device)]
    return upcast(flat).reshape(-1)


@lru_cache(maxsize=256)
def _positions(total: int, size: int, device: torch.device) -> Tensor:
    """Return `size` distinct positions below `total`: multiples of a stride near the golden section of it."""
    stride = round(total * (math.sqrt(5) - 1) / 2)
    while math.gcd(stride, total) != 1:
        stride += 1
    with torch.inference_mode(False):
        return (torch.arange(size, device=device) * stride) % total


def quantiles(values: Tensor, probabilities: Sequence[float], size: int = SAMPLE_SIZE) -> Tensor:
    """Return quantiles of a bounded sample, `(len(probabilities),)`, with linear interpolation.

    Their standard error is about sqrt(p (1 - p) / size) / density; a NaN among the sample gives NaN.

    Example:
        >>> quantiles(torch.arange(101.0), [0.05, 0.5]).tolist()
        [5.0, 50.0]
    """
    sample = bounded_sample(values, size)
    return torch.quantile(sample, _constants(tuple(probabilities), sample.dtype, sample.device))


@lru_cache(maxsize=64)
def _constants(numbers: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.tensor(numbers, dtype=dtype, device=device)


def magnitude_histogram(values: Tensor, size: int = SAMPLE_SIZE) -> Tensor:
    """Return counts of a bounded sample's magnitudes in fixed half-decade bins, `(len(HISTOGRAM_EDGES) + 1,)`.

    The first bin holds what is below 1e-12 (zeros too), the last what is 1e4 or more, infinity and NaN among
    them. Fixed edges let histograms of different batches, epochs and runs be added and compared.

    Example:
        >>> counts = magnitude_histogram(torch.tensor([0.0, 2e-12, 1e9]))
        >>> int(counts[0]), int(counts[1]), int(counts[-1])
        (1, 1, 1)
    """
    sample = bounded_sample(values, size).abs().contiguous()
    edges = _constants(HISTOGRAM_EDGES, sample.dtype, sample.device)
    bins = torch.bucketize(sample, edges, right=True)
    return torch.zeros(len(HISTOGRAM_EDGES) + 1, device=sample.device).index_add_(
        0, bins, torch.ones_like(bins, dtype=torch.float32)
    )
