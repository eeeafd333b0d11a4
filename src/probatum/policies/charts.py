"""A chart of a comparison: what each policy reached, episode by episode, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair

from probatum.reports.style import WIDTH

ROW = 28  # points of height for each policy


def outcome_chart(found: Mapping[str, Any]) -> Any:
    """Return final test accuracy by policy: a mark per episode, the mean and its t-interval over episodes.

    Names are values of the data and never names of fields, so that no character of theirs is read as Vega syntax.
    """
    names = [own["policy"] for own in found["policies"]]
    order = altair.Y("policy:N", title=None, sort=names)
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
