"""How spread and how lopsided mastery and gains are: what `log_head_stats` writes each epoch."""

from __future__ import annotations

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
