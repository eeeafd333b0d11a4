"""Charts as files: PNG and SVG without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum.signals.reading import Artifact

PIXELS_PER_POINT = 2.0
HEAT_MAPS = ("gradient_norms", "weights.update_ratio", "activation_stats.std", "attention_stats.entropy")


def write_figures(charts: Mapping[str, Any], folder: Path) -> list[Path]:
    """Return the files written: `NAME.png` and `NAME.svg` of each chart."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, chart in charts.items():
        for suffix in ("png", "svg"):
            path = folder / f"{name}.{suffix}"
            chart.save(str(path), scale_factor=PIXELS_PER_POINT)
            written.append(path)
    return written


def signal_charts(artifacts: Mapping[str, Artifact]) -> dict[str, Any]:
    """Return every chart that the artifacts have data for, by its file name.

    Heat maps are of each run; curves show all runs together.
    """
    from probatum.reports import charts

    found: dict[str, Any] = {}
    for name, artifact in artifacts.items():
        series = artifact.series()
        for signal in HEAT_MAPS:
            if signal in series:
                file = f"{name}_{signal}".replace(".", "_").replace("/", "_")
                found[file] = charts.heat_map(artifact, signal)
    if all(artifact.lag_curves() for artifact in artifacts.values()):
        shared = set.intersection(*(set(artifact.lag_curves()) for artifact in artifacts.values()))
        for layer in sorted(shared):
            found[f"lag_curve_{layer}".replace(".", "_")] = charts.lag_curves(artifacts, layer)
    records = {name: artifact.document["perturbations"] for name, artifact in artifacts.items()}
    for curve in charts.CURVES:
        for metric in _metrics(records, curve):
            found[f"{curve}_{metric}"] = charts.robustness_curves(records, curve, metric)
    if not found:
        raise RecordError("the artifacts hold nothing that a chart could show: no signal was measured.")
    return found


def _metrics(records: Mapping[str, Mapping[str, Any]], curve: str) -> list[str]:
    """Return the metrics that every run has a curve of."""
    curves = [record.get(curve) for record in records.values()]
    if not all(curves):
        return []
    return [
        name for name in curves[0][0]["metrics"] if all(name in points[0]["metrics"] for points in curves)
    ]  # type: ignore[index]
