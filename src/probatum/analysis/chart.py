"""The Pareto plot: every experiment with its intervals, the front named."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import altair
import vl_convert

from probatum._errors import UsageError
from probatum._files import write_whole
from probatum.analysis.leaderboard import Analysis, ParetoPoint
from probatum.analysis.table import name_of
from probatum.reports.figures import PIXELS_PER_INCH
from probatum.reports.style import HEIGHT, OKABE_ITO, WIDTH, framed

COLORS = {
    "frontier": OKABE_ITO[0],
    "ambiguous": OKABE_ITO[1],
    "on the front, one seed": OKABE_ITO[0],
    "dominated": "#9a9a9a",
    "off the front, one seed": "#9a9a9a",
}
SHAPES = {
    "frontier": "circle",
    "ambiguous": "triangle-up",
    "on the front, one seed": "circle",
    "dominated": "cross",
    "off the front, one seed": "cross",
}
LEGEND = altair.Legend(orient="top", symbolOpacity=1)
_NAMED = 12  # names that still have room
_BASELINE = " (baseline)"
_LINE, _LETTER = 0.04, 0.018  # of the frame: the height of a label, the width of a letter


def pareto_chart(analysis: Analysis) -> Any:
    """Return the chart: the first objective against the second, means with 95% t-intervals.

    Raises:
        UsageError: there are fewer than two objectives, or no experiment has them.
    """
    if len(analysis.objectives) < 2:
        raise UsageError(
            "a Pareto plot needs two objectives: add --objective NAME, for example training_seconds."
        )
    if not analysis.pareto:
        raise UsageError("no experiment has a value in every objective: there is nothing to draw.")
    rows = [_row(analysis, point) for point in analysis.pareto]
    frame = {name: _frame(rows, name) for name in "xy"}
    _keep_readable(rows, frame)
    kinds = [kind for kind in COLORS if any(row["kind"] == kind for row in rows)]
    base = altair.Chart(altair.Data(values=rows)).encode(
        x=_axis(analysis, 1, "x", frame["x"]), color=_color(kinds), y=_axis(analysis, 0, "y", frame["y"])
    )
    marks = [
        base.mark_rule(opacity=0.35, clip=True).encode(y="y_low:Q", y2="y_high:Q"),
        base.mark_rule(opacity=0.35, clip=True).encode(x="x_low:Q", x2="x_high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            shape=altair.Shape(
                "kind:N",
                title=None,
                scale=_scale(kinds, SHAPES),
                legend=altair.Legend(orient="top", symbolOpacity=1),
            ),
            tooltip=["experiment:N", "x:Q", "y:Q", "seeds:Q", "kind:N"],
        ),
        base.transform_filter("datum.label != ''")
        .mark_text(align="left", dx=8, dy=-7, fontSize=10)
        .encode(text="label:N"),
    ]
    chart = altair.layer(*marks).properties(width=int(WIDTH * 1.25), height=int(HEIGHT * 1.25))
    return framed(chart, f"{len(rows)} experiments, {_words(analysis)}", [_about(analysis)])


def write_chart(analysis: Analysis, path: Path) -> None:
    """Write the chart as PNG or SVG, by the file's ending.

    Raises:
        UsageError: the ending is another, the file cannot be written, or there is nothing to draw.
    """
    suffix = path.suffix.lower()
    if suffix not in {".png", ".svg"}:
        raise UsageError(f"--plot {path}: expected a name that ends with .png or .svg.")
    specification = pareto_chart(analysis).to_dict()
    image = (
        vl_convert.vegalite_to_png(specification, ppi=PIXELS_PER_INCH)
        if suffix == ".png"
        else vl_convert.vegalite_to_svg(specification)
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, image)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}. Choose another place.") from None


def _row(analysis: Analysis, point: ParetoPoint) -> dict[str, Any]:
    row: dict[str, Any] = {"experiment": name_of(point.group, analysis), "seeds": point.group.n}
    for name, objective in zip("yx", analysis.objectives[:2], strict=True):
        summary = point.group.summary(objective.column)
        if summary:
            row |= {name: summary.mean, f"{name}_low": summary.ci_low, f"{name}_high": summary.ci_high}
    single = "on the front, one seed" if point.is_on_front else "off the front, one seed"
    row["kind"] = point.place or single
    is_baseline = any(point.group is base for base in analysis.baselines.values())
    named = is_baseline or (_is_notable(point) and sum(map(_is_notable, analysis.pareto)) <= _NAMED)
    row["label"] = row["experiment"] + (_BASELINE if is_baseline else "") if named else ""
    return row


def _is_notable(point: ParetoPoint) -> bool:
    return point.is_on_front or point.place in {"frontier", "ambiguous"}


def _frame(rows: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """Return the ends of an axis: all means, and around them what an ordinary interval takes.

    A wide interval may leave the frame: with three seeds it often ends in the impossible.

    Example:
        >>> _frame([{"x": 1.0, "x_low": 0.5, "x_high": 1.5}, {"x": 2.0, "x_low": None, "x_high": None}], "x")
        (0.5, 2.5)
    """
    means = [row[name] for row in rows if name in row]
    halves = [row[name] - row[f"{name}_low"] for row in rows if row.get(f"{name}_low") is not None]
    low, high = min(means), max(means)
    margin = max((high - low) / 4, median(halves) if halves else 0.0) or abs(high) / 4 or 1.0
    return low - margin, high + margin


def _keep_readable(rows: list[dict[str, Any]], frame: dict[str, tuple[float, float]]) -> None:
    """Take away labels that would lie on one already there: the baseline and the sure points come first."""
    width, height = (frame[name][1] - frame[name][0] for name in "xy")
    kept: list[dict[str, Any]] = []
    for row in sorted(
        rows, key=lambda row: (not row["label"].endswith(_BASELINE), row["kind"] != "frontier")
    ):
        if any(_lie_together(row, other, width, height) for other in kept):
            row["label"] = ""
        elif row["label"]:
            kept.append(row)


def _lie_together(row: dict[str, Any], other: dict[str, Any], width: float, height: float) -> bool:
    letters = len(row["label"] + other["label"]) / 2
    is_beside = abs(row["x"] - other["x"]) < width * _LETTER * letters
    return is_beside and abs(row["y"] - other["y"]) < height * _LINE


def _axis(analysis: Analysis, index: int, name: str, frame: tuple[float, float]) -> Any:
    objective = analysis.objectives[index]
    better = "higher" if objective.higher_is_better else "lower"
    channel = altair.X if name == "x" else altair.Y
    scale = altair.Scale(zero=False, nice=False, domain=list(frame))
    return channel(f"{name}:Q", title=f"{objective.column} ({better} is better)", scale=scale)


def _color(kinds: list[str]) -> Any:
    return altair.Color("kind:N", title=None, scale=_scale(kinds, COLORS), legend=LEGEND)


def _scale(kinds: list[str], values: dict[str, str]) -> altair.Scale:
    return altair.Scale(domain=kinds, range=[values[kind] for kind in kinds])


def _words(analysis: Analysis) -> str:
    return " against ".join(objective.column for objective in analysis.objectives[:2])


def _about(analysis: Analysis) -> str:
    counts = sorted({point.group.n for point in analysis.pareto})
    seeds = f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
    more = f"; the front also counts {', '.join(o.column for o in analysis.objectives[2:])}"
    return f"means over seeds ({seeds}); bars: 95% t-intervals, cut at the frame" + (
        more if len(analysis.objectives) > 2 else ""
    )
