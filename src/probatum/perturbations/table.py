"""Curves as a table for the terminal, in plain ASCII."""

from __future__ import annotations

from collections.abc import Sequence

from probatum.perturbations.curves import Curve, CurvePoint
from probatum.perturbations.names import STRENGTH_NAMES

_CELL = 28  # `-0.8312 [-0.8011, -0.8590]` and a gap


def curves_table(curves: Sequence[Curve]) -> str:
    """Return one block of lines per curve: strength, achieved rate, metrics with intervals, mean drop."""
    return "\n\n".join(_block(curve) for curve in curves)


def _block(curve: Curve) -> str:
    names = list(curve.areas)
    title = (
        f"{curve.kind}, {curve.name.replace('_', ' ')}: n = {curve.n} {curve.unit}, "
        f"{curve.masks} mask{'s' if curve.masks != 1 else ''}, {curve.confidence:.0%} intervals"
    )
    head = f"{STRENGTH_NAMES[curve.kind]:>12} {'achieved':>9}  " + "".join(
        f"{name:<{_CELL}}" for name in names
    )
    areas = "".join(
        f"{_with_interval(curve.areas[name].value, curve.areas[name].interval):<{_CELL}}" for name in names
    )
    rows = [head, *(_row(point, names) for point in curve.points), f"{'mean drop':>12} {'':>9}  {areas}"]
    return "\n".join([title, *(row.rstrip() for row in rows)])


def _row(point: CurvePoint, names: Sequence[str]) -> str:
    achieved = "-" if point.achieved_rate is None else f"{point.achieved_rate:.4f}"
    cells = "".join(
        f"{_with_interval(point.metrics[name], point.intervals[name]):<{_CELL}}" for name in names
    )
    return f"{point.strength:>12g} {achieved:>9}  {cells}"


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" + (f" [{interval[0]:.4f}, {interval[1]:.4f}]" if interval else "")
