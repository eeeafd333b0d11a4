"""What the rules find at an epoch, with the numbers behind every finding."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from statistics import median
from typing import Any

from probatum.signals.rules import GRADIENT_SHARE, Condition, Rule, words
from probatum.signals.snapshot import Finding, Snapshot

COMPARE = {"above": operator.gt, "at_least": operator.ge, "below": operator.lt, "at_most": operator.le}


def evaluate(
    rules: Mapping[str, Rule], snapshot: Snapshot, history: Sequence[Snapshot] = ()
) -> list[Finding]:
    """Return what the rules find at `snapshot`, in the rules' order.

    Args:
        rules: The rules by name.
        snapshot: The current epoch; it takes part in every window that "includes the current epoch".
        history: Earlier snapshots, oldest first; windows and patience reach no further back.
    """
    shots = [*history, snapshot]
    found: list[Finding] = []
    for name, rule in rules.items():
        if rule.until_epoch is None or snapshot.epoch <= rule.until_epoch:
            found += filter(
                None, (_finding(name, rule, target, shots) for target in _targets(rule, snapshot))
            )
    return found


def _targets(rule: Rule, snapshot: Snapshot) -> list[str | None]:
    """Return what `*` in a rule's signal stands for; [None] where the signal has none."""
    before, star, _ = rule.signal.partition("*")
    if not star:
        return [None]
    table = _walk(snapshot, before.rstrip("."))
    return list(table) if isinstance(table, Mapping) else []


def _finding(name: str, rule: Rule, target: str | None, shots: Sequence[Snapshot]) -> Finding | None:
    """Return the finding where the rule has held for its patience."""
    if len(shots) < rule.patience:
        return None
    conditions = (rule, *rule.also)
    for back in range(rule.patience):
        seen = shots[: len(shots) - back]
        if not all(_Reading(condition, target, seen).holds for condition in conditions):
            return None
    readings = [_Reading(condition, target, shots) for condition in conditions]
    first = readings[0]
    if first.value is None or first.limit is None:
        return None
    return Finding(
        rule.flag or name, name, rule.kind, target, first.value, rule.compare, first.limit, first.reference,
        rule.relative_to, rule.window, rule.patience, first.evidence,
        words(rule, target, first.value, first.reference, first.ratio),
        tuple(reading.text() for reading in readings), rule.remedy, rule.source,
    )  # fmt: skip


class _Reading:
    """A condition read for one layer or class at the last of some snapshots."""

    def __init__(self, condition: Condition, target: str | None, shots: Sequence[Snapshot]) -> None:
        self.condition, self.target, self.shots = condition, target, shots
        self.value = read(shots[-1], condition.signal, target)

    @cached_property
    def past(self) -> list[float | None]:
        """The signal in the window before the current epoch."""
        before = self.shots[max(0, len(self.shots) - 1 - self.condition.window) : -1]
        return [read(shot, self.condition.signal, self.target) for shot in before]

    @cached_property
    def reference(self) -> float | None:
        """What a relative threshold is a multiple of."""
        return _reference(self.condition, self.past) if self.condition.relative_to else None

    @cached_property
    def limit(self) -> float | None:
        """The threshold in the signal's unit."""
        return _limit(self.condition, self.reference)

    @property
    def evidence(self) -> int:
        """In how many epochs of the window the signal was measured."""
        return sum(value is not None for value in self.past)

    @property
    def margin(self) -> float:
        """How far past the limit the value must be; infinite where its standard error is unknown."""
        if not self.condition.clear_by:
            return 0.0
        error = read(self.shots[-1], self.condition.clear_by.signal, self.target)
        return math.inf if error is None else self.condition.clear_by.times * error

    @property
    def holds(self) -> bool:
        """Whether the value is past the limit, with enough evidence and by more than its standard errors."""
        if self.value is None or self.limit is None:
            return False
        if self.condition.min_evidence and self.evidence < self.condition.min_evidence:
            return False
        shift = -self.margin if self.condition.compare in ("above", "at_least") else self.margin
        return bool(COMPARE[self.condition.compare](self.value + shift, self.limit))

    @property
    def ratio(self) -> float:
        """The value over its reference; NaN without one."""
        return math.nan if self.value is None or not self.reference else self.value / self.reference

    def text(self) -> str:
        """Return the comparison in numbers."""
        condition = self.condition
        path = condition.signal.replace("*", self.target or "*")
        line = f"{path} {_short(self.value)} {condition.compare.replace('_', ' ')} {_short(self.limit)}"
        if condition.relative_to:
            line += (
                f" ({condition.threshold:g} x {condition.relative_to} {_short(self.reference)}, "
                f"{self.evidence} epochs)"
            )
        if condition.clear_by:
            line += f", by {condition.clear_by.times:g} standard errors ({_short(self.margin)})"
        return line


def _reference(condition: Condition, past: Sequence[float | None]) -> float | None:
    """Return what a relative threshold is a multiple of; None where the history does not hold it."""
    known = [value for value in past if value is not None]
    if condition.relative_to is None or not known:
        return None
    if condition.relative_to == "previous":
        return past[-1]
    if condition.relative_to == "earlier":
        return past[0] if len(past) == condition.window else None
    return {"own_median": median, "own_minimum": min, "own_maximum": max}[condition.relative_to](known)


def _limit(condition: Condition, reference: float | None) -> float | None:
    """Return the threshold in the signal's unit; a multiple of what is not positive says nothing."""
    if condition.relative_to is None:
        return condition.threshold
    return condition.threshold * reference if reference is not None and reference > 0 else None


def read(snapshot: Snapshot, path: str, target: str | None = None) -> float | None:
    """Return the number at a path of a snapshot, None where it was not measured.

    Example:
        >>> read(Snapshot(1, weight_norms={"fc": 2.0}), "weight_norms.*", "fc")
        2.0
    """
    if path == f"{GRADIENT_SHARE}.*":
        return _gradient_share(snapshot, target)
    value = _walk(snapshot, path, target)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _walk(snapshot: Snapshot, path: str, target: str | None = None) -> Any:
    """Follow a path; `*` is replaced by the target, which may itself hold dots."""
    first, *rest = _parts(path)
    value: Any = getattr(snapshot, first)
    for part in rest:
        value = value.get(target if part == "*" else part) if isinstance(value, Mapping) else None
    return value


@cache
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _gradient_share(snapshot: Snapshot, layer: str | None) -> float | None:
    """Return a layer's norm over the global norm."""
    own = snapshot.gradient_stats.get(layer or "", {}).get("norm")
    total = (snapshot.gradient_health or {}).get("overall_norm")
    return own / total if own is not None and total else None


def by_flag(findings: Sequence[Finding], kind: str) -> Iterator[str]:
    """Yield the names of the flags of one kind, each once, in the order of the findings."""
    yield from dict.fromkeys(finding.name for finding in findings if finding.kind == kind)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
