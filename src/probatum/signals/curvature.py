"""The Hessian of the loss on a fixed batch: products, top eigenvalue by Lanczos, trace with its error."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from probatum._errors import MissingExtraError, UsageError

TOLERANCE = 2e-3  # of the eigenvalue, by the Ritz bound; a fifth of the 1 % that is asked for
MAX_PRODUCTS = 40
TRACE_PROBES = 10  # a Hessian-vector product costs about 1.6 training steps


@contextmanager
def math_kernels() -> Iterator[None]:
    """Force kernels that can be differentiated twice: the fused attention and the cuDNN recurrences cannot."""
    with sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False):
        yield


class HessianProduct:
    """The Hessian of a mean loss in the trainable parameters, as a linear map on flat vectors.

    The graph of the gradient is built once and kept, so that a product costs one backward pass through it.
    It has what `curvlinops` asks of an operator: `shape`, `device`, `dtype` and `@`.

    Source:
        Pearlmutter 1994, Fast Exact Multiplication by the Hessian.

    Example:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> product = HessianProduct(model, lambda m: (m.weight[0, 0] ** 2 + 3 * m.weight[0, 1] ** 2))
        >>> product @ torch.tensor([1.0, 1.0])
        tensor([2., 6.])
    """

    def __init__(self, model: nn.Module, loss: Callable[[nn.Module], Tensor]) -> None:
        """Build the graph of the gradient at the present weights.

        Raises:
            UsageError: the model has no trainable parameter.
        """
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if not self.parameters:
            raise UsageError(
                "the Hessian needs a trainable parameter; every parameter of the model is frozen"
            )
        with torch.enable_grad():
            gradients = torch.autograd.grad(
                loss(model), self.parameters, create_graph=True, allow_unused=True, materialize_grads=True
            )
        self.gradient = self._flat(gradients).detach()
        self.curved = [(i, g) for i, g in enumerate(gradients) if g.requires_grad]  # others are constant
        self.sizes = [parameter.numel() for parameter in self.parameters]
        self.shape = (sum(self.sizes), sum(self.sizes))
        self.device, self.dtype = self.gradient.device, self.gradient.dtype

    def __matmul__(self, vectors: Tensor) -> Tensor:
        """Return H·v for `(n,)`, or H·V for `(n, k)`."""
        if vectors.ndim > 1:
            return torch.stack([self @ column for column in vectors.unbind(-1)], dim=-1)
        if not self.curved:
            return torch.zeros_like(vectors)
        pieces = [
            piece.view_as(parameter).to(parameter)
            for piece, parameter in zip(vectors.split(self.sizes), self.parameters, strict=True)
        ]
        products = torch.autograd.grad(
            [gradient for _, gradient in self.curved],
            self.parameters,
            [pieces[index] for index, _ in self.curved],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        return self._flat(products)

    def _flat(self, tensors: Any) -> Tensor:
        first = self.parameters[0]
        return torch.cat([tensor.reshape(-1).to(first.device, first.dtype) for tensor in tensors])


@dataclass(frozen=True)
class Eigenvalue:
    """An eigenvalue and how well it is known."""

    value: float
    residual: float  # ‖Hv − λv‖ for the unit Ritz vector v: some eigenvalue lies this near
    products: int  # Hessian-vector products spent
    converged: bool


def top_eigenvalue(
    product: HessianProduct, seed: int, tolerance: float = TOLERANCE, max_products: int = MAX_PRODUCTS
) -> Eigenvalue:
    """Return the algebraically largest eigenvalue of the Hessian, by Lanczos with full reorthogonalisation.

    The start is the gradient, which lies mostly in the top eigenspace (Gur-Ari et al. 2018), plus as much
    random noise, since a gradient may be orthogonal to the top eigenvector. It stops when the smaller of the
    residual r and r² / gap (gap to the next Ritz value; Kato-Temple) is below `tolerance` of the value.

    Args:
        product: The Hessian, `(n, n)`.
        seed: Of the noise in the start; torch's global generators are not used.
        tolerance: Bound on the relative error.
        max_products: Where it stops in any case; `converged` then is False.

    Source:
        Paige 1972; Parlett 1998, The Symmetric Eigenvalue Problem, chapters 11 and 13.

    Example:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> product = HessianProduct(model, lambda m: (m.weight[0, 0] ** 2 + 3 * m.weight[0, 1] ** 2))
        >>> round(top_eigenvalue(product, seed=0).value, 4)
        6.0
    """
    if not product.gradient.isfinite().all():
        return Eigenvalue(math.nan, math.nan, 0, False)
    basis = [_start(product, seed)]
    diagonal: list[float] = []
    coupling: list[float] = []
    found = Eigenvalue(0.0, math.inf, 0, False)
    for count in range(1, min(max_products, product.shape[0]) + 1):
        image = product @ basis[-1]
        diagonal.append(torch.dot(image, basis[-1]).item())
        vectors = torch.stack(basis)
        for _ in range(2):  # twice is enough: Parlett 6.9
            image = image - vectors.T @ (vectors @ image)
        rest = torch.linalg.vector_norm(image).item()
        if not math.isfinite(diagonal[-1]) or not math.isfinite(rest):
            return Eigenvalue(math.nan, math.nan, count, False)
        found = _ritz(diagonal, coupling, rest, tolerance)
        if found.converged:
            break
        coupling.append(rest)
        basis.append(image / rest)
    return found


def _start(product: HessianProduct, seed: int) -> Tensor:
    generator = torch.Generator(product.device).manual_seed(seed)
    noise = torch.randn(product.shape[0], device=product.device, dtype=product.dtype, generator=generator)
    start = noise / torch.linalg.vector_norm(noise)
    length = torch.linalg.vector_norm(product.gradient)
    if length > 0:
        start = start + product.gradient / length
    return start / torch.linalg.vector_norm(start)


def _ritz(diagonal: list[float], coupling: list[float], rest: float, tolerance: float) -> Eigenvalue:
    """Return the top Ritz value of the tridiagonal matrix, with its residual rest·|last component|."""
    off = torch.tensor(coupling, dtype=torch.float64)
    matrix = (
        torch.diag(torch.tensor(diagonal, dtype=torch.float64)) + torch.diag(off, 1) + torch.diag(off, -1)
    )
    values, vectors = torch.linalg.eigh(matrix)
    top, residual = values[-1].item(), rest * abs(vectors[-1, -1].item())
    gap = (values[-1] - values[-2]).item() if len(values) > 1 else 0.0
    bound = min(residual, residual**2 / gap) if gap > 0 else residual
    size = values.abs().max().item()
    invariant = rest <= 1e-5 * size  # the basis spans an invariant subspace: nothing is left to add
    enough = len(values) > 2 and bound <= tolerance * abs(top)
    return Eigenvalue(top, residual, len(values), invariant or enough)


@dataclass(frozen=True)
class Trace:
    """A trace estimated from random probes, with its standard error."""

    value: float
    se: float  # standard deviation of the probes / sqrt(probes)
    probes: int


def hessian_trace(product: HessianProduct, probes: int = TRACE_PROBES) -> Trace:
    """Return the trace of the Hessian by Hutchinson's estimator with its standard error, through `curvlinops`.

    Each probe is one call with a Rademacher vector of its own, so that the spread over probes is known: ten of
    them may be off by half of the value, which a mean alone does not tell. The vectors come from torch's
    global generators: seed them before, restore them after.

    Raises:
        MissingExtraError: curvlinops is not installed.
        UsageError: fewer than two probes have no spread.

    Source:
        Hutchinson 1989, A stochastic estimator of the trace of the influence matrix.
    """
    if probes < 2:
        raise UsageError(f"expected at least 2 probes for a standard error, got {probes}")
    try:
        with warnings.catch_warnings():  # a package that it imports calls something that torch deprecates
            warnings.simplefilter("ignore")
            curvlinops = importlib.import_module("curvlinops")
    except ImportError:
        raise MissingExtraError(
            "the trace of the Hessian needs curvlinops: pip install curvlinops-for-pytorch"
        ) from None
    drawn = [curvlinops.hutchinson_trace(product, num_matvecs=1).double() for _ in range(probes)]
    values = torch.stack(drawn)
    return Trace(values.mean().item(), (values.std() / math.sqrt(probes)).item(), probes)
