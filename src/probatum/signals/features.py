"""What a policy observes: names, order and count follow from the configuration and the model alone.

The base of 27 numbers is always there; groups are appended as the configuration asks for them. With 7 layers
and 10 classes: minimal 27, standard 45 (27 + 7 x 2 + 4).

A value that was not measured, or that was NaN or infinite, is 0.0 in the vector and 0 in its mask: the two
together, never the value alone, are an observation. Nothing is clipped or standardised here.

Source: seed 004, sections "Hierarchical features" and "feature_schema"; tamiyo.md, section 2 (the base).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.signals.snapshot import Snapshot

WINDOW = 5  # validation losses and accuracies that the base looks back on
SEED_STATE = (
    "has_active_seed", "seed_stage", "seed_epochs_in_stage", "seed_alpha", "seed_improvement", "available_slots",
)  # fmt: skip
BASE = (
    "epoch", "global_step", "train_loss", "val_loss", "loss_delta", "train_accuracy", "val_accuracy",
    "accuracy_delta", "plateau_epochs", "best_val_accuracy", "best_val_loss",
    *(f"val_loss_history_{index}" for index in range(WINDOW)),  # oldest first
    *(f"val_accuracy_history_{index}" for index in range(WINDOW)),
    *SEED_STATE,
)  # fmt: skip

Read = Callable[[Snapshot], float | None]


@dataclass(frozen=True)
class FeatureVector:
    """One observation: values and a mask of the same length; mask 0 means that the value says nothing."""

    values: tuple[float, ...]
    mask: tuple[int, ...]


@dataclass(frozen=True)
class FeatureSchema:
    """The names of a vector's entries by group, in the vector's order.

    Example:
        >>> schema = FeatureSchema({"base": BASE}, {})
        >>> schema.count, schema.index["val_loss"]
        (27, 3)
    """

    groups: Mapping[str, tuple[str, ...]]
    readers: Mapping[str, Read]  # of every name outside the base

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in order."""
        return tuple(name for group in self.groups.values() for name in group)

    @property
    def count(self) -> int:
        """The length of a vector."""
        return len(self.names)

    @property
    def index(self) -> dict[str, int]:
        """The position of every name."""
        return {name: position for position, name in enumerate(self.names)}

    def as_record(self) -> dict[str, Any]:
        """Return the schema as it stands in a pack: the groups, and `_index`."""
        return {**{group: list(names) for group, names in self.groups.items()}, "_index": self.index}

    def vector(self, shots: Sequence[Snapshot], seed: Mapping[str, float] | None = None) -> FeatureVector:
        """Return the observation at the last of `shots`.

        Args:
            shots: Snapshots of the run, oldest first; five suffice.
            seed: The state of the network's slot by the names of `SEED_STATE`, where there is one.

        Raises:
            UsageError: there is no snapshot, or `seed` holds another name.
        """
        if not shots:
            raise UsageError("a feature vector needs at least one snapshot, got none.")
        base = base_values(shots, seed)
        last = shots[-1]
        raw = [base[name] if name in base else self.readers[name](last) for name in self.names]
        measured = [value is not None and abs(value) != float("inf") and value == value for value in raw]
        values = tuple(
            float(value or 0.0) if known else 0.0 for value, known in zip(raw, measured, strict=True)
        )
        return FeatureVector(values, tuple(int(known) for known in measured))


def feature_schema(
    config: Any,
    layers: Sequence[str] = (),
    classes: int = 0,
    *,
    activation_layers: Sequence[str] | None = None,
    attention_layers: Sequence[str] = (),
    heads: Sequence[str] = (),
) -> FeatureSchema:
    """Return the schema that a telemetry configuration and a model give.

    Args:
        config: A `TelemetryConfig`, or any object with its attributes.
        layers: The layers whose gradients and weights are probed, in the probe's order.
        classes: The number of classes; 0 where there are none.
        activation_layers: The layers whose outputs are probed; None means `layers`.
        attention_layers: The modules whose attention weights are probed.
        heads: The output heads.

    Raises:
        UsageError: a layer is given twice.
    """
    outputs = layers if activation_layers is None else activation_layers
    for given in (layers, outputs, attention_layers, heads):
        if len(set(given)) != len(given):
            raise UsageError(f"two features would carry one name: give every layer once, got {list(given)}.")
    found: dict[str, dict[str, Read]] = {
        "gradients": _gradients(config, layers),
        "per_class": _per_class(config, classes),
        "landscape": _landscape(config),
        "weights": _weights(layers) if config.track_weight_norms else {},
        "activations": _of_layers("activation", "activation_stats", outputs, _ACTIVATIONS)
        if config.track_activation_stats
        else {},
        "attention": _of_layers("attention", "attention_stats", attention_layers, ("entropy",))
        if getattr(config, "track_attention", False)
        else {},
        "heads": _of_layers("head", "head_stats", heads, ("variance", "skew"))
        if getattr(config, "track_head_statistics", False)
        else {},
    }
    groups = {"base": BASE, **{group: tuple(readers) for group, readers in found.items() if readers}}
    readers = {name: read for group in found.values() for name, read in group.items()}
    return FeatureSchema(groups, readers)


