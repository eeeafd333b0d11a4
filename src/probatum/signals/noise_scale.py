"""The gradient noise scale from pairs of consecutive batches: how many examples make a useful batch.

McCandlish, Kaplan and Amodei 2018 ("An Empirical Model of Large-Batch Training", appendix A.1) estimate
tr(Σ) / |G|² from the squared gradient norms at two batch sizes. Here the two sizes are a batch of B examples and
the two batches of two consecutive steps taken together, which needs no second backward pass and no support by
the model. With g₁, g₂ the gradients of a probed step and of the next,

    E[g₁·g₂] = |G|²,    E[(|g₁|² + |g₂|²) / 2] = |G|² + tr(Σ) / B,

so that noise / signal = mean square / mean product − 1, in batches, and B times that in examples. What is
assumed: the two batches are independent and the gradient does not turn within one step. Where the step size
nears the edge of stability it does turn, and the estimate is too large. One pair is one noisy sample: the ratio
is taken of the sums over the epoch's pairs, with a jackknife standard error, and it is not given where the
product is not positive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from probatum.signals.epoch import Statistic
from probatum.signals.statistics import upcast

NOT_POSITIVE = (
    "the gradients of consecutive batches do not agree (their product is not positive): noise hides the signal; "
    "raise probe_batches"
)
NO_PAIR = "no probed step was followed by another step of the epoch"


def pair_moments(first: Sequence[Tensor], second: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return `product` g₁·g₂ and `square` (|g₁|² + |g₂|²) / 2 of two gradients given in the same parts, `()` each.

    Example:
        >>> found = pair_moments([torch.tensor([1.0, 2.0])], [torch.tensor([3.0, 0.0])])
        >>> float(found["product"]), float(found["square"])
        (3.0, 7.0)
    """
    device = first[0].device
    pairs = [
        (upcast(one).reshape(-1), upcast(two).reshape(-1)) for one, two in zip(first, second, strict=True)
    ]
    products = torch.stack([one.dot(two).to(device) for one, two in pairs])
    squares = torch.stack([((one.dot(one) + two.dot(two)) / 2).to(device) for one, two in pairs])
    return {"product": products.sum(), "square": squares.sum()}


def noise_ratio(products: Sequence[float], squares: Sequence[float]) -> Statistic | None:
    """Return tr(Σ) / (B |G|²), the noise scale in batches, from the moments of `n` pairs; None where undefined.

    The mean is the ratio of sums; `se` is the jackknife's over pairs, None for one pair or where leaving one
    out leaves no signal; `min` and `max` are of the pairs alone, where these are defined.

    Example:
        >>> round(noise_ratio([1.0, 3.0], [4.0, 6.0]).mean, 6)
        1.5
    """
    pairs = [pair for pair in zip(products, squares, strict=True) if all(map(math.isfinite, pair))]
    count, lost = len(pairs), len(products) - len(pairs)
    whole = _ratio(pairs)
    if whole is None:
        return None
    alone = [ratio for pair in pairs if (ratio := _ratio([pair])) is not None]
    error = _jackknife([_ratio(pairs[:left] + pairs[left + 1 :]) for left in range(count)])
    spread = None if error is None else error * math.sqrt(count)
    return Statistic(whole, spread, min(alone, default=None), max(alone, default=None), count, error, lost)


def _ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    product = math.fsum(one for one, _ in pairs)
    return math.fsum(two for _, two in pairs) / product - 1 if product > 0 else None


def _jackknife(left_out: Sequence[float | None]) -> float | None:
    """Return the standard error from the estimates that each leave one pair out."""
    values = [value for value in left_out if value is not None]
    if len(values) < max(2, len(left_out)):
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt((len(values) - 1) / len(values) * math.fsum((one - mean) ** 2 for one in values))


def in_examples(ratio: Statistic, batch_size: float) -> Statistic:
    """Return a noise scale in batches as one in examples."""
    scaled = {
        name: None if (value := getattr(ratio, name)) is None else value * batch_size
        for name in ("mean", "std", "min", "max", "se")
    }
    return Statistic(**scaled, n=ratio.n, non_finite=ratio.non_finite)


class NoiseCollector:
    """Keeps the gradient of a probed step until the next step's is there."""

    signal = "gradient_noise_scale"

    def __init__(self) -> None:
        """Begin with no gradient kept."""
        self.missing: dict[str, str] = {}
        self.taken = {
            "when": "after backward, before clipping; a probed step and the next one",
            "axis": "all trainable parameters",
            "unit": "examples where observe() was given targets; gradient_noise_batches is in batches",
            "error": "jackknife over pairs of steps",
        }
        self._kept: dict[str, Tensor] = {}

    @property
    def is_pending(self) -> bool:
        """Return whether a gradient waits for its pair."""
        return bool(self._kept)

    def remember(self, gradients: Mapping[str, Tensor]) -> None:
        """Copy a probed step's gradients, by parameter."""
        self._kept = {name: upcast(gradient).clone() for name, gradient in gradients.items()}

    def compare(self, gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the pair's moments and forget the copy; nothing where no parameter has both gradients."""
        shared = [name for name, kept in self._kept.items() if _fits(kept, gradients.get(name))]
        first, second = [self._kept[name] for name in shared], [gradients[name] for name in shared]
        self.forget()
        return pair_moments(first, second) if shared else {}

    def forget(self) -> None:
        """Drop what is kept: the epoch ended before the pair was complete."""
        self._kept = {}

    def state_dict(self) -> dict[str, Tensor]:
        """Return what is kept: empty unless taken between a probed step and the next."""
        return dict(self._kept)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take up what was kept before an interruption."""
        self._kept = dict(state)


def _fits(kept: Tensor, gradient: Tensor | None) -> bool:
    return gradient is not None and gradient.numel() * (2 if gradient.is_complex() else 1) == kept.numel()
