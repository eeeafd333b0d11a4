"""Which curves to compute: read by the command line, hence without numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.perturbations.names import ENDS, MECHANISMS

FEWEST_MASKS = 5  # with fewer, the spread over masks says nothing


@dataclass(frozen=True)
class CurveRequest:
    """The strengths, mechanisms and masks of the curves of one run; checked whole, all mistakes at once.

    Rates and ratios are sorted and made unique; 0 is added to mask rates and noise scales, 1 to keep
    ratios: a curve without its undamaged point has no drop. An empty grid means no such curve.

    Attributes:
        mask_rates: shares of the observed cells to drop, in [0, 1].
        keep_ratios: shares of each sample's steps to keep, in [0, 1].
        noise_scales: standard deviations of the noise, in robust standard deviations of the channel.
        mechanisms: of missingness, names of `names.MECHANISMS`.
        ends: of truncation, names of `names.ENDS`.
        masks: number of random masks, at least 5.
        samples: largest number of samples to use; None for all. Whoever builds the task obeys it, since
            only its `predict` knows what belongs to a sample.
        split: of the data.
        seed: which seed's model, of a run with several; None for each of them.
        mask_seed: of the masks; runs to be compared need the same.
        resamples: of the bootstrap.

    Raises:
        UsageError: something is wrong; the message lists everything that is.

    Example:
        >>> CurveRequest(mask_rates=(0.4, 0.2), keep_ratios=(0.5,)).mask_rates
        (0.0, 0.2, 0.4)
    """

    mask_rates: tuple[float, ...] = ()
    keep_ratios: tuple[float, ...] = ()
    noise_scales: tuple[float, ...] = ()
    mechanisms: tuple[str, ...] = ("completely_at_random",)
    ends: tuple[str, ...] = ("keep_earliest",)
    masks: int = FEWEST_MASKS
    samples: int | None = None
    split: str = "valid"
    seed: int | None = None
    mask_seed: int = 0
    resamples: int = 400

    def __post_init__(self) -> None:
        mistakes: list[str] = []
        grids = {
            "mask_rates": _grid("mask_rates", self.mask_rates, 1.0, 0.0, mistakes),
            "keep_ratios": _grid("keep_ratios", self.keep_ratios, 1.0, 1.0, mistakes)[::-1],
            "noise_scales": _grid("noise_scales", self.noise_scales, None, 0.0, mistakes),
        }
        _check_names("mechanism", self.mechanisms, MECHANISMS, mistakes)
        _check_names("end", self.ends, ENDS, mistakes)
        for name, fewest in (("masks", FEWEST_MASKS), ("samples", 1), ("mask_seed", 0), ("resamples", 0)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < fewest):
                mistakes.append(f"`{name}` must be an integer of at least {fewest}, got {value!r}.")
        if not (self.mask_rates or self.keep_ratios or self.noise_scales):
            mistakes.append("nothing to compute: give `mask_rates`, `keep_ratios` or `noise_scales`.")
        if mistakes:
            raise UsageError(
                "\n".join(["the curves cannot be computed:", *(f"  {line}" for line in mistakes)])
            )
        for name, grid in grids.items():
            object.__setattr__(self, name, grid)
        for name in ("mechanisms", "ends"):
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))

    def as_record(self) -> dict[str, Any]:
        """Return the request as it stands in a record."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def numbers(text: str) -> tuple[Any, ...]:
    """Return the numbers of a list such as `0.0,0.2,0.4`; a word that is no number stays a word.

    `CurveRequest` then refuses it by name, beside all other mistakes.

    Example:
        >>> numbers("0.0, 0.2,x")
        (0.0, 0.2, 'x')
    """
    return tuple(_number(word.strip()) for word in text.split(",") if word.strip())


def _number(word: str) -> float | str:
    try:
        return float(word)
    except ValueError:
        return word


def _grid(
    name: str, values: Sequence[Any], largest: float | None, neutral: float, mistakes: list[str]
) -> tuple[float, ...]:
    """Return the strengths sorted, once each, with the neutral one; add what is wrong to `mistakes`."""
    wrong = [value for value in values if not _is_strength(value, largest)]
    if wrong:
        bounds = "finite and at least 0" if largest is None else f"in [0, {largest:g}]"
        mistakes.append(f"`{name}` must be numbers {bounds}, got {', '.join(map(repr, wrong))}.")
        return ()
    return tuple(sorted({neutral, *map(float, values)})) if values else ()


def _is_strength(value: Any, largest: float | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return value >= 0 and (largest is None or value <= largest)


def _check_names(kind: str, names: Sequence[str], valid: Sequence[str], mistakes: list[str]) -> None:
    mistakes += [unknown(kind, name, valid) for name in names if name not in valid]
    if not names:
        mistakes.append(f"at least one {kind} is needed. Valid: {', '.join(valid)}.")
