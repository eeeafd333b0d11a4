"""The loss around the weights as charts: slices along a direction, and the sharpness over the epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair

from probatum._errors import RecordError
from probatum.reports.style import DASHES, HEIGHT, NUMBER, WIDTH, by_run, epoch_axis, framed
from probatum.signals.reading import RUN, Artifact

_EPOCHS_SHOWN = 5  # of one run, spread evenly, the first and the last among them


def loss_slices(artifacts: Mapping[str, Artifact]) -> Any:
    """Return the loss along one filter-normalised direction: epochs of one run, or the last of several.

    Raises:
        RecordError: no artifact holds a slice.
    """
    found = {name: _slices(artifact) for name, artifact in artifacts.items()}
    found = {name: own for name, own in found.items() if own}
    if not found:
        raise RecordError(f"{', '.join(artifacts)}: no slice of the loss was measured.")
    if len(found) == 1:
        name, own = next(iter(found.items()))
        return _over_epochs(name, own)
    rows = [
        {"run": name, "alpha": alpha, "loss": loss}
        for name, own in found.items()
        for alpha, loss in own[max(own)]
    ]
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(x=_alpha(), y=_loss(), tooltip=["run:N", "alpha:Q", "loss:Q"], **by_run(list(found)))
        .properties(width=WIDTH, height=HEIGHT)
    )
    lasts = ", ".join(f"epoch {max(own)} of {name}" for name, own in found.items())
    epochs = {max(own) for own in found.values()}
    shown = f"epoch {epochs.pop()}" if len(epochs) == 1 else lasts
    return framed(
        chart, "Loss-landscape slice", [f"{shown}; one filter-normalised direction; 0: the weights"]
    )


def sharpness_curves(artifacts: Mapping[str, Artifact]) -> Any:
    """Return the sharpness over the epochs, with two standard errors over directions, one line per run.

    Raises:
        RecordError: no artifact holds a sharpness.
    """
    rows = []
    for name, artifact in artifacts.items():
        for epoch, found in artifact.series().get("landscape.sharpness", {}).get(RUN, {}).items():
            if found.mean is None:
                continue
            spread = 2 * found.se if found.se is not None else None
            rows.append({
                "run": name, "epoch": epoch, "value": found.mean,
                "low": None if spread is None else found.mean - spread,
                "high": None if spread is None else found.mean + spread,
            })  # fmt: skip
    if not rows:
        raise RecordError(f"{', '.join(artifacts)}: no sharpness was measured.")
    names = [name for name in artifacts if any(row["run"] == name for row in rows)]
    epochs = sorted({row["epoch"] for row in rows})
    style = by_run(names)
    base = altair.Chart(altair.Data(values=rows)).encode(
        x=altair.X("epoch:O", title="epoch", axis=epoch_axis(epochs, WIDTH)), color=style["color"]
    )
    band = base.mark_area(opacity=0.16, strokeWidth=0).encode(
        y=altair.Y("low:Q", title="sharpness (loss)"), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2, point=altair.OverlayMarkDef(size=26, filled=True)).encode(
        y=altair.Y("value:Q", title="sharpness (loss)"),
        strokeDash=style["strokeDash"],
        tooltip=["run:N", "epoch:O", "value:Q", "low:Q", "high:Q"],
    )
    chart = altair.layer(band, line).properties(width=WIDTH, height=HEIGHT)
    return framed(
        chart, "Sharpness by epoch", ["filter-normalised, signed; band: two standard errors over directions"]
    )


def _slices(artifact: Artifact) -> dict[int, list[tuple[float, float]]]:
    """Return (alpha, loss) by epoch, without points whose loss was not finite."""
    found = {}
    for record in artifact.epochs:
        own = (record.get("landscape") or {}).get("slice") or {}
        pairs = zip(own.get("alpha") or [], own.get("loss") or [], strict=False)
        points = [(alpha, loss) for alpha, loss in pairs if loss is not None]
        if points:
            found[record["epoch"]] = points
    return found


def _over_epochs(name: str, own: Mapping[int, list[tuple[float, float]]]) -> Any:
    epochs = sorted(own)
    count = min(_EPOCHS_SHOWN, len(epochs))
    places = [round(index * (len(epochs) - 1) / max(1, count - 1)) for index in range(count)]
    shown = [epochs[place] for place in dict.fromkeys(places)]
    rows = [{"epoch": epoch, "alpha": alpha, "loss": loss} for epoch in shown for alpha, loss in own[epoch]]
    dashes = [DASHES[index % len(DASHES)] for index in range(len(shown))]
    # viridis without its last fifth, whose yellow is too faint for a line on white
    ramp = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151"]
    colors = [ramp[round(index * 4 / max(1, len(shown) - 1))] for index in range(len(shown))]
    legend = altair.Legend(title="epoch", symbolType="stroke", symbolSize=400, symbolStrokeWidth=2)
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=_alpha(), y=_loss(), tooltip=["epoch:O", "alpha:Q", "loss:Q"],
            color=altair.Color("epoch:O", scale=altair.Scale(domain=shown, range=colors), legend=legend),
            strokeDash=altair.StrokeDash("epoch:O", scale=altair.Scale(domain=shown, range=dashes), legend=legend),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )  # fmt: skip
    return framed(chart, "Loss-landscape slice", [name, "one filter-normalised direction; 0: the weights"])


def _alpha() -> Any:
    title = "step along the direction, in norms of each filter"
    axis = altair.Axis(values=[-1, -0.5, 0, 0.5, 1], labelExpr=NUMBER, labelFlush=False)
    return altair.X("alpha:Q", title=title, scale=altair.Scale(domain=[-1, 1]), axis=axis)


def _loss() -> Any:
    return altair.Y("loss:Q", title="loss on the fixed sample", scale=altair.Scale(zero=False))
