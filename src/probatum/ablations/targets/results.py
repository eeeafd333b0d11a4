"""The numbers that a foreign program left: long or wide CSV, or JSON, as `summary.json` tells them.

Source: seed 001 (`metrics`, `final_step`, `loss_min`, `step_time_avg`); AbProp fact sheet, sections 7, 10, 12.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from probatum._errors import RecordError
from probatum.ablations.plan.merge import leaves
from probatum.ablations.plan.metrics import known_direction

_STEPS = ("step", "epoch")
_LOSSES = ("loss", "train_loss")


@dataclass(frozen=True, slots=True)
class Results:
    """Where a program leaves its numbers, below `artifacts/`, and how they are laid out."""

    file: str
    format: str  # long, wide or json


class Value(NamedTuple):
    """One measured number; `step` is None where the file does not tell it."""

    name: str
    step: int | None
    value: float


def read_results(artifacts: Path, results: Results | None) -> dict[str, Any]:
    """Return the content of `summary.json` from a program's results.

    Training values keep their name, others carry their tag: `loss`, `eval_loss`. `metrics` are the last values,
    `best` the best ones with their step where the direction is known; a number that is not finite is counted
    in `non_finite` and never enters a minimum or a mean.

    Raises:
        RecordError: the file is missing or is not what was declared.
    """
    return summary_of(() if results is None else read_values(artifacts, results))


def read_values(artifacts: Path, results: Results, *, is_whole: bool = True) -> list[Value]:
    """Return every number that a program left, in the order in which it was measured.

    Args:
        artifacts: The folder that the file stands below.
        results: The file and its layout.
        is_whole: Whether the program has ended; else a last line without its end is still being written.

    Raises:
        RecordError: the file is missing or is not what was declared.
    """
    path = artifacts / results.file
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = file if is_whole or results.format == "json" else _finished_lines(file)
            values = list(_READERS[results.format](lines))
    except OSError:
        raise RecordError(
            f"no results: expected {results.file} in artifacts/ ({results.format}), found none. The last lines "
            "of stderr.log and stdout.log may tell why; `results:` in the plan says where they should be."
        ) from None
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise RecordError(
            f"results: {results.file} is not {results.format} as declared ({error!r})."
        ) from None
    if not values:
        raise RecordError(f"no results: {results.file} holds no number.")
    return values


def _finished_lines(file: Iterable[str]) -> Iterator[str]:
    return (line for line in file if line.endswith(("\n", "\r")))


def summary_of(values: Iterable[Value], directions: Mapping[str, bool] | None = None) -> dict[str, Any]:
    """Return the summary of measured values, in the order in which they were measured."""
    series: dict[str, list[Value]] = {}
    broken: dict[str, int] = {}
    for value in values:
        series.setdefault(value.name, [])
        if math.isfinite(value.value):
            series[value.name].append(value)
        else:
            broken[value.name] = broken.get(value.name, 0) + 1
    losses = next(([v.value for v in series[name]] for name in _LOSSES if series.get(name)), [])
    times = [value.value for value in series.get("step_time", [])]
    steps = [v.step for each in series.values() for v in each if v.step is not None]
    return {
        "metrics": {name: each[-1].value if each else None for name, each in series.items()},
        "last_step": {name: each[-1].step for name, each in series.items() if each},
        "best": _best(series, directions or {}),
        "final_step": max(steps, default=None),
        "loss_min": min(losses, default=None),
        "loss_mean": math.fsum(losses) / len(losses) if losses else None,
        "step_time_avg": math.fsum(times) / len(times) if times else None,
        "non_finite": broken,
    }


def _best(series: Mapping[str, list[Value]], directions: Mapping[str, bool]) -> dict[str, Any]:
    found = {}
    for name, values in series.items():
        higher = directions.get(name, known_direction(name))
        if higher is not None and values:
            best = (max if higher else min)(values, key=lambda value: value.value)
            found[name] = {"value": best.value, "step": best.step, "higher_is_better": higher}
    return found


def _long(file: Iterable[str]) -> Iterator[Value]:
    for row in csv.DictReader(file):
        tag = row["tag"]
        name = row["metric"] if tag in ("", "train") else f"{tag}_{row['metric']}"
        yield Value(name, int(float(row["step"])), float(row["value"]))


def _wide(file: Iterable[str]) -> Iterator[Value]:
    for row in csv.DictReader(file):
        yield from _row(row)


def _json(file: Any) -> Iterator[Value]:
    content = json.load(file)
    for row in content if isinstance(content, list) else [content]:
        yield from _row(dict(leaves(row)))


def _row(row: Mapping[str, Any]) -> Iterator[Value]:
    step = next((int(float(row[name])) for name in _STEPS if _number(row.get(name)) is not None), None)
    for name, text in row.items():
        number = _number(text)
        if number is not None and name not in _STEPS:
            yield Value(name.replace(".", "_"), step, number)


def _number(text: Any) -> float | None:
    if isinstance(text, bool) or text is None:
        return None
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


_READERS = {"long": _long, "wide": _wide, "json": _json}
