"""A run's signals as tables and spark lines.

Source: seed 000, "How to analyze the signals".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.signals.compare_text import aligned
from probatum.signals.reading import Artifact, Series, pick

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=+*#@"  # for terminals without blocks
GAP = " "  # an epoch that was not measured
_WIDTH = 48  # columns of a spark line


def spark(values: Sequence[float | None], *, blocks: bool = True, width: int = _WIDTH) -> str:
    """Return a line of marks from the smallest to the largest value; longer series are thinned evenly.

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
    blocks: bool = True,
) -> str:
    """Return the rows as a table, with what was not measured and the narratives beside it."""
    rows = signal_rows(artifact, signal, layer, epoch)
    lines = [f"{artifact.path.stem}: {len(artifact.epochs)} epochs", ""]
    lines += _sparks(rows, blocks=blocks) if epoch is None else _statistics(rows)
    if signal is None and layer is None:
        lines += _words(artifact, epoch)
    return "\n".join(lines)


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
