"""The numbers of a snapshot: from an `EpochSignals`, the loop's scalars and the snapshots before.

Everything that looks back (plateau, best, health) includes the current epoch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median, pvariance
from typing import Any

from probatum.signals.epoch import EpochSignals, Statistic
from probatum.signals.health import gradient_health
from probatum.signals.snapshot import EpochMetrics, PrimaryMetric, Snapshot

PLATEAU_SHARE = 0.01  # of the median |val_loss| of the run: losses this close count as equal
PLATEAU_ACCURACY_SHARE = 0.005  # of the accuracy's range: for the observation's own plateau counter


def take_snapshot(signals: EpochSignals, metrics: EpochMetrics, history: Sequence[Snapshot] = ()) -> Snapshot:
    """Return the numbers of an epoch; `narrative.tell` adds flags and words.

    Args:
        signals: What the probe saw.
        metrics: The loop's scalars of the same epoch.
        history: Earlier snapshots of the run, oldest first, without this epoch.

    Raises:
        ValueError: signals and metrics are of different epochs.

    Example:
        >>> shot = take_snapshot(EpochSignals(1), EpochMetrics(1, train_loss=0.5, val_loss=0.75))
        >>> shot.train_val_gap, shot.plateau_length, shot.gradient_health
        (0.25, 1, None)
    """
    if signals.epoch != metrics.epoch:
        raise ValueError(
            f"expected one epoch, got signals of {signals.epoch} and metrics of {metrics.epoch}."
        )
    values: dict[str, Any] = {"epoch": signals.epoch}
    values |= _scalars(metrics, history)
    values |= _layer_values(signals, history)
    values |= _class_values(signals.per_class)
    values |= _whole_network(signals)
    values["non_finite"] = _non_finite(signals, metrics)
    return Snapshot(**values)


def plateau_length(losses: Sequence[float | None], share: float = PLATEAU_SHARE) -> int | None:
    """Return how many epochs up to and with the last have a loss equal to the last one's.

    Equal is within `share` times the median of |loss| over all given; an unmeasured epoch ends the count.

    Example:
        >>> plateau_length([1.0, 0.5, 0.501, 0.502]), plateau_length([1.0]), plateau_length([1.0, None])
        (3, 1, None)
    """
    measured = [abs(loss) for loss in losses if loss is not None]
    if not losses or losses[-1] is None:
        return None
    last, tolerance, count = losses[-1], share * median(measured), 0
    for loss in reversed(losses):
        if loss is None or abs(loss - last) > tolerance:
            break
        count += 1
    return count


def _scalars(metrics: EpochMetrics, history: Sequence[Snapshot]) -> dict[str, Any]:
    train, val, accuracy = finite(metrics.train_loss), finite(metrics.val_loss), finite(metrics.val_accuracy)
    gap = None if train is None or val is None else val - train
    before = history[-1] if history else None
    losses = [shot.val_loss for shot in history] + [val]
    recent = [loss for loss in losses[-5:] if loss is not None]
    return {
        "train_loss": train,
        "val_loss": val,
        "val_accuracy": accuracy,
        "train_accuracy": finite(metrics.train_accuracy),
        "accuracy_share": None if accuracy is None else accuracy / metrics.accuracy_upper,
        "train_val_gap": gap,
        "relative_gap": None if gap is None or not train else gap / abs(train),
        "global_step": metrics.global_step,
        "plateau_length": plateau_length(losses),
        "plateau_epochs": _plateau_epochs(accuracy, before, metrics.accuracy_upper),
        "val_loss_range": _range_share(recent),
        "best_val_loss": _best(before.best_val_loss if before else None, val, higher=False),
        "best_val_accuracy": _best(before.best_val_accuracy if before else None, accuracy, higher=True),
        **_primary(metrics, before),
    }


def _primary(metrics: EpochMetrics, before: Snapshot | None) -> dict[str, Any]:
    """Return the primary metric, its best value and when that was; ties keep the earlier epoch."""
    chosen = metrics.primary
    if chosen is None and metrics.val_accuracy is not None:
        chosen = PrimaryMetric("val_accuracy", metrics.val_accuracy, True)
    if chosen is None and metrics.val_loss is not None:
        chosen = PrimaryMetric("val_loss", metrics.val_loss, False)
    if chosen is None:
        return {}
    value = finite(chosen.value)
    held = before.best_primary if before else None
    best = _best(held, value, higher=chosen.higher_is_better)
    epoch = before.best_epoch if before and best == held else (None if best is None else metrics.epoch)
    return {
        "primary": {"name": chosen.name, "value": value, "higher_is_better": chosen.higher_is_better},
        "best_primary": best,
        "best_epoch": epoch,
        "epochs_since_best": None if epoch is None else metrics.epoch - epoch,
    }


def _plateau_epochs(accuracy: float | None, before: Snapshot | None, upper: float) -> int | None:
    """Return the observation's counter: +1 where the accuracy rose by less than half a point, else 0."""
    if accuracy is None or before is None or before.val_accuracy is None:
        return None if accuracy is None else 0
    rose = accuracy - before.val_accuracy >= PLATEAU_ACCURACY_SHARE * upper
    return 0 if rose else (before.plateau_epochs or 0) + 1


