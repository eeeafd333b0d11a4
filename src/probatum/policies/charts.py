"""Charts: what policies reached, episode by episode; and what richer data changed, cause by cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair

from probatum.reports.style import OKABE_ITO, WIDTH

ROW = 28  # points of height for each policy


def outcome_chart(found: Mapping[str, Any]) -> Any:
    """Return final test accuracy by policy: a mark per episode, the mean and its t-interval over episodes.

    Names are values of the data and never names of fields, so that no character of theirs is read as Vega syntax.
    """
    names = [own["policy"] for own in found["policies"]]
    order = altair.Y("policy:N", title=None, sort=names, axis=altair.Axis(labelLimit=0))
    scale = altair.Scale(zero=False)
    title = "final test accuracy (percent)"
    episodes = [
        {
            "policy": own["policy"],
            "accuracy": own["test_accuracy"],
            "seed": own["seed"],
            "cause": own["cause"],
        }
        for own in found["outcomes"]
    ]
    means = [
        {
            "policy": own["policy"],
            "accuracy": own["test_accuracy"],
            "low": own["ci_low"],
            "high": own["ci_high"],
        }
        for own in found["policies"]
    ]
    points = (
        altair.Chart(altair.Data(values=episodes))
        .mark_tick(opacity=0.5, thickness=2)
        .encode(
            y=order,
            x=altair.X("accuracy:Q", title=title, scale=scale),
            tooltip=["policy:N", "seed:N", "cause:N", "accuracy:Q"],
        )
    )
    base = altair.Chart(altair.Data(values=means)).encode(y=order)
    interval = base.mark_rule(strokeWidth=2).encode(x=altair.X("low:Q", title=title), x2="high:Q")
    mean = base.mark_point(filled=True, size=70).encode(x=altair.X("accuracy:Q", title=title))
    return altair.layer(points, interval, mean).properties(width=WIDTH, height=ROW * len(names))


def richer_chart(found: Mapping[str, Any]) -> Any:
    """Return test accuracy by hidden cause: one mark per set of features, its interval over networks, no growth."""
    groups = ["no_growth", *sorted(found["features"], key=found["features"].__getitem__)]
    rows = [
        {
            "cause": cause,
            "group": f"{group} ({found['features'][group]} features)"
            if group in found["features"]
            else group,
            "accuracy": cell["mean"],
            "low": cell["mean"] if cell["ci_low"] is None else max(0.0, cell["ci_low"]),
            "high": cell["mean"] if cell["ci_high"] is None else min(100.0, cell["ci_high"]),
        }
        for group in groups
        for cause in ("all", *found["causes"])
        if (cell := found["groups"][group][cause]["test_accuracy"])["mean"] is not None
    ]
    names = list(dict.fromkeys(row["group"] for row in rows))
    title = "final test accuracy (percent)"
    base = altair.Chart(altair.Data(values=rows)).encode(
        y=altair.Y("cause:N", title=None, sort=["all", *found["causes"]], axis=altair.Axis(labelLimit=0)),
        yOffset=altair.YOffset("group:N", sort=names),
        color=altair.Color(
            "group:N", title=None, sort=names, scale=altair.Scale(domain=names, range=OKABE_ITO[: len(names)]),
            legend=altair.Legend(orient="top", labelLimit=0),
        ),
    )  # fmt: skip
    scale = altair.Scale(zero=False)
    interval = base.mark_rule(strokeWidth=2).encode(
        x=altair.X("low:Q", title=title, scale=scale), x2="high:Q"
    )
    mean = base.mark_point(filled=True, size=60).encode(
        x=altair.X("accuracy:Q", title=title), shape=altair.Shape("group:N", legend=None, sort=names)
    )
    return altair.layer(interval, mean).properties(width=WIDTH, height=2 * ROW * (len(found["causes"]) + 1))
