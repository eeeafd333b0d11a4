"""oneDNN's product of float32 matrices on a CPU, where torch has it.

torch hands such products to MKL, which on an AMD processor takes no AVX-512 kernels and reaches half the speed of
oneDNN, which does. Both compute in float32; sums are taken in another order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

LINEAR: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)  # absent where torch is built without it


def takes(x: Tensor, weight: Tensor) -> bool:
    """Return whether oneDNN takes a product: float32 on a CPU, outside autocast, and not empty."""
    is_plain = x.dtype == weight.dtype == torch.float32 and x.device.type == "cpu"
    is_there = LINEAR is not None and torch.backends.mkldnn.is_available()
    return is_plain and is_there and not torch.is_autocast_enabled("cpu") and x.numel() > 0


def product(rows: Tensor, weight: Tensor) -> Tensor:
    """Return rows @ weight.T for `(n, in)` and `(out, in)`, without a gradient by oneDNN where it takes it.

    Example:
        >>> product(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]))
        tensor([[11.]])
    """
    return LINEAR(rows, weight, None, "none", [], "") if takes(rows, weight) else linear(rows, weight)
