"""How every chart looks: colours that colour-blind readers can tell apart, sizes, and long names.

Sources: Okabe and Ito 2008 (colours of runs); viridis (values of one sign); blue to orange (values of both).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])  # a second sign beside the colour, for print in grey
WIDTH, HEIGHT = 460, 280
NOT_MEASURED = "#c6c6c6"
NUMBER = "format(datum.value, '~g')"  # Vega's own format would round 0.75 to the precision of the ticks
LONGEST_LABEL = 56  # characters; longer names lose their middle
_SHORT_LABEL = (
    f"length(datum.label) > {LONGEST_LABEL} "
    f"? slice(datum.label, 0, 20) + '…' + slice(datum.label, {21 - LONGEST_LABEL}) : datum.label"
)


def by_run(names: Sequence[str]) -> dict[str, Any]:
    """Return the encodings that tell runs apart: colour and dash, in the order given, with one legend."""
    colors = [OKABE_ITO[index % len(OKABE_ITO)] for index in range(len(names))]
    legend = altair.Legend(
        orient="top", labelLimit=0, labelExpr=_SHORT_LABEL, symbolType="stroke", symbolSize=500,
        symbolStrokeWidth=2, symbolOpacity=1, columns=2,
    )  # fmt: skip
    return {
        "color": altair.Color(
            "run:N", title=None, scale=altair.Scale(domain=list(names), range=colors), legend=legend
        ),
        "strokeDash": altair.StrokeDash(
            "run:N",
            title=None,
            legend=legend,
            scale=altair.Scale(domain=list(names), range=_dashes(len(names))),
        ),
    }


def _dashes(count: int) -> list[Any]:
    return [DASHES[index % len(DASHES)] for index in range(count)]


def framed(chart: Any, title: str, subtitle: Sequence[str] = ()) -> Any:
    """Return the chart with its title, the lines that explain it, and the same fonts everywhere."""
    lines = [line for line in subtitle if line]
    about = altair.TitleParams(title, subtitle=lines) if lines else altair.TitleParams(title)
    return (
        chart.properties(title=about, padding=8)
        .configure_view(stroke=None)
        .configure_title(
            anchor="start", fontSize=13, subtitleFontSize=10.5, subtitleColor="#555555", offset=10,
            limit=0, subtitlePadding=4,
        )
        .configure_axis(
            labelFontSize=10.5, titleFontSize=11, titleFontWeight="normal", gridColor="#e8e8e8",
            domainColor="#888888",
        )
        .configure_legend(labelFontSize=10.5, titleFontSize=11, titleFontWeight="normal", titleLimit=0)
        .configure_header(labelFontSize=11, labelLimit=0, labelFontWeight="bold")
    )  # fmt: skip


def layer_axis(layers: Sequence[str]) -> tuple[int, altair.Axis]:
    """Return the height of one layer's row and its axis: rows shrink, and many layers are named in part.

    Example:
        >>> layer_axis(["fc"])[0], layer_axis([f"block.{index}" for index in range(300)])[0]
        (18, 3)
    """
    step = max(3, min(18, 900 // len(layers)))  # whole points, so that no seam shows between cells
    every = 1 if step >= 8 else -(-10 // step)
    axis = altair.Axis(
        labelLimit=0, labelExpr=_SHORT_LABEL, values=list(layers[::every]), ticks=False, domain=False,
        labelFontSize=min(10.5, step if every == 1 else 9), labelOverlap=False, labelPadding=6,
    )  # fmt: skip
    return step, axis


def epoch_axis(epochs: Sequence[int], width: float) -> altair.Axis:
    """Return the axis of epochs, with as many named as the width holds, the first among them."""
    room = max(2, int(width / 26))
    every = next(step for step in _round_steps() if len(epochs) <= room * step)
    shown = [epochs[0], *(epoch for epoch in epochs[1:] if epoch % every == 0)] if every > 1 else list(epochs)
    if len(shown) > 2 and shown[1] - shown[0] < every / 2:
        del shown[1]  # too near to the first
    return altair.Axis(
        values=shown, labelAngle=0, labelOverlap=False, domain=False, tickSize=3, tickColor="#888888"
    )


def _round_steps() -> Any:
    decade = 1
    while True:
        yield from (decade, 2 * decade, 5 * decade)
        decade *= 10
