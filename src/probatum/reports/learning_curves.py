"""Learning curves: one thin line per seed, their mean, and the interval of the mean at every epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair

from probatum._errors import RecordError
from probatum.analysis.intervals import summarise
from probatum.reports.style import HEIGHT, WIDTH, by_run, framed

Seeds = Mapping[str, Mapping[int, float]]  # a value by seed and epoch
FEW = 3  # seeds from which an interval is drawn
_ROOM = 0.35  # of the lines' range, above and below: a band may leave the frame, the lines may not


def learning_curves(
    runs: Mapping[str, Seeds], metric: str, *, higher_is_better: bool | None = None, step: str = "epoch"
) -> Any:
    """Return a metric over the epochs: seeds thin, mean thick, 95% t-intervals as bands.

    The mean stands at the epochs that all seeds of a run have; one seed is its own mean.

    Args:
        runs: By the name in the legend: the metric by seed and epoch.
        metric: Its name, the vertical axis.
        higher_is_better: Said in the subtitle where it is known.
        step: What an epoch is called: `epoch` or `step`.

    Raises:
        RecordError: no run has a value.
    """
    lines = [
        {"run": run, "seed": seed, "epoch": epoch, "value": value}
        for run, seeds in runs.items()
        for seed, epochs in seeds.items()
        for epoch, value in sorted(epochs.items())
    ]
    if not lines:
        raise RecordError(f"{', '.join(runs)}: no value of {metric} was recorded.")
    means = [row for run, seeds in runs.items() for row in _means(run, seeds)]
    low, high = min(row["value"] for row in lines), max(row["value"] for row in lines)
    room = (high - low) * _ROOM or abs(high) * 0.05 or 0.1
    has_bands = any(row["low"] is not None for row in means)
    ends = _frame(low, high, room if has_bands else room / 5)
    faint = 1.0 if len(runs) < 3 else 0.55  # the bands of many runs hide each other
    several = any(len(seeds) > 1 for seeds in runs.values())
    last = max(row["epoch"] for row in lines)
    first = min(row["epoch"] for row in lines)
    ticks = altair.Axis(tickMinStep=1, format="d", labelFlush=False, tickCount=8)
    x = altair.X(
        "epoch:Q",
        title=step,
        axis=ticks,
        scale=altair.Scale(domain=[first, max(last, first + 1)], nice=False),
    )
    y = altair.Y("value:Q", title=metric, scale=altair.Scale(zero=False, nice=False, domain=ends))
    style = by_run(list(runs))
    plain = altair.Chart()  # its rows come last: every step of building copies what is there
    of_means = plain.encode(x=x, **style)
    marks, rows = [], []
    if has_bands:
        marks.append(
            plain.mark_area(opacity=0.11 * faint, strokeWidth=0, clip=True).encode(
                x=x, y=altair.Y("low:Q", title=metric), y2="high:Q", color=style["color"]
            )
        )
        rows.append(means)
    if several:
        marks.append(
            plain.mark_line(strokeWidth=0.9, opacity=0.45 * faint, clip=True).encode(
                x=x, y=y, color=style["color"], detail="seed:N"
            )
        )
        rows.append(lines)
    # A single epoch is a point: a line through it would not be seen.
    dots: Any = altair.OverlayMarkDef(size=26, filled=True) if last - first < 40 else False
    marks.append(
        of_means.mark_line(strokeWidth=2.2, clip=True, point=dots).encode(
            y=y, tooltip=["run:N", "epoch:Q", "value:Q", "low:Q", "high:Q", "seeds:Q"]
        )
    )
    chart = altair.layer(*marks).properties(width=WIDTH, height=HEIGHT)
    chart = framed(chart, f"{metric} by {step}", [_about(runs, higher_is_better, bands=has_bands)])
    for layer, own in zip(chart.layer, [*rows, means], strict=True):
        layer.data = altair.Data(values=own)
    return chart


def _frame(low: float, high: float, room: float) -> list[float]:
    """Return the ends of the axis: a share, or a number that is never negative, is not drawn as if it were."""
    return [
        max(low - room, 0.0) if low >= 0 else low - room,
        min(high + room, 1.0) if 0 <= low <= high <= 1 else high + room,
    ]


def _means(run: str, seeds: Seeds) -> list[dict[str, Any]]:
    shared = sorted(set.intersection(*(set(own) for own in seeds.values()))) if seeds else []
    rows = []
    for epoch in shared:
        found = summarise([own[epoch] for own in seeds.values()])
        few = found.n < FEW
        rows.append({
            "run": run, "epoch": epoch, "value": found.mean, "seeds": found.n,
            "low": None if few else found.ci_low, "high": None if few else found.ci_high,
        })  # fmt: skip
    return rows


def _about(runs: Mapping[str, Seeds], higher: bool | None, *, bands: bool) -> str:
    counts: Sequence[int] = sorted({len(seeds) for seeds in runs.values()})
    many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    parts = ["" if higher is None else f"{'higher' if higher else 'lower'} is better"]
    parts.append("one seed" if counts == [1] else f"thin: each of {many} seeds, thick: their mean")
    parts.append("band: 95% t-interval of the mean, cut at the frame" if bands else "")
    return "; ".join(part for part in parts if part)