def base_values(
    shots: Sequence[Snapshot], seed: Mapping[str, float] | None = None
) -> dict[str, float | None]:
    """Return the 27 base numbers at the last snapshot by name; None where one does not exist.

    `loss_delta` is the fall of val_loss since the epoch before (positive is better), `accuracy_delta` the
    rise of val_accuracy. The windows are padded in front with None.

    Example:
        >>> values = base_values([Snapshot(1, val_loss=0.75), Snapshot(2, val_loss=0.5, best_val_loss=0.5)])
        >>> values["loss_delta"], values["val_loss_history_4"], values["val_loss_history_2"]
        (0.25, 0.5, None)
    """
    seed = dict(seed or {})
    for name in seed:
        if name not in SEED_STATE:
            raise UsageError(unknown("feature of the seed's state", name, SEED_STATE))
    last, before = shots[-1], shots[-2] if len(shots) > 1 else None
    own = ("epoch", "global_step", "train_loss", "val_loss", "train_accuracy", "val_accuracy")
    values: dict[str, float | None] = {name: getattr(last, name) for name in own}
    values["loss_delta"] = _difference(before.val_loss if before else None, last.val_loss)
    values["accuracy_delta"] = _difference(last.val_accuracy, before.val_accuracy if before else None)
    values["plateau_epochs"] = last.plateau_epochs
    values["best_val_accuracy"], values["best_val_loss"] = last.best_val_accuracy, last.best_val_loss
    for name in ("val_loss", "val_accuracy"):
        column = [getattr(shot, name) for shot in shots[-WINDOW:]]
        padded = [None] * (WINDOW - len(column)) + column
        values |= {f"{name}_history_{index}": value for index, value in enumerate(padded)}
    return values | {name: seed.get(name) for name in SEED_STATE}


_ACTIVATIONS = ("mean", "std", "saturated_share", "dead_share")


def _gradients(config: Any, layers: Sequence[str]) -> dict[str, Read]:
    """Return, per layer, norm, std and percentiles as asked for; then four numbers of all layers."""
    if not config.gradients.enabled:
        return {}
    chosen = ["norm"] * config.gradients.track_norm + ["std"] * config.gradients.track_std
    chosen += [f"p{percent}" for percent in config.gradients.percentiles]
    readers = {
        f"grad_{statistic}_{layer}": _entry("gradient_stats", layer, statistic)
        for statistic in chosen
        for layer in layers
    }
    readers["grad_global_norm"] = _health("overall_norm")
    readers["gradient_health"] = _health("score")
    if config.gradients.detect_vanishing:
        readers["vanishing_layers"] = _health_count("vanishing_layers")
    if config.gradients.detect_exploding:
        readers["exploding_layers"] = _health_count("exploding_layers")
    if getattr(config.gradients, "noise_scale", False):
        readers["gradient_noise_scale"] = _plain("gradient_noise_scale")
    return readers


def _per_class(config: Any, classes: int) -> dict[str, Read]:
    if not config.per_class.enabled or not classes:
        return {}
    readers: dict[str, Read] = {}
    names = [str(index) for index in range(classes)]
    if config.per_class.track_accuracy:
        readers |= {f"acc_class_{name}": _item("per_class_accuracy", name) for name in names}
        readers["class_variance"] = _plain("class_variance")
    if config.per_class.track_loss:
        readers |= {f"loss_class_{name}": _item("per_class_loss", name) for name in names}
    if config.per_class.track_confusion:
        readers |= {
            f"confusion_{true}_{predicted}": _cell(true, predicted)
            for true in range(classes)
            for predicted in range(classes)
        }
    return readers


def _landscape(config: Any) -> dict[str, Read]:
    if not config.loss_landscape.enabled:
        return {}
    names = ["sharpness", "sharpness_se"] if config.loss_landscape.estimate_sharpness else []
    names += ["top_eigenvalue", "trace"] if getattr(config.loss_landscape, "curvature", False) else []
    return {name: _plain(name) for name in names}


def _weights(layers: Sequence[str]) -> dict[str, Read]:
    norms: dict[str, Read] = {f"weight_norm_{layer}": _item("weight_norms", layer) for layer in layers}
    return norms | {f"update_ratio_{layer}": _item("update_ratios", layer) for layer in layers}


def _of_layers(prefix: str, table: str, layers: Sequence[str], statistics: Sequence[str]) -> dict[str, Read]:
    return {
        f"{prefix}_{statistic}_{layer}": _entry(table, layer, statistic)
        for statistic in statistics
        for layer in layers
    }


def _plain(name: str) -> Read:
    return lambda shot: getattr(shot, name)


def _item(table: str, key: str) -> Read:
    return lambda shot: getattr(shot, table).get(key)


def _entry(table: str, layer: str, statistic: str) -> Read:
    return lambda shot: getattr(shot, table).get(layer, {}).get(statistic)


def _health(name: str) -> Read:
    return lambda shot: None if shot.gradient_health is None else shot.gradient_health[name]


def _health_count(name: str) -> Read:
    return lambda shot: None if shot.gradient_health is None else len(shot.gradient_health[name])


def _cell(row: int, column: int) -> Read:
    def read(shot: Snapshot) -> float | None:
        matrix = shot.confusion
        inside = matrix is not None and row < len(matrix) and column < len(matrix[row])
        return matrix[row][column] if matrix is not None and inside else None

    return read


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second