def _best(held: float | None, new: float | None, *, higher: bool) -> float | None:
    known = [value for value in (held, new) if value is not None]
    return (max(known) if higher else min(known)) if known else None


def _range_share(losses: Sequence[float]) -> float | None:
    """Return (max - min) / median |loss| of five epochs, None for fewer."""
    middle = median(map(abs, losses)) if losses else 0.0
    return (max(losses) - min(losses)) / middle if len(losses) == 5 and middle else None


def _layer_values(signals: EpochSignals, history: Sequence[Snapshot]) -> dict[str, Any]:
    gradients = {
        name: {**_means(table), "non_finite_share": _non_finite_share(table)}
        for name, table in signals.gradients.items()
    }
    total = signals.totals.get("gradient_norm")
    norms = [norm for own in gradients.values() if (norm := own.get("norm"))]
    return {
        "gradient_stats": gradients,
        "gradient_health": gradient_health(
            gradients, [shot.gradient_stats for shot in history], total.mean if total else None
        ),
        "gradient_spread": max(norms) / min(norms) if len(norms) > 1 else None,
        "weight_norms": _column(signals.weights, "norm"),
        "update_ratios": _column(signals.weights, "update_ratio"),
        "activation_stats": {name: _means(table) for name, table in signals.activations.items()},
        "attention_stats": {name: _means(table) for name, table in signals.attention.items()},
        "head_stats": {name: _means(table) for name, table in signals.heads.items()},
    }


def _class_values(per_class: Mapping[str, Any]) -> dict[str, Any]:
    accuracy = by_class(per_class.get("accuracy"))
    counts = by_class(per_class.get("counts"))
    known = [value for value in accuracy.values() if value is not None]
    present = [value for value in counts.values() if value]
    confusion = per_class.get("confusion")
    return {
        "per_class_accuracy": accuracy,
        "per_class_loss": by_class(per_class.get("loss")),
        "per_class_counts": counts,
        "class_variance": pvariance(known) if len(known) > 1 else None,
        "class_range": max(known) - min(known) if len(known) > 1 else None,
        "class_count_ratio": max(present) / min(present) if len(present) > 1 else None,
        "confusion": [[finite(cell) for cell in row] for row in confusion] if confusion is not None else None,
    }


def _whole_network(signals: EpochSignals) -> dict[str, Any]:
    noise, losses = signals.totals.get("loss_noise"), signals.totals.get("loss")
    scale = signals.totals.get("gradient_noise_scale")
    land = signals.landscape
    return {
        "sharpness": finite(land.get("sharpness")),
        "sharpness_se": finite(land.get("sharpness_se")),
        "top_eigenvalue": finite(land.get("top_eigenvalue")),
        "trace": finite(land.get("trace")),
        "loss_noise": noise.mean if noise else (losses.std if losses else None),
        "gradient_noise_scale": scale.mean if scale else None,
    }


def _non_finite(signals: EpochSignals, metrics: EpochMetrics) -> dict[str, int]:
    """Return what held NaN or infinity: scalars, totals and layers, by name."""
    found: dict[str, int] = {}
    for name in ("train_loss", "val_loss", "val_accuracy", "train_accuracy"):
        value = getattr(metrics, name)
        if value is not None and not math.isfinite(value):
            found[name] = 1
    for name, statistic in signals.totals.items():
        if statistic.non_finite:
            found[name] = statistic.non_finite
    for kind in ("gradients", "weights", "activations", "attention"):
        for layer, table in getattr(signals, kind).items():
            if count := _bad_values(table):
                found[f"{kind}.{layer}"] = count
    return found


def _bad_values(table: Mapping[str, Statistic]) -> int:
    """Return the elements counted as NaN or infinite, or at least the batches whose statistics were."""
    counted = sum(
        math.ceil((statistic.mean or 0.0) * statistic.n)
        for name, statistic in table.items()
        if name in ("nan_count", "inf_count")
    )
    return counted or max((statistic.non_finite for statistic in table.values()), default=0)


def _non_finite_share(table: Mapping[str, Statistic]) -> float:
    """Return the share of the probed batches in which a layer held NaN or infinity."""
    batches = max((statistic.n + statistic.non_finite for statistic in table.values()), default=0)
    bad = max((statistic.non_finite for statistic in table.values()), default=0)
    counted = [table[name].max for name in ("nan_count", "inf_count") if name in table]
    if any(counted):
        bad = max(bad, 1)
    return bad / batches if batches else 0.0


def _means(table: Mapping[str, Statistic]) -> dict[str, float | None]:
    return {name: statistic.mean for name, statistic in table.items()}


def _column(table: Mapping[str, Mapping[str, Statistic]], name: str) -> dict[str, float | None]:
    return {layer: own[name].mean for layer, own in table.items() if name in own}


def by_class(values: Any) -> dict[str, float | None]:
    """Return values per class by the class's name, from a sequence or a mapping.

    Example:
        >>> by_class([0.5, float("nan")]), by_class(None)
        ({'0': 0.5, '1': None}, {})
    """
    if values is None:
        return {}
    pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
    return {str(name): finite(value) for name, value in pairs}


def finite(value: Any) -> float | None:
    """Return a number, None where there is none or where it is NaN or infinite.

    Example:
        >>> finite(1), finite(None), finite(float("inf"))
        (1.0, None, None)
    """
    return float(value) if value is not None and math.isfinite(value) else None
