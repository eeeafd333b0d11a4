"""Trajectories: whatever a study followed epoch by epoch, and the flags that its epochs raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair

from probatum._errors import RecordError
from probatum.reports.style import HEIGHT, OKABE_ITO, WIDTH, by_run, epoch_axis, framed

Rows = Sequence[Mapping[str, Any]]
_FLAG_COLORS = {"red flag": OKABE_ITO[1], "opportunity": OKABE_ITO[2]}
_FLAG_SHAPES = {"red flag": "triangle-up", "opportunity": "circle"}


def followed(runs: Mapping[str, Mapping[str, Rows]]) -> list[str]:
    """Return the names of all numbers that some epoch states, nested ones by their path.

    Example:
        >>> followed({"a": {"1": [{"epoch": 1, "gain": 0.5, "loss_shares": {"main": 1.0}, "phase": "x"}]}})
        ['gain', 'loss_shares.main']
    """
    every = (row for seeds in runs.values() for rows in seeds.values() for row in rows)
    return list(dict.fromkeys(name for row in every for name in _leaves(row)))


def values_of(runs: Mapping[str, Mapping[str, Rows]], name: str) -> dict[str, dict[str, dict[int, float]]]:
    """Return one of the numbers by run, seed and epoch, without runs and seeds that lack it."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for run, seeds in runs.items():
        for seed, rows in seeds.items():
            own = {int(row["epoch"]): leaf[name] for row in rows if name in (leaf := _leaves(row))}
            if own:
                found.setdefault(run, {})[seed] = own
    return found


def is_constant(values: Mapping[str, Mapping[str, Mapping[int, float]]]) -> bool:
    """Return whether a number never changes: such a line tells less than a word."""
    return len({value for seeds in values.values() for own in seeds.values() for value in own.values()}) <= 1


def loss_shares(runs: Mapping[str, Mapping[str, Rows]]) -> Any:
    """Return each term's share of the loss over the epochs, mean over seeds, one panel per run.

    Raises:
        RecordError: no run recorded shares.
    """
    names = [name for name in followed(runs) if name.startswith("loss_shares.")]
    rows = []
    for name in names:
        for run, seeds in values_of(runs, name).items():
            for epoch in sorted(set.union(*(set(own) for own in seeds.values()))):
                known = [own[epoch] for own in seeds.values() if epoch in own]
                rows.append({
                    "run": run, "term": name.partition(".")[2], "epoch": epoch,
                    "share": sum(known) / len(known),
                })  # fmt: skip
    if not rows:
        raise RecordError(f"{', '.join(runs)}: no shares of the loss were recorded.")
    terms = list(dict.fromkeys(row["term"] for row in rows))
    style = by_run(terms)
    style = {channel: _of_terms(encoding) for channel, encoding in style.items()}
    shown = list(dict.fromkeys(row["run"] for row in rows))
    ticks = altair.Axis(tickMinStep=1, format="d", labelFlush=False, tickCount=8)
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_line(strokeWidth=2, point=altair.OverlayMarkDef(size=22, filled=True))
        .encode(
            x=altair.X("epoch:Q", axis=ticks, scale=altair.Scale(zero=False, nice=False)),
            y=altair.Y("share:Q", title="share of the loss", axis=altair.Axis(format="%")),
            tooltip=["run:N", "term:N", "epoch:Q", "share:Q"], **style,
        )
        .properties(width=WIDTH if len(shown) == 1 else WIDTH * 2 // 3, height=HEIGHT * 3 // 4)
    )  # fmt: skip
    about = ["mean over seeds; terms that pull the other way are negative"]
    if len(shown) == 1:
        return framed(chart, "What the loss is made of", [shown[0], *about])
    panels = chart.facet(altair.Facet("run:N", title=None, sort=shown), columns=2)
    return framed(panels, "What the loss is made of", about)


def flags_by_epoch(epochs: Sequence[tuple[int, Sequence[str], Sequence[str]]], run: str) -> Any:
    """Return which flags were up at which epoch.

    Args:
        epochs: (epoch, red flags, opportunities) of one run.
        run: Its name.

    Raises:
        RecordError: no flag was ever up.
    """
    rows = [
        {"epoch": epoch, "flag": flag.replace("_", " "), "kind": kind}
        for epoch, *both in epochs
        for kind, flags in zip(_FLAG_COLORS, both, strict=True)
        for flag in flags
    ]
    if not rows:
        raise RecordError("no epoch raised a flag.")
    kinds = [kind for kind in _FLAG_COLORS if any(row["kind"] == kind for row in rows)]
    order = list(dict.fromkeys(row["flag"] for kind in kinds for row in rows if row["kind"] == kind))
    numbers = sorted({epoch for epoch, _, _ in epochs})
    colors, shapes = ([own[kind] for kind in kinds] for own in (_FLAG_COLORS, _FLAG_SHAPES))
    legend = altair.Legend(orient="top", title=None, symbolOpacity=1)
    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=altair.X(
                "epoch:O", title="epoch", scale=altair.Scale(domain=numbers), axis=epoch_axis(numbers, WIDTH)
            ),
            y=altair.Y(
                "flag:N", title=None, sort=order, axis=altair.Axis(grid=True, labelLimit=0, ticks=False)
            ),
            color=altair.Color("kind:N", scale=altair.Scale(domain=kinds, range=colors), legend=legend),
            shape=altair.Shape("kind:N", scale=altair.Scale(domain=kinds, range=shapes), legend=legend),
            tooltip=["flag:N", "kind:N", "epoch:O"],
        )
        .properties(width=WIDTH, height=altair.Step(22))
    )
    return framed(chart, "Flags by epoch", [run, "what the rules said of each epoch"])


def _of_terms(encoding: Any) -> Any:
    copied = encoding.copy()
    copied.shorthand = "term:N"
    return copied


def _leaves(row: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= _leaves(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and name != "epoch":
            found[f"{prefix}{name}"] = float(value)
    return found
