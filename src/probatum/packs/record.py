"""An episode by the seed's keys, and the one line of it that a listing needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from probatum.packs.actions import family
from probatum.packs.decision import decision_record, observation_record, observe
from probatum.packs.hindsight import measured
from probatum.packs.outcome import lifecycle_counts, summary
from probatum.packs.rewards import rewards
from probatum.signals.features import FeatureSchema, FeatureVector

if TYPE_CHECKING:
    from probatum.packs.episode import EpisodeRecord


def episode_record(
    record: EpisodeRecord, schema: FeatureSchema, vectors: Sequence[FeatureVector] | None = None
) -> dict[str, Any]:
    """Return an episode as strict JSON takes it.

    Args:
        record: The episode.
        schema: Names and order of the features.
        vectors: The features of every observation, where they are known already.
    """
    if vectors is None:
        vectors = [observe(schema, observed) for observed in record.observations]
    observations = [observation_record(schema, vector) for vector in vectors]
    earned = rewards(record)
    return {
        "episode_id": record.episode_id,
        "summary": summary(record),
        "decisions": [
            decision_record(record, position, observations[position], earned[position])
            for position in range(len(record.choices))
        ],
        "settings": {
            "seed": record.settings.seed,
            "cause": record.settings.cause,
            "overrides": dict(record.settings.overrides),
        },
        "policy": record.policy,
        "max_epochs": record.observations[-1].epoch,
        "final_observation": observations[-1],
        "validation_accuracies": [measured(value) for value in record.accuracies],
        "test_accuracy": measured(record.test_accuracy),
        "seed_counts": lifecycle_counts(record),
        "counterfactuals": {
            str(position): [measured(value) for value in values]
            for position, values in sorted(record.counterfactuals.items())
        },
    }


def listing(episode: dict[str, Any]) -> dict[str, Any]:
    """Return what a listing says of an episode: small, and enough for the quick statistics.

    `final_accuracy` is the test accuracy, or the last validation accuracy where the test split was not read;
    `final_split` says which.
    """
    counts: dict[str, int] = {}
    for decision in episode["decisions"]:
        name = decision["action"]["name"]
        counts[name] = counts.get(name, 0) + 1
    tested = episode["test_accuracy"]
    return {
        "episode_id": episode["episode_id"],
        "policy": episode["policy"],
        "seed": episode["settings"]["seed"],
        "cause": episode["settings"]["cause"],
        "trajectory": episode["summary"]["trajectory"],
        "outcome": episode["summary"]["outcome"],
        "final_accuracy": episode["validation_accuracies"][-1] if tested is None else tested,
        "final_split": "validation" if tested is None else "test",
        "final_validation_accuracy": episode["validation_accuracies"][-1],
        "decisions": len(episode["decisions"]),
        "actions": counts,
        "seed_counts": episode["seed_counts"],
    }


def family_counts(actions: dict[str, int]) -> dict[str, int]:
    """Return counts of actions by family.

    Example:
        >>> family_counts({"WAIT": 3, "GERMINATE_NORM": 1, "GERMINATE_ATTENTION": 1})
        {'WAIT': 3, 'GERMINATE': 2}
    """
    counts: dict[str, int] = {}
    for name, count in actions.items():
        counts[family(name)] = counts.get(family(name), 0) + count
    return counts
