"""The loss around the present weights: filter-normalised sharpness with its error bar, and a slice.

Sharpness is relative (a filter moves by a share of its own norm, so that rescaling the layers of a ReLU
network changes nothing), signed (a saddle shows as one) and antithetic (the first-order part cancels exactly).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from probatum._errors import MissingExtraError, UsageError
from probatum.signals.config import LossLandscapeConfig
from probatum.signals.curvature import HessianProduct, hessian_trace, math_kernels, top_eigenvalue
from probatum.signals.held_still import Generators, held_still, put

Loss = Callable[[nn.Module], Tensor]


@dataclass(frozen=True)
class LandscapeSample:
    """A fixed sample of data, as the mean loss of any model on it.

    Example:
        >>> x, y = torch.randn(40, 3), torch.randn(40, 1)
        >>> sample = LandscapeSample.of(nn.functional.mse_loss, x, y, batch_id="first of validation")
        >>> len(sample.parts), sample.note
        (2, '32 examples in parts of 16')
    """

    loss: Loss  # scalar; deterministic: the same model gives the same loss
    batch_id: str  # which data; a comparison of two figures needs it
    note: str = ""
    parts: Sequence[Loss] = ()  # pieces of equal size whose mean is `loss`; each draws its own directions

    @classmethod
    def of(
        cls,
        criterion: Callable[[Tensor, Tensor], Tensor],
        inputs: Tensor,
        targets: Tensor,
        batch_id: str,
        part_size: int = 16,
    ) -> LandscapeSample:
        """Return the sample of `criterion(model(inputs), targets)` in parts; what does not fill one is left out.

        Directions that differ between the parts average out more noise for the same number of examples
        passed, and small parts stay in the processor's cache; 16 was best of 4 to 128 on a small CNN.
        """
        size = min(part_size, len(inputs))
        count = len(inputs) // size * size if size else 0
        if not count:
            raise UsageError(f"expected at least one example and a part_size of at least 1, got {size}")
        pieces = list(zip(inputs[:count].split(size), targets[:count].split(size), strict=True))
        parts = tuple(_part(criterion, x, y) for x, y in pieces)
        return cls(
            lambda model: torch.stack([part(model) for part in parts]).mean(),
            batch_id,
            f"{count} examples in parts of {size}",
            parts,
        )

    def pieces(self) -> Sequence[Loss]:
        """Return the parts; the whole where there are none."""
        return self.parts or (self.loss,)


def _part(criterion: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, targets: Tensor) -> Loss:
    return lambda model: criterion(model(inputs), targets)


def measure_landscape(
    model: nn.Module, sample: LandscapeSample, config: LossLandscapeConfig, seed: int
) -> dict[str, Any]:
    """Return what the configuration asks for about the loss around the model's present weights.

    Sharpness is mean over directions d of ½[L(w + c·d) + L(w − c·d) − 2L(w)] / c², which is ½·dᵀHd up to
    O(c²), in units of the loss; `sharpness_se` is its standard error over directions, given this sample.
    `slope_rms` is the root mean square of the first-order part ½[L(w + c·d) − L(w − c·d)] / c. Every filter
    (first axis of a parameter with two axes or more) of d is Gaussian with the norm of the filter of w;
    biases and normalisation weights stay, as in the paper. All is measured in eval mode without autocast;
    model, buffers, gradients and torch's generators are left as they were, also after an exception.

    Args:
        model: Any module; only parameters that require a gradient move.
        sample: The data. With parts, each part draws its own directions.
        config: `perturbation_samples` K antithetic pairs per part, `perturbation_scale` c.
        seed: Of directions, start and probes. One seed for all epochs compares like with like.

    Returns:
        sharpness, sharpness_se, slope_rms, samples (pairs per part), parts, scale, base_loss, slice{alpha,
        loss}, top_eigenvalue, top_eigenvalue_residual, top_eigenvalue_converged, hessian_products, trace,
        trace_se, trace_probes, batch_id, note, seed; `missing` says why an asked-for value is None.
        Empty where the configuration does not enable the landscape.

    Source:
        Li et al. 2018, Visualizing the Loss Landscape of Neural Nets (filter normalisation).

    Example:
        >>> model = nn.Linear(3, 1)
        >>> sample = LandscapeSample(lambda m: m.weight.square().sum(), "weights")
        >>> found = measure_landscape(model, sample, LossLandscapeConfig(enabled=True), seed=0)
        >>> abs(found["sharpness"] / model.weight.square().sum().item() - 1) < 1e-3
        True
    """
    if not config.enabled:
        return {}
    found: dict[str, Any] = {
        "batch_id": sample.batch_id, "note": sample.note, "seed": seed, "missing": {},
        "samples": config.perturbation_samples, "parts": len(sample.pieces()),
        "scale": config.perturbation_scale,
    }  # fmt: skip
    with held_still(model) as generators:
        around = Surroundings(model, generators, seed)
        found["base_loss"] = _number(around.mean(sample.pieces()), found["missing"], "base_loss")
        if config.estimate_sharpness:
            found |= around.sharpness(sample.pieces(), config, found["missing"])
        if config.slice_points:
            found["slice"] = around.slice(sample.pieces(), config.slice_points)
        if config.curvature:
            found |= _curvature(model, sample, seed, generators, found["missing"])
    return found


class Surroundings:
    """The losses of a model whose weights move along filter-normalised directions and come back."""

    def __init__(self, model: nn.Module, generators: Generators, seed: int) -> None:
        """Remember the weights and the norm of each filter."""
        self.model, self.generators = model, generators
        self.weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1 and p.numel()]
        self.original = [weight.detach().clone() for weight in self.weights]
        self.norms = [_filter_norms(weight) for weight in self.original]
        self.random = {device: torch.Generator(device) for device in {w.device for w in self.weights}}
        for generator in self.random.values():
            generator.manual_seed(seed)

    def direction(self) -> list[Tensor]:
        """Return a Gaussian direction, each of whose filters has the norm of the model's."""
        drawn = [
            torch.randn(w.shape, dtype=w.dtype, device=w.device, generator=self.random[w.device])
            for w in self.original
        ]
        tiny = torch.finfo(torch.float32).tiny
        return [z.mul_(n / _filter_norms(z).clamp_min(tiny)) for z, n in zip(drawn, self.norms, strict=True)]

    @torch.no_grad()
    def at(self, direction: Sequence[Tensor], step: float, loss: Loss) -> Tensor:
        """Return the loss at w + step·direction, a float64 scalar on its device; the weights come back."""
        try:
            for weight, towards in zip(self.weights, direction, strict=True):
                weight.add_(towards, alpha=step)
            return self._loss(loss)
        finally:
            put(self.weights, self.original)

    @torch.no_grad()
    def mean(self, pieces: Sequence[Loss]) -> float:
        """Return the mean loss of the parts at w."""
        return torch.stack([self._loss(piece) for piece in pieces]).mean().item()

    def sharpness(
        self, pieces: Sequence[Loss], config: LossLandscapeConfig, missing: dict[str, str]
    ) -> dict[str, Any]:
        """Return sharpness, its standard error and the root mean square of the slope."""
        names = ("sharpness", "sharpness_se", "slope_rms")
        if not self.weights:
            missing["sharpness"] = (
                "no trainable parameter has two axes or more, so there is no filter to move"
            )
            return dict.fromkeys(names)
        scale = config.perturbation_scale
        rows = [[self._pair(piece, scale) for _ in range(config.perturbation_samples)] for piece in pieces]
        centre = torch.stack([self._loss(piece) for piece in pieces])[:, None]  # (parts, 1)
        plus, minus = torch.stack([torch.stack(row) for row in rows]).unbind(-1)  # (parts, pairs)
        bends = ((plus - centre) + (minus - centre)) / (2 * scale**2)
        slopes = (plus - minus) / (2 * scale)
        bends, slopes = bends.cpu(), slopes.cpu()
        if not bends.isfinite().all():
            lost = int((~bends.isfinite()).sum())
            missing["sharpness"] = f"the loss was not finite at {lost} of {bends.numel()} perturbed weights"
            return dict.fromkeys(names)
        values = (bends.mean().item(), standard_error(bends), slopes.square().mean().sqrt().item())
        return dict(zip(names, values, strict=True))

    def slice(self, pieces: Sequence[Loss], points: int) -> dict[str, list[Any]]:
        """Return the loss along one filter-normalised direction, alpha from −1 to 1; None where not finite."""
        direction = self.direction()
        alphas = torch.linspace(-1, 1, points).tolist() if points > 1 else [0.0]
        along = [torch.stack([self.at(direction, alpha, p) for p in pieces]).mean() for alpha in alphas]
        losses = torch.stack(along).tolist()
        return {"alpha": alphas, "loss": [x if math.isfinite(x) else None for x in losses]}

    def _pair(self, loss: Loss, scale: float) -> Tensor:
        direction = self.direction()
        return torch.stack([self.at(direction, scale, loss), self.at(direction, -scale, loss)])

    @torch.no_grad()
    def _loss(self, loss: Loss) -> Tensor:
        self.generators.rewind()
        return loss(self.model).detach().double()


