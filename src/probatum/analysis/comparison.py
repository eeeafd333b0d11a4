"""An experiment against the baseline: difference, interval, exact p, effect size, and what the seeds allow.

Paired by seed where two or more seeds are in both; else the exact test of two independent groups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from probatum._holm import holm
from probatum.analysis import unpaired
from probatum.analysis.groups import Seed
from probatum.analysis.intervals import mean, summarise
from probatum.analysis.separation import seeds_needed, smallest_paired_p, smallest_unpaired_p
from probatum.analysis.sign_flips import LARGEST, sign_flip_p

ALPHA = 0.05
Verdict = Literal["better", "worse", "not separated", "cannot separate", "one seed"]


@dataclass(frozen=True)
class Comparison:
    """One experiment compared with another in one metric."""

    n: int  # pairs, or the smaller group
    is_paired: bool
    difference: float  # this experiment minus the baseline
    ci_low: float | None
    ci_high: float | None
    effect_size: float | None  # paired: difference over its standard deviation; else Cohen's d
    p_value: float
    smallest_p: float
    higher_is_better: bool
    p_holm: float = 1.0
    comparisons: int = 1  # the family of Holm's correction

    @property
    def is_better(self) -> bool:
        """Whether the difference points to the better side."""
        return self.difference > 0 if self.higher_is_better else self.difference < 0

    @property
    def verdict(self) -> Verdict:
        """What may be said at the level of 0.05 after Holm's correction."""
        if self.n < 2:
            return "one seed"
        if self.p_holm <= ALPHA:
            return "better" if self.is_better else "worse"
        return "cannot separate" if self.smallest_p * self.comparisons > ALPHA else "not separated"

    @property
    def regression(self) -> Literal["confirmed", "possible"] | None:
        """Whether the experiment is worse: by the exact test, or only by the interval of the difference."""
        if self.is_better or self.difference == 0:
            return None
        if self.verdict == "worse":
            return "confirmed"
        excludes = self.ci_low is not None and self.ci_high is not None and self.ci_low * self.ci_high > 0
        return "possible" if excludes else None

    def sentence(self) -> str:
        """Return the verdict with the n that could tell more.

        Example:
            >>> compare({1: 0.5, 2: 0.6, 3: 0.4}, {1: 0.6, 2: 0.8, 3: 0.5}, True).sentence()
            'cannot separate at n=3 (smallest p 0.25); n=6 could'
        """
        if self.verdict == "one seed":
            return "one seed: nothing can be tested"
        if self.verdict == "cannot separate":
            alone = seeds_needed(ALPHA, paired=self.is_paired)
            family = seeds_needed(ALPHA, self.comparisons, paired=self.is_paired)
            more = f"n={alone} could"
            if family > alone:
                among = f"among {self.comparisons} comparisons"
                more = f"{more} alone, n={family} {among}" if alone > self.n else f"n={family} could {among}"
            return f"cannot separate at n={self.n} (smallest p {self.smallest_p:.2g}); {more}"
        if self.verdict == "not separated":
            return f"not separated at n={self.n} (Holm p {self.p_holm:.2g})"
        return f"{self.verdict} (Holm p {self.p_holm:.2g}, n={self.n})"

    def as_record(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        words = {"verdict": self.verdict, "regression": self.regression, "sentence": self.sentence()}
        return asdict(self) | words


def compare(
    baseline: Mapping[Seed, float], treated: Mapping[Seed, float], higher_is_better: bool
) -> Comparison:
    """Return the comparison of one value per seed with another's.

    Raises:
        ValueError: a side has no value.
    """
    common = _pairs(baseline, treated)
    if common:
        return _paired([treated[seed] - baseline[seed] for seed in common], higher_is_better)
    return _unpaired(list(baseline.values()), list(treated.values()), higher_is_better)


def smallest_p(baseline: Mapping[Seed, float], treated: Mapping[Seed, float]) -> float:
    """Return the smallest p that a comparison of these could have, whatever the values."""
    common = _pairs(baseline, treated)
    return smallest_paired_p(len(common)) if common else smallest_unpaired_p(len(baseline), len(treated))


def _pairs(baseline: Mapping[Seed, float], treated: Mapping[Seed, float]) -> list[int]:
    """Return the seeds that pair two experiments: two at least, or the only one of both."""
    common = sorted(seed for seed in baseline.keys() & treated.keys() if isinstance(seed, int))
    return common if len(common) > 1 or len(baseline) == len(treated) == 1 else []


def adjust(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons as one family, corrected by Holm; those of one seed test nothing and do not count."""
    tested = [index for index, comparison in enumerate(comparisons) if comparison.n > 1]
    adjusted = holm([comparisons[index].p_value for index in tested])
    found = list(comparisons)
    for index, p in zip(tested, adjusted, strict=True):
        found[index] = replace(found[index], p_holm=p, comparisons=len(tested))
    return found


def _paired(differences: Sequence[float], higher_is_better: bool) -> Comparison:
    n, found = len(differences), summarise(differences)
    p = sign_flip_p(differences) if n <= LARGEST else _normal_p(differences)
    effect = found.mean / found.std if found.std else None
    ends = found.ci_low, found.ci_high
    return Comparison(n, True, found.mean, *ends, effect, p, smallest_paired_p(n), higher_is_better, p)


def _unpaired(first: Sequence[float], second: Sequence[float], higher_is_better: bool) -> Comparison:
    n, m = len(first), len(second)
    low, high = unpaired.welch_interval(first, second) or (None, None)
    difference, effect = mean(second) - mean(first), unpaired.cohens_d(first, second)
    smallest = smallest_unpaired_p(n, m)
    if math.comb(n + m, n) <= unpaired.LARGEST_EXACT:
        p = unpaired.unpaired_p(first, second)
    else:
        p = _normal_p([value - mean(first) for value in second], variance=unpaired.mean_variance(first))
    return Comparison(min(n, m), False, difference, low, high, effect, p, smallest, higher_is_better, p)


def _normal_p(differences: Sequence[float], variance: float = 0.0) -> float:
    """Return the permutation test's normal approximation: exact enumeration would take 2^n steps."""
    error = math.sqrt(unpaired.mean_variance(differences) + variance)
    if error == 0:
        return 1.0 if mean(differences) == 0 else 0.0
    return math.erfc(abs(mean(differences)) / error / math.sqrt(2))
