"""What probably ails a run, and what to try: from the findings of its snapshots, with the numbers behind each.

A cause is named by the rules that point to it (`signals/rules.yaml`, which also gives remedy and source). It is
`likely` where one of its rules held in most of the last epochs, `possible` where one held in some; what nobody
measured is listed and never counted as absent. A rule is evidence and no proof: an intervention is the proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from probatum.signals.snapshot import Finding, Snapshot

LAST = 5  # epochs that are looked at
PLATEAU = 3  # epochs
FAR_FROM_BEST = 1.2  # the loss over its own best
STEADY_SHARE = 0.005  # of the training loss an epoch: below it the loss stands still


@dataclass(frozen=True)
class Cause:
    """A cause, the rules that point to it, and what a snapshot must hold for them to be asked."""

    name: str
    rules: tuple[str, ...]
    needs: str  # a field of a snapshot
    advice: str


CAUSES = (
    Cause("non_finite_values", ("non_finite_values",), "train_loss",
          "find the first epoch that has it; lower the learning rate, clip gradients, check inputs and logs"),
    Cause("exploding_gradients", ("exploding_gradients", "exploding_gradients_by_history"), "gradient_stats",
          "clip gradients, lower the learning rate or warm it up"),
    Cause("high_learning_rate", ("update_ratio_large", "update_ratio_extreme"), "update_ratios",
          "lower the learning rate, or warm it up"),
    Cause("vanishing_gradients", ("vanishing_gradients", "vanishing_gradients_by_history", "poor_gradient_health",
          "poor_initialisation"), "gradient_stats",
          "normalise gradients or activations per layer, add a skip connection, check the initialisation"),
    Cause("dead_or_saturated_units", ("dead_units", "saturated_activations"), "activation_stats",
          "lower the learning rate, use a leaky activation, normalise before the activation"),
    Cause("low_learning_rate", ("update_ratio_small", "unchanged_tensor"), "update_ratios",
          "raise the learning rate tenfold; see whether the optimiser holds the layer"),
    Cause("class_imbalance", ("class_count_imbalance", "severe_class_imbalance"), "per_class_accuracy",
          "weigh the classes by their inverse frequency, or resample the weak ones"),
    Cause("sharp_minimum", ("sharp_minimum",), "sharpness",
          "lower the learning rate late, average weights, or use smaller batches"),
    Cause("attention_collapse", ("attention_collapse",), "attention_stats",
          "look at the lag curve; padding or an input that leaks the target often takes all the mass"),
    Cause("overfitting", ("overfitting", "overfitting_by_gap"), "train_val_gap",
          "stop at the best epoch; regularise, augment, or use a smaller model"),
)  # fmt: skip

SIGNALS: Mapping[str, tuple[str, str]] = {
    "gradient_stats": ("gradients", "standard"),
    "activation_stats": ("activations", "diagnostic"),
    "per_class_accuracy": ("classes", "diagnostic"),
    "sharpness": ("sharpness", "diagnostic"),
    "update_ratios": ("update-to-weight ratios", "research"),
}
"""What may be missing from a snapshot: its name for people, and the least profile that records it."""


@dataclass(frozen=True)
class Advice:
    """One cause of a run."""

    cause: str
    certainty: str  # likely, possible
    epochs: tuple[int, ...]  # in which a rule held, of those looked at
    evidence: tuple[str, ...]
    advice: str
    remedies: tuple[str, ...]
    sources: tuple[str, ...]


def advise(shots: Sequence[Snapshot], *, has_signals: bool = True) -> dict[str, Any]:
    """Return the symptom of a run, its probable causes, and what could not be seen, as strict JSON takes it.

    Args:
        shots: Every epoch, oldest first; at least one.
        has_signals: Whether a probe watched.

    Example:
        >>> advise([Snapshot(1, train_loss=1.0, val_loss=1.0)], has_signals=False)["symptom"]["name"]
        'too_short'
    """
    symptom = _symptom(shots)
    causes = [found for cause in CAUSES if (found := _asked(cause, shots[-LAST:]))]
    if symptom["name"] == "plateau" and not any(own.certainty == "likely" for own in causes):
        causes += _quiet_plateau(shots)
    causes.sort(key=lambda own: (own.certainty != "likely", _misfit(own, symptom["name"])))
    return {
        "epochs": len(shots),
        "symptom": symptom,
        "causes": [
            {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(own).items()}
            for own in causes
        ],
        "not_seen": _not_seen(shots),
        "has_signals": has_signals,
    }


def _symptom(shots: Sequence[Snapshot]) -> dict[str, Any]:
    """Return what the curves show, in numbers; the first that fits."""
    last = shots[-1]
    bad = [shot.epoch for shot in shots if {"train_loss", "val_loss"} & set(shot.non_finite)]
    if bad:
        return _named("divergence", f"a loss was NaN or infinite from epoch {bad[0]} on")
    if last.train_loss is None:
        return _named("unknown", "no training loss was recorded")
    losses = [shot.train_loss for shot in shots if shot.train_loss is not None]
    if len(losses) >= 3 and losses[-1] > FAR_FROM_BEST * min(losses) > 0:
        return _named(
            "divergence", f"training loss {losses[-1]:.4g} is {losses[-1] / min(losses):.1f} times its best"
        )
    if len(shots) < PLATEAU:
        return _named("too_short", f"{len(shots)} epochs say little; {PLATEAU} are needed for a plateau")
    if _has(last, "overfitting"):
        return _named("overfitting", _of(last, "overfitting"))
    if (last.plateau_length or 0) >= PLATEAU or (last.epochs_since_best or 0) >= 10:
        best = f", best at epoch {last.best_epoch}" if last.best_epoch else ""
        return _named("plateau", f"validation loss flat for {last.plateau_length or 0} epochs{best}")
    if (
        last.plateau_length is None
        and len(losses) > LAST
        and losses[-LAST - 1] - losses[-1] < LAST * STEADY_SHARE * abs(losses[-1])
    ):
        return _named(
            "plateau", f"training loss {losses[-LAST - 1]:.4g} -> {losses[-1]:.4g} in {LAST} epochs"
        )
    if last.best_epoch == last.epoch:
        return _named("improving", f"the last epoch ({last.epoch}) is the best: training longer may pay")
    return _named("none", "no plateau, no divergence")


def _asked(cause: Cause, shots: Sequence[Snapshot]) -> Advice | None:
    """Return what the last epochs say of a cause; None where no rule held."""
    held = {
        shot.epoch: own
        for shot in shots
        if (own := [finding for finding in shot.findings if finding.rule in cause.rules])
    }
    if not held:
        return None
    newest: list[Finding] = held[max(held)]
    return Advice(
        cause.name,
        "likely" if 2 * len(held) > len(shots) else "possible",
        tuple(sorted(held)),
        tuple(f"epoch {max(held)}: {own.wording} [{'; '.join(own.evidence)}]" for own in newest[:4]),
        cause.advice,
        tuple(dict.fromkeys(own.remedy for own in newest)),
        tuple(dict.fromkeys(own.source for own in newest)),
    )


def _quiet_plateau(shots: Sequence[Snapshot]) -> list[Advice]:
    """Return what a plateau without any ill signal suggests: capacity, or the step size."""
    last = shots[-1]
    health = (last.gradient_health or {}).get("score")
    gap = last.relative_gap
    if gap is None or abs(gap) > 0.1:
        return []
    said = [f"epoch {last.epoch}: validation loss {gap:+.0%} of training loss: both stand still together"]
    if health is not None:
        said.append(f"epoch {last.epoch}: gradient health {health:.2f}")
    remedy = "With healthy gradients change the learning rate or the model; with ill ones mend these first."
    certainty = "likely" if health is not None and health > 0.8 else "possible"
    return [
        Advice("underfitting", certainty, (last.epoch,), tuple(said),
               "give the network more capacity, or change the learning rate; one at a time", (remedy,),
               ("signals/rules.yaml, sustained_plateau",)),
    ]  # fmt: skip


_EXPLAINS: Mapping[str, tuple[str, ...]] = {
    "divergence": ("non_finite_values", "exploding_gradients", "high_learning_rate"),
    "plateau": ("vanishing_gradients", "low_learning_rate", "dead_or_saturated_units", "class_imbalance",
                "sharp_minimum", "high_learning_rate", "attention_collapse", "underfitting"),
    "overfitting": ("overfitting",),
}  # fmt: skip


def _misfit(own: Advice, symptom: str) -> int:
    """Return 0 for a cause that explains the symptom, 1 for another."""
    return int(own.cause not in _EXPLAINS.get(symptom, ()))


def _not_seen(shots: Sequence[Snapshot]) -> list[dict[str, str]]:
    return [
        {
            "signal": name,
            "profile": profile,
            "causes": ", ".join(own.name for own in CAUSES if own.needs == field),
        }
        for field, (name, profile) in SIGNALS.items()
        if not any(getattr(shot, field) not in (None, {}) for shot in shots)
    ]


def _named(name: str, evidence: str) -> dict[str, Any]:
    return {"name": name, "evidence": evidence}


def _has(shot: Snapshot, flag: str) -> bool:
    return flag in shot.red_flags


def _of(shot: Snapshot, flag: str) -> str:
    return next(own.wording for own in shot.findings if own.name == flag)


def advice_text(run: str, trainings: Sequence[Mapping[str, Any]], study: str | None) -> str:
    """Return the advice for people: symptom, causes with their evidence, and what could not be seen."""
    lines = [run]
    for own in trainings:
        head = "" if own.get("seed") is None else f"seed {own['seed']}, "
        lines += ["", f"{head}{own['epochs']} epochs ({own['source']})"]
        lines.append(f"symptom: {own['symptom']['name'].replace('_', ' ')}: {own['symptom']['evidence']}")
        if not own["causes"]:
            lines.append("no rule points to a cause")
        for cause in own["causes"]:
            lines += [
                f"{cause['certainty']}: {cause['cause'].replace('_', ' ')}",
                *(f"    {said}" for said in cause["evidence"]),
            ]
            lines.append(f"    try: {cause['advice']}")
            lines.append(f"    source: {'; '.join(cause['sources'])}")
    missing = trainings[-1]["not_seen"]
    if missing:
        lines += ["", "not seen:"]
        lines += [
            f"    {own['signal']} (profile {own['profile']}): could show {own['causes'] or '-'}"
            for own in missing
        ]
        lines.append(f"    to see all: {_command(study)}")
    return "\n".join(lines)


def _command(study: str | None) -> str:
    return f"probatum launch {study or 'STUDY'} --instrument_signals --telemetry-profile research"
