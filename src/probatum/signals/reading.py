"""Artifacts read back: checked first, then as series of one statistic over the epochs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum._errors import RecordError, UsageError
from probatum._files import read_json
from probatum._names import unknown
from probatum.signals.epoch import Statistic

SCHEMA_VERSION = 1
SECTIONS = ("config", "convergence", "signal_check", "perturbations")  # the seed's
RUN = "run"  # stands where a signal belongs to no layer

_DIRECT = ("gradient_norms", "hidden_norms")  # {layer: statistic}
_NESTED = ("gradient_stats", "weights", "heads")  # {layer: {name: statistic}}
_FLAT = ("activation_stats", "attention_stats")  # {layer: {name: value, n, se, spread}}
_BESIDE = frozenset({"n", "se", "spread", "lag_curve"})
_SCALARS = (
    "train_loss",
    "val_loss",
    "val_accuracy",
    "train_val_gap",
    "loss_noise",
    "class_variance",
)

Series = dict[int, Statistic]  # by epoch


@dataclass(frozen=True)
class Artifact:
    """An artifact that was checked."""

    path: Path
    document: Mapping[str, Any]

    @property
    def epochs(self) -> Sequence[Mapping[str, Any]]:
        """The epochs' records, oldest first."""
        return self.document["signal_check"]["epochs"]

    def series(self) -> dict[str, dict[str, Series]]:
        """Return {signal: {layer: {epoch: statistic}}} of everything measured.

        Signals are named by the record's keys: `gradient_norms`, `activation_stats.mean`,
        `attention_stats.entropy`, `weights.update_ratio`, `totals.loss`, `scalars.val_loss`.
        """
        found: dict[str, dict[str, Series]] = {}
        for record in self.epochs:
            for signal, layer, statistic in _statistics(record):
                found.setdefault(signal, {}).setdefault(layer, {})[record["epoch"]] = statistic
        return found

    def lag_curves(self) -> dict[str, dict[int, list[float]]]:
        """Return {attention layer: {epoch: mass by distance back}}."""
        found: dict[str, dict[int, list[float]]] = {}
        for record in self.epochs:
            for layer, own in (record.get("attention_stats") or {}).items():
                if own.get("lag_curve"):
                    found.setdefault(layer, {})[record["epoch"]] = own["lag_curve"]
        return found


def artifact_names(paths: Sequence[Path | str]) -> list[str]:
    """Return a short name for each artifact: its dated folder without the date, else its tag.

    Where these are not different, the folder that tells the artifacts apart.

    Example:
        >>> artifact_names(["logs/a0.json", "logs/a3.json"])
        ['a0', 'a3']
        >>> artifact_names(["runs/20260101_000000_dkt_a_123456/instrumentation/signals.json"])
        ['dkt_a_123456']
        >>> artifact_names(["old/signals.json", "new/signals.json"])
        ['old', 'new']
    """
    resolved = [Path(path).resolve() for path in paths]
    tags = [path.stem for path in resolved]
    depth = min(len(path.parts) for path in resolved)
    folders = ([path.parts[-level] for path in resolved] for level in range(2, depth))
    for names in ([_dated(path) or path.stem for path in resolved], tags, *folders):
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _dated(path: Path) -> str:
    """Return the name, without its date and time, of the dated folder that holds an artifact; else nothing."""
    found = (re.match(r"\d{8}_\d{6}_(.+)", folder.name) for folder in path.parents[:2])
    return next((match[1] for match in found if match), "")


def pick(name: str, valid: Mapping[str, Any] | Sequence[str], kind: str) -> list[str]:
    """Return the valid names that are `name` or stand below it (`activation_stats` means all of its parts).

    Raises:
        UsageError: there is none; the nearest are listed.

    Example:
        >>> pick("a", ["a.x", "a.y", "b"], "signal")
        ['a.x', 'a.y']
    """
    found = [other for other in valid if other == name or other.startswith(name + ".")]
    if not found:
        raise UsageError(unknown(kind, name, valid))
    return found


