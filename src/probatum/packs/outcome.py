"""An episode in a few words: its trajectory, its key moments, and how it ended.

Seed 004 shows one outcome, `successful_intervention`, and gives no rule. The closed set and its rule:

- `successful_intervention`: something was done, and the gain exceeds `MARGIN` points.
- `neutral_intervention`: something was done, and the gain lies within the margin.
- `failed_intervention`: something was done, and the loss exceeds the margin.
- `missed_intervention`: nothing was done, though accuracy stood on a plateau below `CEILING` percent with at
  least `HORIZON` epochs left and an intervention allowed, and had not risen beyond the margin at the end.
- `no_intervention_needed`: nothing was done, and no such plateau was there.
- `unmeasured`: the accuracies that this needs were not measured.

The gain is the final validation accuracy less that of the fork which the first intervention left alone, at the
last epoch that both have (`outcome_basis: "counterfactual"`), or, where no fork was made, less the accuracy
at the first intervention (`"afterwards"`: training alone may have won it). Validation data judge, as they did
when the policy chose; test accuracy stands beside, and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from probatum.packs.actions import ADVANCE, CULL, FOSSILIZE, GERMINATE, family
from probatum.packs.hindsight import CEILING, HORIZON, MARGIN, is_plateau, measured

if TYPE_CHECKING:
    from probatum.packs.episode import EpisodeRecord

OUTCOMES = (
    "successful_intervention", "neutral_intervention", "failed_intervention", "missed_intervention",
    "no_intervention_needed", "unmeasured",
)  # fmt: skip
PLATEAU = "plateau_detected"
NOTHING = "steady"  # the trajectory of an episode without a plateau or an intervention
_STAGES = {3: "train", 4: "blend", 5: "shadow", 6: "probation", 7: "fossilize"}  # that ADVANCE leads to


def summary(record: EpisodeRecord) -> dict[str, Any]:
    """Return the seed's `summary` of an episode, with the basis of its outcome."""
    moments = key_moments(record)
    words = ["plateau" if moment["event"] == PLATEAU else moment["event"] for moment in moments]
    name, basis, gain = outcome(record)
    return {
        "trajectory": " -> ".join(words) or NOTHING,
        "key_moments": moments,
        "outcome": name,
        "outcome_basis": basis,
        "gain_points": gain,
    }


def outcome(record: EpisodeRecord) -> tuple[str, str, float | None]:
    """Return the outcome, what it rests on, and the gain in points."""
    accuracies = [measured(value) for value in record.accuracies]
    if not record.interventions:
        return _left_alone(record, accuracies)
    first = record.interventions[0]
    forked = record.counterfactuals.get(first, ())
    epochs = min(len(forked), len(accuracies) - 1 - first)
    last = accuracies[first + epochs] if forked else accuracies[-1]
    reference = measured(forked[epochs - 1]) if forked else accuracies[first]
    if last is None or reference is None:
        return "unmeasured", "unmeasured", None
    gain = last - reference
    basis = "counterfactual" if forked else "afterwards"
    if gain > MARGIN:
        return "successful_intervention", basis, gain
    return ("failed_intervention" if gain < -MARGIN else "neutral_intervention"), basis, gain


def key_moments(record: EpisodeRecord) -> list[dict[str, Any]]:
    """Return when a plateau began and what was done, in order; epochs as observed when it was decided."""
    moments, stood, done = [], False, set(record.interventions)
    for position, observed in enumerate(record.observations):
        stands = is_plateau(observed.snapshot)
        if stands and not stood:
            moments.append({"epoch": observed.epoch, "event": PLATEAU})
        stood = stands
        if position in done:
            moments.append(_intervention(record, position))
    return moments


def lifecycle_counts(record: EpisodeRecord) -> dict[str, int]:
    """Return how many seeds were created, fossilized and culled, each counted once."""
    events = [event(record, position) for position in record.interventions]
    words = {"created": "germinate", "fossilized": "fossilize", "culled": "cull"}
    return {name: events.count(word) for name, word in words.items()}


def event(record: EpisodeRecord, position: int) -> str:
    """Return the word for what a decision did; ADVANCE is told by the stage that it led to."""
    kind = family(record.name(position))
    if kind == ADVANCE:
        stage = record.observations[position + 1].slot.get("seed_stage", 0)
        return _STAGES.get(int(stage), "advance")
    return {GERMINATE: "germinate", CULL: "cull", FOSSILIZE: "fossilize"}.get(kind, kind.lower())


def _intervention(record: EpisodeRecord, position: int) -> dict[str, Any]:
    word = event(record, position)
    moment: dict[str, Any] = {"epoch": record.observations[position].epoch, "event": word}
    if word in ("fossilize", "cull"):
        points = _improvement(record, position)
        if points is not None:
            moment |= {"improvement": f"{points:+.1f}%", "improvement_points": points}
    return moment


def _improvement(record: EpisodeRecord, position: int) -> float | None:
    """Return the points since the seed was planted: the environment's own count, else from its germination."""
    stated = measured(record.observations[position].facts.get("total_improvement"))
    planted = [
        each for each in record.interventions if each < position and event(record, each) == "germinate"
    ]
    if stated is not None or not planted:
        return stated
    before, now = (measured(record.accuracies[each]) for each in (planted[-1], position))
    return None if before is None or now is None else now - before


def _left_alone(record: EpisodeRecord, accuracies: list[float | None]) -> tuple[str, str, float | None]:
    """Return the outcome of an episode in which nothing was done."""
    last = accuracies[-1]
    if last is None:
        return "unmeasured", "unmeasured", None
    for position, observed in enumerate(record.observations[:-1]):
        now, left = accuracies[position], len(accuracies) - 1 - position
        could = is_plateau(observed.snapshot) and left >= HORIZON and any(observed.allowed[1:])
        if could and now is not None and now < CEILING and last - now <= MARGIN:
            return "missed_intervention", "afterwards", last - now
    first = next((value for value in accuracies if value is not None), last)
    return "no_intervention_needed", "afterwards", last - first
