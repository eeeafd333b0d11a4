"""Charts of what artifacts say: heat maps, curves over the distance back, robustness curves.

Every function takes the artifacts, or parts of them, by the names that the chart shows, and returns an Altair
chart: one definition that becomes HTML, SVG or PNG. Names of runs and layers are values in the data, never
names of fields, so that no character of theirs can be read as Vega syntax. PNG and SVG escape them; a page of
HTML must escape `<` in the chart's JSON itself, which Altair's `to_html` does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import altair

from probatum._errors import RecordError
from probatum._names import unknown
from probatum.perturbations.names import CURVE_NAMES, STRENGTH_NAMES, Kind
from probatum.reports.style import HEIGHT, NOT_MEASURED, NUMBER, WIDTH, by_run, epoch_axis, framed, layer_axis
from probatum.signals.reading import Artifact

UNITS = {  # of the colour, by signal or by the last part of its name
    "gradient_norms": "L2 norm",
    "hidden_norms": "L2 norm",
    "weights.norm": "L2 norm",
    "weights.update_ratio": "|update| / |weight|",
    "attention_stats.entropy": "nats",
    "attention_stats.entropy_normalised": "entropy / ln(keys)",
    "attention_stats.mean": "mean weight",
    "attention_stats.head_agreement": "mean cosine",
}
AXES: dict[Kind, str] = {
    "missingness": "mask rate: share of the observed values dropped",
    "truncation": "keep ratio: share of each record kept",
    "noise": "noise scale: robust standard deviations of the channel",
}
PER_RUN_AT_LEAST = 132  # points of width
PANELS_IN_A_ROW = 3
EDGE = 10  # points between the frame and the outermost marks
MANY_LAGS = 32  # more points than this hide the line


def heat_map(artifacts: Mapping[str, Artifact], signal: str) -> Any:
    """Return a signal by layer and epoch, one panel per run, all on one scale of colour.

    Args:
        artifacts: By the name above the panel.
        signal: A name such as `gradient_norms` or `activation_stats.std`.

    Raises:
        RecordError: no artifact holds such a signal; the message lists those that there are.
    """
    found = {name: artifact.series() for name, artifact in artifacts.items()}
    if not any(signal in series for series in found.values()):
        known = sorted({other for series in found.values() for other in series})
        raise RecordError(f"{', '.join(map(str, artifacts))}: {unknown('signal', signal, known)}")
    rows = [
        {"run": name, "layer": layer, "epoch": epoch, "value": statistic.mean}
        for name, series in found.items()
        for layer, by_epoch in series.get(signal, {}).items()
        for epoch, statistic in by_epoch.items()
        if statistic.mean is not None
    ]
    if not rows:
        raise RecordError(f"{', '.join(artifacts)}: no value of {signal} was finite.")
    layers = sorted({layer for series in found.values() for layer in series.get(signal, {})}, key=_natural)
    epochs = sorted({record["epoch"] for artifact in artifacts.values() for record in artifact.epochs})
    holes = len(rows) < len(layers) * len(epochs) * len(artifacts)
    width = _panel_width(len(epochs), len(artifacts))
    step, axis = layer_axis(layers)
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_rect()
        .encode(
            x=altair.X("epoch:O", title="epoch", scale=altair.Scale(domain=epochs), axis=epoch_axis(epochs, width)),
            y=altair.Y("layer:N", title=None, scale=altair.Scale(domain=layers), axis=axis),
            color=_color(signal, [row["value"] for row in rows], step * len(layers)),
            tooltip=["run:N", "layer:N", "epoch:O", "value:Q"],
        )
        .properties(width=width, height=step * len(layers), view=altair.ViewBackground(fill=NOT_MEASURED))
    )  # fmt: skip
    about = ["mean over the probed batches of each epoch" + ("; grey: not measured" if holes else "")]
    if len(artifacts) == 1:
        return framed(chart, f"{signal} by layer and epoch", [next(iter(artifacts)), *about])
    panels = chart.facet(altair.Facet("run:N", title=None, sort=list(artifacts)), columns=PANELS_IN_A_ROW)
    if len(artifacts) > PANELS_IN_A_ROW:
        panels = panels.resolve_axis(x="independent")  # a shared axis would stand below empty places
    return framed(panels, f"{signal} by layer and epoch", about)


def lag_curves(artifacts: Mapping[str, Artifact], layer: str | None = None, epoch: int | None = None) -> Any:
    """Return the attention's mass by distance back from the query, one line per run.

    Args:
        artifacts: By the name that the legend shows.
        layer: An attention layer; the first that all runs have where None.
        epoch: The last one of each run where None.

    Raises:
        RecordError: a run has no attention by distance, in this layer or at this epoch.
    """
    found = {name: artifact.lag_curves() for name, artifact in artifacts.items()}
    if layer is None:
        shared = [
            own for own in next(iter(found.values())) if all(own in curves for curves in found.values())
        ]
        layer = shared[0] if shared else "any common layer"
    rows: list[dict[str, Any]] = []
    shown: dict[str, int] = {}
    for name, curves in found.items():
        if layer not in curves:
            raise RecordError(f"{name}: no lag curve of {layer}; it has {', '.join(curves) or 'none'}.")
        shown[name] = max(curves[layer]) if epoch is None else epoch
        if shown[name] not in curves[layer]:
            raise RecordError(f"{name}: {unknown('epoch', str(epoch), map(str, curves[layer]))}")
        rows += [
            {"run": name, "lag": lag, "mass": mass}
            for lag, mass in enumerate(curves[layer][shown[name]])
            if mass is not None
        ]
    longest = max((row["lag"] for row in rows), default=0)
    points: Any = False if longest > MANY_LAGS else altair.OverlayMarkDef(size=22)
    ticks = altair.Axis(tickMinStep=1, format="d", labelFlush=False)
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_line(point=points, strokeWidth=2)
        .encode(
            x=altair.X("lag:Q", title="positions back from the query (0: the newest that it may see)",
                       scale=altair.Scale(domain=[0, longest], nice=False, padding=EDGE), axis=ticks),
            y=altair.Y("mass:Q", title="mean attention mass (share of a row)", scale=altair.Scale(zero=True)),
            tooltip=["run:N", "lag:Q", "mass:Q"],
            **by_run(list(artifacts)),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )  # fmt: skip
    return framed(chart, f"Attention by distance back: {layer}", [_epochs_shown(shown)])


def robustness_choices(record: Mapping[str, Any]) -> dict[tuple[Kind, str], list[Mapping[str, Any]]]:
    """Return the points of every curve of a `perturbations` block, by (kind, mechanism or end).

    The whole curves where the block has them, else the seed's lists, which know one curve of each kind.
    """
    found: dict[tuple[Kind, str], list[Mapping[str, Any]]] = {
        (curve["kind"], curve["name"]): curve["points"] for curve in record.get("curves") or []
    }
    whole = {kind for kind, _ in found}
    for kind, key in CURVE_NAMES.items():
        points = record.get(key)
        if points and kind not in whole:
            found[kind, points[0].get("mechanism") or points[0].get("end") or ""] = points
    return found


def robustness_curves(
    records: Mapping[str, Mapping[str, Any]], kind: Kind, name: str | None = None, metric: str = "auroc"
) -> Any:
    """Return a metric against the strength of a perturbation, with its interval, one line per run.

    Args:
        records: The `perturbations` blocks, by the name that the legend shows.
        kind: `missingness`, `truncation` or `noise`.
        name: The mechanism or the end, such as `informative` or `keep_latest`; the first one where None.
        metric: One of the curve's metrics.

    Raises:
        RecordError: a run has no such curve or metric; the message lists what it has.
    """
    rows: list[dict[str, Any]] = []
    facts: list[Mapping[str, Any]] = []
    for run, record in records.items():
        choices = robustness_choices(record)
        name = next((own for found, own in choices if found == kind), None) if name is None else name
        points = choices.get((kind, name or ""))
        if not points:
            known = ", ".join(f"{found} {own}".strip() for found, own in choices) or "no curves"
            raise RecordError(f"{run}: no curve of {kind} {name or ''}".rstrip() + f"; it has {known}.")
        if all(metric not in point["metrics"] for point in points):
            raise RecordError(f"{run}: {kind}: {unknown('metric', metric, points[0]['metrics'])}")
        facts += points
        rows += [_robustness_row(run, point, STRENGTH_NAMES[kind], metric) for point in points]
    strengths = sorted({row["strength"] for row in rows})
    # The axis begins where the data are undamaged, so that every curve is read from left to right.
    scale = altair.Scale(
        domain=[strengths[0], strengths[-1]], reverse=kind == "truncation", nice=False, padding=EDGE
    )
    axis = altair.Axis(values=strengths, labelExpr=NUMBER, labelFlush=False)
    style = by_run(list(records))
    plain = altair.Chart(altair.Data(values=rows)).encode(
        x=altair.X("strength:Q", title=AXES[kind], scale=scale, axis=axis), color=style["color"]
    )
    base = plain.encode(strokeDash=style["strokeDash"])
    marks = [
        base.mark_line(strokeWidth=2).encode(
            y=altair.Y("value:Q", title=metric, scale=altair.Scale(zero=False)),
            tooltip=["run:N", "strength:Q", "value:Q", "low:Q", "high:Q"],
        ),
        plain.mark_point(filled=True, opacity=1, size=36).encode(y="value:Q"),
    ]
    has_bands = any(row["low"] is not None for row in rows)
    if has_bands:
        band = plain.mark_area(opacity=0.12, strokeWidth=0).encode(
            y=altair.Y("low:Q", title=metric), y2="high:Q"
        )
        edges = [base.mark_line(strokeWidth=0.8, opacity=0.6).encode(y=f"{end}:Q") for end in ("low", "high")]
        marks = [band, *edges, *marks]
    chart = altair.layer(*marks).properties(width=WIDTH, height=HEIGHT)
    title = f"{metric} under {kind}" + (f": {name.replace('_', ' ')}" if name else "")
    return framed(chart, title, [_robustness_facts(facts, bands=has_bands)])


def _robustness_row(run: str, point: Mapping[str, Any], strength: str, metric: str) -> dict[str, Any]:
    low, high = (point.get("interval") or {}).get(metric) or (None, None)
    value = point["metrics"].get(metric)
    return {"run": run, "strength": point[strength], "value": value, "low": low, "high": high}


def _robustness_facts(points: Sequence[Mapping[str, Any]], *, bands: bool) -> str:
    """Return what all points agree on: samples, masks, and what the band means."""
    units = {(point.get("n"), point.get("unit")) for point in points}
    masks = max((point.get("masks") or 0 for point in points), default=0)
    levels = {point.get("confidence") for point in points}
    (count, unit), *others = units
    parts = [f"{count} {unit}" if count and unit and not others else ""]
    parts.append(f"{masks} masks" if masks > 1 else "")
    if bands:
        level = next(iter(levels))
        drawn = f"{unit or 'samples'}{' and masks' if masks > 1 else ''}"
        exact = f"{level:.0%} " if level and len(levels) == 1 else ""
        parts.append(f"bands: {exact}intervals, bootstrap over {drawn}" if exact else "bands: intervals")
    return "; ".join(part for part in parts if part)


def _color(signal: str, values: Sequence[float], height: float) -> Any:
    """Return the colours: logarithmic over decades, from blue to orange around 0 where both signs occur."""
    low, high = min(values), max(values)
    ticks: Any = altair.Undefined
    if low < 0 < high:
        reach = max(-low, high)
        middle = median(abs(value) for value in values if value)  # below it the scale is linear
        scale = altair.Scale(scheme="blueorange", domain=[-reach, reach], type="symlog", constant=middle)
        sizes = _ticks(middle, reach)
        ticks = [*(-size for size in reversed(sizes)), 0, *sizes]
    elif low > 0 and high > 20 * low:
        scale = altair.Scale(scheme="viridis", type="log", nice=False)
        ticks = _ticks(low, high)
    else:
        top = high if high > low else low + (abs(low) or 1.0)  # one value alone is the lowest colour
        scale = altair.Scale(scheme="viridis", domain=[low, top], nice=False)
    legend = altair.Legend(
        gradientLength=max(70, min(height, 240)), labelExpr=NUMBER, tickCount=5, values=ticks
    )
    return altair.Color("value:Q", title=_unit(signal), scale=scale, legend=legend)


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers for a logarithmic scale: the powers of ten, and 2 and 5 between them if few.

    Example:
        >>> _ticks(5e-5, 0.5), _ticks(0.04, 0.9)
        ([0.0001, 0.001, 0.01, 0.1], [0.05, 0.1, 0.2, 0.5])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    all_ticks = [float(f"{mantissa}e{power}") for power in powers for mantissa in (1, 2, 5)]
    decades = [tick for tick in all_ticks[::3] if low <= tick <= high]
    return decades if len(decades) > 2 else [tick for tick in all_ticks if low <= tick <= high]


def _unit(signal: str) -> str:
    last = signal.rpartition(".")[2]
    if last.endswith("share"):
        return "share"
    return UNITS.get(signal) or ("count" if last.endswith("count") else last.replace("_", " "))


def _panel_width(epochs: int, panels: int) -> float:
    """Return the width of a panel: cells of at most 44 points, whole ones where that fits."""
    widest = WIDTH if panels == 1 else 2 * WIDTH // 3 if panels == 2 else WIDTH // 2
    cell = min(44, widest // epochs)
    return max(cell * epochs, PER_RUN_AT_LEAST) if cell else widest


def _natural(name: str) -> list[tuple[int, str]]:
    """Return the key that sorts `block.2` before `block.10`: artifacts keep no order of layers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def _epochs_shown(shown: Mapping[str, int]) -> str:
    if len(set(shown.values())) == 1:
        return f"epoch {next(iter(shown.values()))}, mean over its probed batches"
    return "epoch " + ", ".join(f"{epoch} of {name}" for name, epoch in shown.items())
