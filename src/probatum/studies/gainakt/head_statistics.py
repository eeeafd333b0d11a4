"""How spread and how lopsided mastery and gains are: what `log_head_stats` writes each epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from probatum.studies.gainakt.batch import TracingOutput


def head_statistics(output: TracingOutput, mask: Tensor) -> dict[str, Tensor]:
    """Return variance and skew of mastery and gain over real steps and all concepts, each `()`.

    Variance E[(x − μ)²] and skew E[(x − μ)³] / variance^1.5 are of the population; the skew of a constant
    is 0. A head that the model lacks has no entry. Nothing has a gradient.

    Args:
        output: What the model returned.
        mask: True at real steps, `(batch, length)`.
    """
    heads = {"mastery": output.mastery, "gain": output.gains}
    statistics: dict[str, Tensor] = {}
    for name, values in heads.items():
        if values is not None:
            variance, skew = variance_and_skew(values.detach()[mask].double().flatten())
            statistics |= {f"{name}_variance": variance, f"{name}_skew": skew}
    return statistics


def variance_and_skew(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the population variance and skew of `(n,)` values; 0 and 0 for none."""
    if values.numel() == 0:
        return values.new_zeros(()), values.new_zeros(())
    deviations = values - values.mean()
    variance = deviations.square().mean()
    skew = deviations.pow(3).mean() / variance.clamp(min=1e-24).pow(1.5)
    return variance, skew.where(variance > 1e-24, 0.0)


class HeadMoments:
    """The same statistics over a whole sweep, from sums of powers in float64; one host read at the end."""

    def __init__(self) -> None:
        """Begin an empty sweep."""
        self.sums: dict[str, Tensor] = {}

    def add(self, output: TracingOutput, mask: Tensor) -> None:
        """Add the real steps of one batch."""
        for name, values in (("mastery", output.mastery), ("gain", output.gains)):
            if values is not None:
                real = values.detach()[mask].double()  # (steps, concepts)
                powers = torch.stack(
                    [torch.ones_like(real).sum(), real.sum(), (real**2).sum(), (real**3).sum()]
                )
                self.sums[name] = self.sums[name] + powers if name in self.sums else powers

    def read(self) -> dict[str, float | None]:
        """Return variance and skew by head; None for a head that the model lacks."""
        found: dict[str, float | None] = {}
        for name in ("mastery", "gain"):
            count, first, second, third = (
                self.sums[name].tolist() if name in self.sums else (0.0, 0.0, 0.0, 0.0)
            )
            if not count:
                found |= {f"{name}_variance": None, f"{name}_skew": None}
                continue
            mean = first / count
            variance = max(0.0, second / count - mean**2)
            skew = (third / count - 3 * mean * second / count + 2 * mean**3) / max(variance, 1e-24) ** 1.5
            found |= {f"{name}_variance": variance, f"{name}_skew": skew if variance > 1e-12 else 0.0}
        return found
