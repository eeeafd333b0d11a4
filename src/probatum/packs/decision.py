"""One decision by the seed's keys: what was observed, what was done, why, and what came of it.

Source: seed 004, `decisions[].{observation, action, decision_context, hindsight}`. Beside them stand what the
seed leaves out and learning needs: the epoch, what was allowed, the budget, the reward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probatum.packs.actions import blueprint, family
from probatum.packs.hindsight import hindsight, measured
from probatum.packs.rewards import COMPONENTS
from probatum.signals.brief import decision_brief
from probatum.signals.features import FeatureSchema, FeatureVector

if TYPE_CHECKING:
    from probatum.packs.environment import Observed
    from probatum.packs.episode import EpisodeRecord

LARGEST = 3.4028234e38  # of a 32-bit number, which the columns hold
BRIEF = (
    "evidence",
    "gradient_health",
    "key_metrics",
    "primary_metric",
)  # of a brief, kept in decision_context


def decision_record(
    record: EpisodeRecord, position: int, observation: Mapping[str, float | None], earned: Sequence[float]
) -> dict[str, Any]:
    """Return one decision as strict JSON takes it.

    Args:
        record: The episode.
        position: Which of its decisions.
        observation: The features at it, from `observation_record`.
        earned: The `rewards.COMPONENTS` of the decision.
    """
    observed = record.observations[position]
    return {
        "epoch": observed.epoch,
        "observation": dict(observation),
        "action": _action(record, position),
        "decision_context": _context(record, position),
        "hindsight": hindsight(record, position),
        "allowed": [name for name, may in zip(record.actions, observed.allowed, strict=True) if may],
        "budget_left": observed.budget,
        "facts": {name: measured(value) for name, value in observed.facts.items()},
        "reward": dict(zip(COMPONENTS, map(float, earned), strict=True)),
    }


def observation_record(schema: FeatureSchema, vector: FeatureVector) -> dict[str, float | None]:
    """Return an observation by the names of its features; None where it was not measured."""
    return {
        name: value if known else None
        for name, value, known in zip(schema.names, vector.values, vector.mask, strict=True)
    }


def observe(schema: FeatureSchema, observed: Observed) -> FeatureVector:
    """Return the features of what was observed; a number too large for 32 bits counts as not measured."""
    vector = schema.vector(observed.recent, observed.slot)
    if max(map(abs, vector.values), default=0.0) <= LARGEST:
        return vector
    mask = tuple(
        known * (abs(value) <= LARGEST) for value, known in zip(vector.values, vector.mask, strict=True)
    )
    return FeatureVector(tuple(value * known for value, known in zip(vector.values, mask, strict=True)), mask)


def _action(record: EpisodeRecord, position: int) -> dict[str, Any]:
    choice, name = record.choices[position], record.name(position)
    return {
        "action": family(name),
        "blueprint_id": blueprint(name),
        "name": name,
        "index": int(choice.action),
        "confidence": measured(choice.confidence),
        "greedy": record.actions[choice.greedy],
        "is_exploratory": bool(choice.is_exploratory),
        "is_carried_out": bool(record.observations[position].allowed[choice.action]),
        "probabilities": dict(zip(record.actions, map(float, choice.probabilities), strict=True)),
    }


def _context(record: EpisodeRecord, position: int) -> dict[str, Any]:
    choice = record.choices[position]
    brief = decision_brief(record.observations[position].snapshot, record.name(position), choice.reason)
    return {
        "narrative": brief["narrative"],
        "red_flags": brief["red_flags"],
        "opportunities": brief["opportunities"],
        "why_this_action": choice.reason,
        "why_not_alternatives": dict(choice.why_not),
        **{name: brief[name] for name in BRIEF},
    }
