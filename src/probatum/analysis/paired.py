"""Two runs compared seed by seed: an exact permutation test and a t-interval of the difference.

Source: R. A. Fisher, The Design of Experiments (1935), section 21.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probatum.analysis.intervals import mean, std, t_interval
from probatum.analysis.sign_flips import sign_flip_p

LARGEST_EXACT = 20  # 2**20 sign patterns; more seeds need no exact test


@dataclass(frozen=True)
class PairedTest:
    """The comparison of `treated` with `baseline` over the seeds that both have."""

    seeds: tuple[int, ...]
    mean_difference: float  # treated minus baseline
    p_value: float  # two-sided, exact
    smallest_p: float  # what this number of seeds could reach at best
    ci_low: float | None
    ci_high: float | None
    effect_size: (
        float | None
    )  # mean difference over its standard deviation; None where that is zero or unknown


def permutation_p(differences: Sequence[float]) -> float:
    """Return the exact two-sided p-value of "the signs of the differences are arbitrary".

    The share of all 2^n sign patterns whose absolute sum is at least the observed one, as `sign_flip_p`
    counts them.

    Raises:
        ValueError: no difference, more than `LARGEST_EXACT`, or one that is not finite.

    Example:
        >>> permutation_p([0.1, 0.2, 0.3])
        0.25
    """
    if len(differences) > LARGEST_EXACT:
        raise ValueError(f"an exact test takes at most {LARGEST_EXACT} pairs, got {len(differences)}.")
    return sign_flip_p(differences)


def paired_test(
    baseline: Mapping[int, float], treated: Mapping[int, float], confidence: float = 0.95
) -> PairedTest:
    """Return the paired comparison over the seeds that both have.

    Raises:
        ValueError: no seed is in both.

    Example:
        >>> paired_test({1: 0.5, 2: 0.5}, {1: 0.75, 2: 0.75}).mean_difference
        0.25
    """
    seeds = tuple(sorted(baseline.keys() & treated.keys()))
    if not seeds:
        raise ValueError(f"no seed is in both runs: {sorted(baseline)} and {sorted(treated)}.")
    differences = [treated[seed] - baseline[seed] for seed in seeds]
    spread = std(differences)
    low, high = t_interval(differences, confidence) or (None, None)
    return PairedTest(
        seeds, mean(differences), permutation_p(differences), math.ldexp(1.0, 1 - len(seeds)), low, high,
        mean(differences) / spread if spread else None,
    )  # fmt: skip
