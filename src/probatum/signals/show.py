"""A run's signals as tables and spark lines.

Source: seed 000, "How to analyze the signals".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from statistics import median
from typing import Any

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.signals.compare_text import aligned, grouped
from probatum.signals.reading import Artifact, Series, pick

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=+*#@"  # for terminals without blocks
GAP = " "  # an epoch that was not measured
TELLING = (  # shown first, layer by layer
    "gradient_norms",
    "weights.update_ratio",
    "hidden_norms",
    "attention_stats.entropy",
    "landscape.sharpness",
    "totals",
    "scalars",
)
_WIDTH = 48  # columns of a spark line
_ROUNDING = 1e-6  # of the value: a smaller change is drawn as none


def spark(values: Sequence[float | None], *, blocks: bool = True, width: int = _WIDTH) -> str:
    """Return a line of marks from the smallest to the largest value; longer series are thinned evenly.

    Changes as small as the rounding of single precision are drawn flat.

    Example:
        >>> spark([0.0, None, 1.0, 2.0]), spark([1.0, 2.0], blocks=False), spark([3.0])
        ('▁ ▅█', '_@', '▁')
    """
    if len(values) > width:
        values = [values[round(index * (len(values) - 1) / (width - 1))] for index in range(width)]
    known = [value for value in values if value is not None]
    if not known:
        return GAP * len(values)
    low, marks = min(known), BLOCKS if blocks else PLAIN
    span = max(known) - low
    if span <= _ROUNDING * max(map(abs, known)):
        span = 0.0
    steps = [None if v is None else round((v - low) / span * (len(marks) - 1)) if span else 0 for v in values]
    return "".join(GAP if step is None else marks[step] for step in steps)


def signal_rows(
    artifact: Artifact, signal: str | None = None, layer: str | None = None, epoch: int | None = None
) -> list[dict[str, Any]]:
    """Return one row per signal and layer: over all epochs, or with the spread at one epoch.

    Args:
        artifact: A run's artifact.
        signal: A signal's name or the beginning of several (`activation_stats`); None means all.
        layer: A layer's name or the beginning of several.
        epoch: An epoch of the artifact.

    Raises:
        UsageError: a name or an epoch is not in the artifact; the nearest are listed.
    """
    series = artifact.series()
    if not series:
        raise UsageError(f"{artifact.path}: no signal was measured in its {len(artifact.epochs)} epochs.")
    chosen = list(series) if signal is None else pick(signal, list(series), "signal")
    layers = sorted({name for own in chosen for name in series[own]})
    wanted = set(layers if layer is None else pick(layer, layers, "layer"))
    numbers = [record["epoch"] for record in artifact.epochs]
    if epoch is not None and epoch not in numbers:
        raise UsageError(unknown("epoch", str(epoch), map(str, numbers)))
    make = _over_epochs if epoch is None else _at_epoch
    rows = [
        make(name, place, own, numbers if epoch is None else [epoch])
        for name in chosen
        for place, own in series[name].items()
        if place in wanted
    ]
    return [row for row in rows if row]


def _over_epochs(signal: str, layer: str, own: Series, numbers: Sequence[int]) -> dict[str, Any]:
    values = [own[number].mean if number in own else None for number in numbers]
    known = [value for value in values if value is not None]
    return {
        "signal": signal,
        "layer": layer,
        "epochs": len(known),
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
        "min": min(known, default=None),
        "max": max(known, default=None),
        "values": values,
    }


def _at_epoch(signal: str, layer: str, own: Series, numbers: Sequence[int]) -> dict[str, Any]:
    statistic = own.get(numbers[0])
    return {} if statistic is None else {"signal": signal, "layer": layer, **statistic.as_record()}


def show_text(
    artifact: Artifact,
    signal: str | None = None,
    layer: str | None = None,
    epoch: int | None = None,
    *,
    every: bool = False,
    blocks: bool = True,
) -> str:
    """Return the rows as a table, with what was not measured and the narratives beside it.

    Without a signal's name the telling ones come first, the others follow in one line each, and those that are
    zero in every layer and epoch are left out; the last lines say so. `every` shows all of them.
    """
    rows = signal_rows(artifact, signal, layer, epoch)
    notes: list[str] = []
    if signal is None and not every:
        rows, notes = _told_first(artifact, rows, fold=layer is None and epoch is None)
    lines = [f"{artifact.path.stem}: {len(artifact.epochs)} epochs", ""]
    lines += _sparks(rows, blocks=blocks) if epoch is None else _statistics(rows)
    if signal is None and layer is None:
        lines += _words(artifact, epoch)
    return "\n".join([*lines, *notes])


def _told_first(
    artifact: Artifact, rows: Sequence[dict[str, Any]], *, fold: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the telling rows, then the others, folded or not, and the lines that say what is not shown."""
    by_signal: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_signal.setdefault(row["signal"], []).append(row)
    series = artifact.series()
    silent = [name for name in by_signal if all(map(_is_silent, series[name].values()))]
    telling = [
        name
        for first in TELLING
        for name in by_signal
        if name not in silent and (name == first or name.startswith(first + "."))
    ]
    others = [name for name in by_signal if name not in silent and name not in telling]
    shown = [row for name in telling for row in by_signal[name]]
    folded = [name for name in others if fold and len(by_signal[name]) > 1]
    shown += [
        row for name in others for row in ([_folded(by_signal[name])] if name in folded else by_signal[name])
    ]
    notes = [f"Zero in every layer and epoch: {', '.join(grouped(silent))}."] if silent else []
    if folded:
        notes.append(f"In one line for all layers (their median, their range): {', '.join(grouped(folded))}.")
    if notes:
        notes.append("--signal NAME shows one of them layer by layer, --all shows everything.")
    return shown, ["", *notes] if notes else []


