"""Effect sizes between two runs, layer by layer and epoch by epoch, with their uncertainty.

The unit is the probed batch. What is tested is whether these two runs differ by more than their batches do;
whether the two methods differ is a question for several seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from probatum._holm import holm
from probatum.signals.epoch import Statistic
from probatum.signals.reading import Series

ALPHA = 0.05
NEARLY = 0.01  # means within this share of each other in every epoch are nearly identical


@dataclass(frozen=True)
class Effect:
    """Child against parent: one layer at one epoch, or over all common epochs where `epoch` is None.

    `effect_size` is the difference of the means over the pooled spread of the batches; None without spread.
    """

    signal: str
    layer: str
    epoch: int | None
    parent: float
    child: float
    difference: float  # child - parent
    effect_size: float | None
    ci_low: float | None  # of the difference
    ci_high: float | None
    p_value: float | None
    p_adjusted: float | None  # Holm, over the layers (and epochs) of the signal
    epochs: int
    batches: int  # of both runs together
    verdict: str  # identical, nearly identical, larger, smaller, cannot separate, no spread


@dataclass(frozen=True)
class _Cell:
    """One layer at one epoch: difference, pooled variance, its degrees of freedom, 1/n1 + 1/n2."""

    epoch: int
    parent: Statistic
    child: Statistic
    difference: float
    variance: float | None
    freedom: int
    weight: float

    @property
    def error_squared(self) -> float:
        """The squared standard error of the difference."""
        return (self.variance or 0.0) * self.weight


def signal_effects(
    signal: str, parent: dict[str, Series], child: dict[str, Series], alpha: float = ALPHA
) -> tuple[list[Effect], list[Effect]]:
    """Return the effects of one signal: one per layer over all common epochs, and one per layer and epoch.

    With d_e the difference of the epoch's means, s_e^2 = ((n1-1) s1^2 + (n2-1) s2^2) / (n1 + n2 - 2) the
    pooled variance over batches and v_e = s_e^2 (1/n1 + 1/n2)::

        at an epoch     effect d_e / s_e,             d_e +- t(n1 + n2 - 2) sqrt(v_e)
        over E epochs   effect mean(d) / rms(s),      mean(d) +- t(f) sqrt(sum v) / E,
                        f = (sum v)^2 / sum(v_e^2 / (n1 + n2 - 2))        (Welch and Satterthwaite)

    p-values are two-sided and Holm-adjusted within the signal. Epochs are fixed, batches are random.

    Source: Cohen 1988 (effect size); Satterthwaite 1946; Holm 1979.
    """
    cells = _by_layer(parent, child)
    singles = [_at_epoch(signal, layer, cell) for layer, own in cells.items() for cell in own]
    return _over_layers(signal, cells, alpha), _adjusted(singles, alpha)


def layer_effects(
    signal: str, parent: dict[str, Series], child: dict[str, Series], alpha: float = ALPHA
) -> list[Effect]:
    """Return the first part of `signal_effects` alone: one effect per layer, over all common epochs."""
    return _over_layers(signal, _by_layer(parent, child), alpha)


def _by_layer(parent: dict[str, Series], child: dict[str, Series]) -> dict[str, list[_Cell]]:
    return {layer: _cells(parent[layer], child[layer]) for layer in parent if layer in child}


def _over_layers(signal: str, cells: dict[str, list[_Cell]], alpha: float) -> list[Effect]:
    return _adjusted([_over_epochs(signal, layer, own) for layer, own in cells.items() if own], alpha)


def _cells(parent: Series, child: Series) -> list[_Cell]:
    cells = []
    for epoch in sorted(parent.keys() & child.keys()):
        first, second = parent[epoch], child[epoch]
        if first.mean is None or second.mean is None:
            continue
        freedom = first.n + second.n - 2
        known = (
            freedom > 0
            and (first.n < 2 or first.std is not None)
            and (second.n < 2 or second.std is not None)
        )
        variance = None
        if known:
            squares = (first.n - 1) * (first.std or 0.0) ** 2 + (second.n - 1) * (second.std or 0.0) ** 2
            variance = squares / freedom
        weight = 1 / first.n + 1 / second.n if first.n and second.n else 0.0
        cells.append(_Cell(epoch, first, second, second.mean - first.mean, variance, freedom, weight))
    return cells


def _at_epoch(signal: str, layer: str, cell: _Cell) -> Effect:
    return _effect(signal, layer, cell.epoch, [cell])


def _over_epochs(signal: str, layer: str, cells: Sequence[_Cell]) -> Effect:
    return _effect(signal, layer, None, cells)


def _effect(signal: str, layer: str, epoch: int | None, cells: Sequence[_Cell]) -> Effect:
    """Return the effect over some epochs; those without spread count in the means and not in the test."""
    count = len(cells)
    tested = [cell for cell in cells if cell.variance is not None]
    spread = math.sqrt(sum(cell.variance or 0.0 for cell in tested) / len(tested)) if tested else 0.0
    difference = math.fsum(cell.difference for cell in tested or cells) / len(tested or cells)
    low = high = p_value = None
    if spread > 0:
        low, high, p_value = _test(difference, tested)
    return Effect(
        signal, layer, epoch,
        math.fsum(cell.parent.mean or 0.0 for cell in cells) / count,
        math.fsum(cell.child.mean or 0.0 for cell in cells) / count,
        difference, difference / spread if spread > 0 else (0.0 if difference == 0 else None),
        low, high, p_value, None, count, sum(cell.parent.n + cell.child.n for cell in cells), _alike(cells),
    )  # fmt: skip


def _test(difference: float, cells: Sequence[_Cell]) -> tuple[float, float, float]:
    """Return the 95% t-interval of the mean difference and its two-sided p-value."""
    from scipy.special import stdtr, stdtrit  # a tenth of what scipy.stats loads

    total = math.fsum(cell.error_squared for cell in cells)
    error = math.sqrt(total) / len(cells)
    freedom = total**2 / math.fsum(cell.error_squared**2 / cell.freedom for cell in cells)
    half = float(stdtrit(freedom, 1 - ALPHA / 2)) * error
    return difference - half, difference + half, 2 * float(stdtr(freedom, -abs(difference) / error))


def _alike(cells: Sequence[_Cell]) -> str:
    """Return the verdict that needs no test."""
    if all(cell.parent == cell.child for cell in cells):
        return "identical"
    nearly = all(
        abs(cell.difference) <= NEARLY * max(abs(cell.parent.mean or 0.0), abs(cell.child.mean or 0.0))
        for cell in cells
    )
    return "nearly identical" if nearly else ""


def _adjusted(effects: Sequence[Effect], alpha: float) -> list[Effect]:
    """Return the effects with Holm-adjusted p-values and their verdicts."""
    tested = [effect for effect in effects if effect.p_value is not None]
    values = iter(holm([effect.p_value for effect in tested if effect.p_value is not None]))
    result = []
    for effect in effects:
        adjusted = next(values) if effect.p_value is not None else None
        result.append(
            Effect(
                **{**effect.__dict__, "p_adjusted": adjusted, "verdict": _verdict(effect, adjusted, alpha)}
            )
        )
    return result


def _verdict(effect: Effect, adjusted: float | None, alpha: float) -> str:
    if effect.verdict:
        return effect.verdict
    if adjusted is None:
        return "no spread"
    if adjusted >= alpha:
        return "cannot separate"
    return "larger" if effect.difference > 0 else "smaller"