def standard_error(values: Tensor) -> float | None:
    """Return the standard error of the mean of `(parts, pairs)`; parts are fixed, pairs were drawn.

    sqrt(Σ_p s_p² / pairs) / parts, with s_p the standard deviation within part p. With one pair a part the
    spread between parts stands in, which is too large; None for a single value.

    Example:
        >>> standard_error(torch.tensor([[1.0, 3.0], [11.0, 13.0]]))
        0.7071067690849304
    """
    parts, pairs = values.shape
    if pairs > 1:
        return (values.var(dim=1).sum() / pairs).sqrt().item() / parts
    return (values.var() / parts).sqrt().item() if parts > 1 else None


def _curvature(
    model: nn.Module, sample: LandscapeSample, seed: int, generators: Generators, missing: dict[str, str]
) -> dict[str, Any]:
    """Return top eigenvalue and trace; what this model or installation cannot give stands in `missing`."""
    found: dict[str, Any] = dict.fromkeys(
        ("top_eigenvalue", "top_eigenvalue_residual", "top_eigenvalue_converged", "hessian_products",
         "trace", "trace_se", "trace_probes")
    )  # fmt: skip
    generators.rewind()
    with math_kernels():
        try:
            product = HessianProduct(model, sample.loss)
            top = top_eigenvalue(product, seed)
            found |= {
                "top_eigenvalue": _number(top.value, missing, "top_eigenvalue"),
                "top_eigenvalue_residual": _number(top.residual, missing, "top_eigenvalue_residual"),
                "top_eigenvalue_converged": top.converged,
                "hessian_products": top.products,
            }
            generators.seed(seed)
            trace = hessian_trace(product)
            found |= {"trace": _number(trace.value, missing, "trace"), "trace_probes": trace.probes}
            found["trace_se"] = _number(trace.se, missing, "trace_se")
        except MissingExtraError as error:
            missing["trace"] = str(error)
        except RuntimeError as error:  # an operation without a second derivative
            missing["trace"] = missing["top_eigenvalue"] = f"no Hessian-vector product: {error}"
    return found


def _filter_norms(weight: Tensor) -> Tensor:
    """Return the L2 norm over all axes but the first, `(filters, 1, ...)`."""
    return torch.linalg.vector_norm(weight, dim=tuple(range(1, weight.ndim)), keepdim=True)


def _number(value: float, missing: dict[str, str], name: str) -> float | None:
    """Return a finite number; None and a reason otherwise, since the record is strict JSON."""
    if math.isfinite(value):
        return value
    missing[name] = f"not finite: {value}"
    return None