def _is_silent(own: Series) -> bool:
    """Return whether nothing but zero was measured."""
    return all(
        found.mean == 0 and not found.non_finite and not (found.min or found.max or found.std)
        for found in own.values()
    )


def _folded(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one row for all layers: the median of the layers by epoch, and the range over layers and epochs."""
    columns = [
        [value for value in column if value is not None]
        for column in zip(*(row["values"] for row in rows), strict=True)
    ]
    values = [median(column) if column else None for column in columns]
    known = [value for value in values if value is not None]
    return {
        "signal": rows[0]["signal"],
        "layer": f"median of {len(rows)} layers",
        "epochs": len(known),
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
        "min": min((row["min"] for row in rows if row["min"] is not None), default=None),
        "max": max((row["max"] for row in rows if row["max"] is not None), default=None),
        "values": values,
    }


def _sparks(rows: Sequence[dict[str, Any]], *, blocks: bool) -> list[str]:
    table = [("signal", "layer", "first", "last", "min", "max", "over the epochs")]
    table += [
        (row["signal"], row["layer"], *(_number(row[name]) for name in ("first", "last", "min", "max")),
         spark(row["values"], blocks=blocks))
        for row in rows
    ]  # fmt: skip
    return aligned(table)


def _statistics(rows: Sequence[dict[str, Any]]) -> list[str]:
    names = ("mean", "std", "min", "max", "n", "se", "non_finite")
    table = [("signal", "layer", *names)]
    table += [(row["signal"], row["layer"], *(_number(row[name]) for name in names)) for row in rows]
    return aligned(table)


def _words(artifact: Artifact, epoch: int | None) -> list[str]:
    """Return the narratives, and what the last shown epoch did not measure."""
    shown = [record for record in artifact.epochs if epoch is None or record["epoch"] == epoch]
    told = [record for record in shown if record.get("narrative")]
    lines = ["", *(f"epoch {record['epoch']}: {record['narrative']}" for record in told[-5:])] if told else []
    missing = shown[-1].get("missing") or {}
    if missing:
        lines += ["", "not measured:", *(f"  {name}: {reason}" for name, reason in missing.items())]
    if shown[-1].get("uncovered"):
        lines += ["", f"parameters that no layer covers: {', '.join(shown[-1]['uncovered'])}"]
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def csv_text(rows: Sequence[dict[str, Any]]) -> str:
    r"""Return the rows as CSV; the series over the epochs stand in JSON only.

    Example:
        >>> csv_text([{"signal": "a", "layer": "fc", "mean": 0.5}])
        'signal,layer,mean\na,fc,0.5\n'
    """
    columns = [name for name in rows[0] if name != "values"] if rows else []
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