def read_artifact(path: Path | str) -> Artifact:
    """Return a checked artifact.

    Raises:
        RecordError: the file is missing, torn, no artifact, or of another version; the message says which.
    """
    path = Path(path)
    document = read_json(path)
    lacking = [name for name in SECTIONS if not isinstance(document, dict) or name not in document]
    if lacking:
        raise RecordError(
            f"{path}: expected an instrumentation artifact, which has {', '.join(SECTIONS)}; "
            f"this JSON lacks {', '.join(lacking)}. Runs write one with --instrument_signals."
        )
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        age = "by an older program" if version is None or _is_older(version) else "by a newer program"
        raise RecordError(
            f"{path}: expected schema_version {SCHEMA_VERSION}, got {version!r}: written {age}. "
            "Its statistics may be defined otherwise; run the experiment again, or use the program that wrote it."
        )
    _check_epochs(path, document["signal_check"])
    return Artifact(path, document)


def _is_older(version: Any) -> bool:
    return isinstance(version, int | float) and version < SCHEMA_VERSION


def _check_epochs(path: Path, section: Any) -> None:
    epochs = section.get("epochs") if isinstance(section, dict) else None
    if not isinstance(epochs, list):
        raise RecordError(f"{path}: expected a list in signal_check.epochs, got {type(epochs).__name__}.")
    last = 0
    for position, record in enumerate(epochs):
        number = record.get("epoch") if isinstance(record, dict) else None
        if not isinstance(number, int) or number <= last:
            raise RecordError(
                f"{path}: signal_check.epochs[{position}] should state an epoch after {last}, got {number!r}. "
                "The file was edited or is torn."
            )
        last = number


def _statistics(record: Mapping[str, Any]) -> list[tuple[str, str, Statistic]]:
    """Return (signal, layer, statistic) of everything measured in an epoch."""
    rows = [
        (group, layer, Statistic(**own))
        for group in _DIRECT
        for layer, own in (record.get(group) or {}).items()
    ]
    rows += [
        (f"{group}.{name}", layer, Statistic(**own))
        for group in _NESTED
        for layer, table in (record.get(group) or {}).items()
        for name, own in table.items()
    ]
    rows += [
        (f"{group}.{name}", layer, _from_flat(table, name))
        for group in _FLAT
        for layer, table in (record.get(group) or {}).items()
        for name in table
        if name not in _BESIDE
    ]
    rows += [
        (f"own.{signal}.{name}", layer, Statistic(**own))
        for signal, layers in (record.get("own") or {}).items()
        for layer, table in layers.items()
        for name, own in table.items()
    ]
    rows += [(f"totals.{name}", RUN, Statistic(**own)) for name, own in (record.get("totals") or {}).items()]
    land = record.get("landscape") or {}
    if land.get("sharpness") is not None and land.get("sharpness_se") is not None and land.get("samples"):
        rows.append(("landscape.sharpness", RUN, _over_directions(land)))
    snapshot = record.get("snapshot") or {}
    scalars = {name: snapshot.get(name) for name in _SCALARS}
    primary = snapshot.get("primary")
    if primary:
        scalars[primary["name"]] = primary["value"]
    rows += [
        (f"scalars.{name}", RUN, Statistic.of([value]))
        for name, value in scalars.items()
        if value is not None
    ]
    return rows


def _over_directions(land: Mapping[str, Any]) -> Statistic:
    """Return the sharpness with its spread over the perturbed directions."""
    count, error = land["samples"], land["sharpness_se"]
    return Statistic(land["sharpness"], error * math.sqrt(count), None, None, count, error)


def _from_flat(table: Mapping[str, Any], name: str) -> Statistic:
    return Statistic(table[name], table["spread"].get(name), None, None, table["n"], table["se"].get(name))
