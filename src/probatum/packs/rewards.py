"""What a decision earned: the change of validation accuracy in the epoch that follows it, less its cost.

    reward[t] = accuracy[t + 1] - accuracy[t] - cost(action[t])          in points
    return_to_go[t] = reward[t] + reward[t + 1] + ... + reward[last]     not discounted

An episode has a fixed budget, so its return is the accuracy gained from the first epoch to the last, less what
was done for it: maximising it is maximising the final accuracy. Nothing is shaped by stages or potentials. The
reward belongs to the epoch *after* the action; the test split is no part of it. An intervention that was not
allowed was not carried out and costs nothing.

Source: tamiyo.md, section 6 (costs of the interventions) and 8.1 (the old reward belonged to the epoch before).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from probatum.packs.actions import family

if TYPE_CHECKING:
    from probatum.packs.episode import EpisodeRecord

COMPONENTS = ("accuracy_change", "intervention_cost", "reward", "return_to_go")  # columns, in this order
COSTS: Mapping[str, float] = {
    "WAIT": 0.0,
    "GERMINATE": 0.02,
    "ADVANCE": 0.01,
    "CULL": 0.005,
    "FOSSILIZE": 0.01,
}
OTHER_COST = 0.01  # of an intervention that is not named above, in points


def cost(name: str) -> float:
    """Return what an action costs, in points.

    Example:
        >>> cost("GERMINATE_NORM"), cost("WAIT"), cost("RAISE_LEARNING_RATE")
        (0.02, 0.0, 0.01)
    """
    return COSTS.get(family(name), OTHER_COST)


def rewards(record: EpisodeRecord) -> list[tuple[float, float, float, float]]:
    """Return the `COMPONENTS` of every decision; an accuracy that was not measured changes nothing."""
    known = carried_forward(record.accuracies)
    done = set(record.interventions)
    gains = [after - before for before, after in pairwise(known)]
    costs = [cost(record.name(position)) if position in done else 0.0 for position in range(len(gains))]
    rows, to_go = [], 0.0
    for gain, paid in zip(reversed(gains), reversed(costs), strict=True):
        to_go += gain - paid
        rows.append((gain, paid, gain - paid, to_go))
    return rows[::-1]


def carried_forward(values: Sequence[float | None]) -> list[float]:
    """Return values where one that is missing is the one before it; in front, the first that is known.

    Example:
        >>> carried_forward([None, 2.0, None, 3.0])
        [2.0, 2.0, 2.0, 3.0]
    """
    known = [value if value is not None and math.isfinite(value) else None for value in values]
    last = next((value for value in known if value is not None), 0.0)
    filled = []
    for value in known:
        last = last if value is None else value
        filled.append(last)
    return filled
