"""Whether a decision was good, judged by what came of it.

Seed 004 names `was_good_decision` and `accuracy_5_epochs_later` and gives no rule. This is the rule:

- An intervention with a *counterfactual* (the run forked before it and left alone) was good if, at the last
  epoch that both have, validation accuracy with it exceeds the one without by more than `MARGIN` points. A
  difference within the margin is no good: nothing was won, and the intervention was not free. As the run and
  its fork share every number up to the decision, the difference is caused by what was done from there on.
- An intervention without one was good if validation accuracy rose by more than `MARGIN` points within
  `horizon(action)` epochs, or what the budget leaves. Training alone raises accuracy too, so this is weak
  evidence, and it says so: `basis: "afterwards"`.
- WAIT (or an action that was not allowed) was bad if accuracy then fell by more than the margin, or if the run
  stood on a plateau with an intervention allowed and accuracy to gain, and did not rise beyond the margin. It is
  good otherwise. Its basis is "afterwards" always: a fork that waits is the same run.

The margin is half a point: a smaller rise is what `plateau_epochs` counts as none. The horizon is five epochs,
the seed's; ten for a germination, since a seed touches the network only once it blends (three epochs of
training, five of blending). Where an accuracy was not measured, nothing is judged: `basis: "unmeasured"`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from probatum.packs.actions import GERMINATE, family
from probatum.signals.snapshot import Snapshot

if TYPE_CHECKING:
    from probatum.packs.episode import EpisodeRecord

MARGIN = 0.5  # points of validation accuracy
HORIZON = 5  # epochs
GERMINATION_HORIZON = 10  # epochs
PLATEAU_EPOCHS = 3  # epochs without a rise of half a point
CEILING = 95.0  # percent; above it a plateau is no reason to act
BASES = ("counterfactual", "afterwards", "unmeasured")


def horizon(name: str) -> int:
    """Return after how many epochs an action is judged, where there is no counterfactual.

    Example:
        >>> horizon("GERMINATE_NORM"), horizon("WAIT")
        (10, 5)
    """
    return GERMINATION_HORIZON if family(name) == GERMINATE else HORIZON


def hindsight(record: EpisodeRecord, position: int) -> dict[str, Any]:
    """Return the seed's `hindsight` of a decision, with the numbers that it rests on."""
    accuracies = [measured(value) for value in record.accuracies]
    forked = record.counterfactuals.get(position, ())
    by_fork = bool(forked) and position in record.interventions
    left = len(accuracies) - 1 - position
    epochs = min(left, len(forked) if by_fork else horizon(record.name(position)))
    before, after = accuracies[position], accuracies[position + epochs]
    without = measured(forked[epochs - 1]) if by_fork else None
    reference = without if by_fork else before
    difference = None if after is None or reference is None else after - reference
    basis = "unmeasured" if difference is None else "counterfactual" if by_fork else "afterwards"
    return {
        "was_good_decision": None if difference is None else _is_good(record, position, difference),
        "accuracy_5_epochs_later": accuracies[position + HORIZON] if left >= HORIZON else None,
        "basis": basis,
        "horizon_epochs": epochs,
        "accuracy_before": before,
        "accuracy_after": after,
        "accuracy_without": without,
        "difference_points": difference,
    }


def is_plateau(shot: Snapshot) -> bool:
    """Return whether accuracy has not risen by half a point for `PLATEAU_EPOCHS` epochs."""
    return shot.plateau_epochs is not None and shot.plateau_epochs >= PLATEAU_EPOCHS


def measured(value: float | None) -> float | None:
    """Return a number, None for NaN and the infinities."""
    return None if value is None or not math.isfinite(value) else float(value)


def _is_good(record: EpisodeRecord, position: int, difference: float) -> bool:
    if position in record.interventions:
        return difference > MARGIN
    return difference >= -MARGIN and not (difference <= MARGIN and _could_act(record, position))


def _could_act(record: EpisodeRecord, position: int) -> bool:
    """Return whether a run stood on a plateau below the ceiling, and something other than WAIT was allowed."""
    observed = record.observations[position]
    accuracy = measured(observed.snapshot.val_accuracy)
    below = accuracy is not None and accuracy < CEILING
    return is_plateau(observed.snapshot) and below and any(observed.allowed[1:])
