"""An epoch told: numbers, red flags, opportunities, and one line for people.

Source: seed 004, "Claude-friendly annotations"; the parts are joined by ` | ` as in its sample pack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from probatum.signals.epoch import EpochSignals
from probatum.signals.epoch_numbers import PLATEAU_SHARE, take_snapshot
from probatum.signals.findings import by_flag, evaluate
from probatum.signals.rules import Rule, shipped_rules
from probatum.signals.snapshot import EpochMetrics, Finding, Snapshot

SEPARATOR = " | "
NOTHING = "Training normally"
GOOD_HEALTH = 0.8
WIDE_CLASS_RANGE = 0.2  # best minus worst class accuracy
_TOLD = frozenset(  # flags that have a sentence of their own
    {
        "sustained_plateau",
        "vanishing_gradients",
        "exploding_gradients",
        "poor_gradient_health",
        "severe_class_imbalance",
    }
)


def tell(
    signals: EpochSignals,
    metrics: EpochMetrics,
    history: Sequence[Snapshot] = (),
    rules: Mapping[str, Rule] | None = None,
) -> Snapshot:
    """Return the complete snapshot of an epoch: numbers, findings, flags, opportunities and narrative.

    Args:
        signals: What the probe saw.
        metrics: The loop's scalars of the same epoch.
        history: Earlier snapshots, oldest first.
        rules: From `load_rules`; None takes them as they are shipped.

    Example:
        >>> tell(EpochSignals(1), EpochMetrics(1, val_accuracy=0.2)).opportunities
        ('early_stage_flexibility',)
    """
    shot = take_snapshot(signals, metrics, history)
    findings = tuple(evaluate(shipped_rules() if rules is None else rules, shot, history))
    shot = replace(
        shot,
        findings=findings,
        red_flags=tuple(by_flag(findings, "red_flag")),
        opportunities=tuple(by_flag(findings, "opportunity")),
    )
    return replace(shot, narrative=narrate(shot, history))


def narrate(shot: Snapshot, history: Sequence[Snapshot] = ()) -> str:
    """Return the parts of an epoch's story joined by ` | `, "Training normally" where there is none.

    The loss first, then the gradients, the classes, and every other red flag in its own wording.

    Example:
        >>> narrate(Snapshot(4, val_loss=0.5, plateau_length=4, gradient_health={"score": 0.95}))
        'Loss plateaued for 4 epochs at ~0.5 | Gradient health good'
    """
    parts = [_loss(shot, history), *_gradients(shot), _classes(shot), *_others(shot.findings)]
    return SEPARATOR.join(part for part in parts if part) or NOTHING


def _loss(shot: Snapshot, history: Sequence[Snapshot]) -> str:
    """Return how the validation loss moved; a change within the plateau's tolerance is none."""
    if shot.val_loss is None:
        return ""
    if shot.plateau_length is not None and shot.plateau_length >= 3:
        return f"Loss plateaued for {shot.plateau_length} epochs at ~{shot.val_loss:.3g}"
    before = history[-1].val_loss if history else None
    if before is None or abs(before - shot.val_loss) <= PLATEAU_SHARE * abs(before):
        return ""
    word = "improving" if shot.val_loss < before else "degrading"
    return f"Validation loss {word} ({before:.4g} -> {shot.val_loss:.4g})"


def _gradients(shot: Snapshot) -> list[str]:
    health = shot.gradient_health or {}
    parts = []
    for key, word in (("vanishing_layers", "vanishing"), ("exploding_layers", "exploding")):
        flagged = {f.target for f in shot.findings if f.name == f"{word}_gradients"}
        named = sorted({*health.get(key, ()), *filter(None, flagged)})
        if named:
            parts.append(f"{len(named)} layer{'s' * (len(named) > 1)} {word} ({_some(named)})")
    score = health.get("score")
    if score is not None and score >= GOOD_HEALTH:
        parts.append("Gradient health good")
    elif score is not None and score < 0.5:
        parts.append(f"Gradient health poor ({score:.2f})")
    return parts


def _classes(shot: Snapshot) -> str:
    known = {name: value for name, value in shot.per_class_accuracy.items() if value is not None}
    if len(known) < 2 or shot.class_range is None or shot.class_range <= WIDE_CLASS_RANGE:
        return ""
    worst, best = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    return f"Class imbalance (worst: {worst} at {known[worst]:.0%}, best: {best} at {known[best]:.0%})"


def _others(findings: Sequence[Finding]) -> list[str]:
    """Return one part per flag: the first finding's wording, and how many more targets there are."""
    parts = []
    for name in by_flag(findings, "red_flag"):
        if name in _TOLD:
            continue
        own = [finding for finding in findings if finding.name == name]
        targets = {finding.target for finding in own}
        more = f" (and {len(targets) - 1} more)" if len(targets) > 1 else ""
        parts.append(own[0].wording[:1].upper() + own[0].wording[1:] + more)
    return parts


def _some(names: Sequence[str], shown: int = 3) -> str:
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")
