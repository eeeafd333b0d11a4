"""Charts of what a run's artifacts say: heat maps, curves over the distance back, robustness curves.

Every function returns an Altair chart: one definition that becomes HTML, SVG or PNG. Colours are those of
Okabe and Ito 2008 and viridis, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair

from probatum._errors import RecordError
from probatum._names import unknown
from probatum.signals.reading import Artifact

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
WIDTH, HEIGHT = 460, 280
CURVES = {
    "missingness_curve": ("mask_rate", "share of the observed values dropped"),
    "truncation_curve": ("keep_ratio", "share of each record kept"),
}


def heat_map(artifact: Artifact, signal: str) -> Any:
    """Return a signal by layer and epoch, in the order of the model's layers.

    Args:
        artifact: of one run.
        signal: a name such as `gradient_norms` or `activation_stats.std`.

    Raises:
        RecordError: the artifact holds no such signal; the message lists those that it has.
    """
    series = artifact.series()
    if signal not in series:
        raise RecordError(f"{artifact.path}: {unknown('signal', signal, series)}")
    rows = [
        {"layer": layer, "epoch": epoch, "value": statistic.mean}
        for layer, by_epoch in series[signal].items()
        for epoch, statistic in by_epoch.items()
        if statistic.mean is not None
    ]
    scale = altair.Scale(scheme="viridis", type="log" if _spans_decades(rows) else "linear")
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_rect()
        .encode(
            x=altair.X("epoch:O", title="epoch"),
            y=altair.Y("layer:N", title=None, sort=list(series[signal]), axis=altair.Axis(labelLimit=240)),
            color=altair.Color("value:Q", title=signal, scale=scale),
            tooltip=["layer:N", "epoch:O", "value:Q"],
        )
    )
    return _framed(chart, f"{signal}, mean over the probed batches", height={"step": 18})


def lag_curves(artifacts: Mapping[str, Artifact], layer: str | None = None, epoch: int | None = None) -> Any:
    """Return the attention's mass by distance back from the query, one line per run.

    Args:
        artifacts: by the name that the legend shows.
        layer: an attention layer; the first of the first run where None.
        epoch: the last one where None.

    Raises:
        RecordError: a run has no attention by distance.
    """
    rows: list[dict[str, Any]] = []
    for name, artifact in artifacts.items():
        curves = artifact.lag_curves()
        if not curves or (layer is not None and layer not in curves):
            known = ", ".join(curves) or "none"
            raise RecordError(f"{artifact.path}: no lag curve of {layer or 'any layer'}; it has {known}.")
        layer = layer or next(iter(curves))
        chosen = curves[layer].get(epoch or max(curves[layer])) or []
        rows += [{"run": name, "lag": lag, "mass": mass} for lag, mass in enumerate(chosen)]
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_line(point=altair.OverlayMarkDef(size=18))
        .encode(
            x=altair.X("lag:Q", title="steps back from the query (0 is the newest)"),
            y=altair.Y("mass:Q", title="mean attention"),
            color=_by_run(list(artifacts)),
            tooltip=["run:N", "lag:Q", "mass:Q"],
        )
    )
    return _framed(chart, f"Attention by distance, {layer}")


def robustness_curves(
    records: Mapping[str, Mapping[str, Any]], curve: str = "missingness_curve", metric: str = "auroc"
) -> Any:
    """Return a metric against the strength of a perturbation, with its interval, one line per run.

    Args:
        records: the `perturbations` blocks by the name that the legend shows.
        curve: `missingness_curve` or `truncation_curve`.
        metric: one of the curve's metrics.

    Raises:
        RecordError: a run has no such curve or metric.
    """
    strength, title = CURVES[curve]
    rows = []
    for name, record in records.items():
        points = record.get(curve) or []
        if not points or metric not in points[0]["metrics"]:
            known = ", ".join(points[0]["metrics"]) if points else "no points"
            raise RecordError(f"{name}: {curve} has no {metric}; it has {known}.")
        rows += [_robustness_row(name, point, strength, metric) for point in points]
    # an axis that begins where the data are undamaged
    scale = altair.Scale(reverse=strength == "keep_ratio", zero=False, nice=False)
    base = altair.Chart(altair.Data(values=rows)).encode(
        x=altair.X("strength:Q", title=title, scale=scale), color=_by_run(list(records))
    )
    value = altair.Y("value:Q", title=metric, scale=altair.Scale(zero=False))
    band = base.mark_area(opacity=0.18, line=False).encode(y=altair.Y("low:Q", title=metric), y2="high:Q")
    line = base.mark_line(point=True).encode(
        y=value, tooltip=["run:N", "strength:Q", "value:Q", "low:Q", "high:Q"]
    )
    kind = rows[0]["kind"] if rows else ""
    return _framed(altair.layer(band, line), f"{metric} under damage: {kind}".replace("_", " "))


def _robustness_row(name: str, point: Mapping[str, Any], strength: str, metric: str) -> dict[str, Any]:
    low, high = (point.get("interval") or {}).get(metric) or (None, None)
    return {
        "run": name,
        "strength": point[strength],
        "value": point["metrics"][metric],
        "low": low,
        "high": high,
        "kind": point.get("mechanism") or point.get("end") or "",
    }


def _spans_decades(rows: Sequence[Mapping[str, Any]]) -> bool:
    values = [row["value"] for row in rows]
    return bool(values) and min(values) > 0 and max(values) > 20 * min(values)


def _by_run(names: Sequence[str]) -> Any:
    scale = altair.Scale(domain=list(names), range=list(OKABE_ITO[: len(names)]))
    return altair.Color("run:N", title=None, scale=scale, legend=altair.Legend(orient="top", labelLimit=0))


def _framed(chart: Any, title: str, height: Any = HEIGHT) -> Any:
    return chart.properties(title=title, width=WIDTH, height=height).configure_view(stroke=None)
