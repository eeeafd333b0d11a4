"""What stands at the head of a pack: `pack.json`, the seed's keys and what a reader needs beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from probatum._errors import UsageError
from probatum._files import strict_json
from probatum.packs import hindsight, rewards
from probatum.packs.columns import describe
from probatum.packs.quick_stats import quick_stats

SCHEMA_VERSION = 2  # 1 was the old generator's format: one JSON document without these keys
SAME = ("telemetry_config", "feature_schema", "actions", "environment", "behaviour", "definitions")
RAW = "values as measured, 0 where the mask is 0; a policy learns its own from training episodes and keeps it"


@dataclass(frozen=True)
class PackHeader:
    """What all episodes of a pack have in common.

    Attributes:
        telemetry_config: The probe's configuration, whole.
        feature_schema: `FeatureSchema.as_record()`.
        actions: The environment's actions, WAIT first.
        environment: `Environment.describe()`.
        behaviour: Which policies act, and how; not how many episodes, so that a pack can grow.
        pack_id: The name of the pack; its folder and today's date where None.
    """

    telemetry_config: Mapping[str, Any]
    feature_schema: Mapping[str, Any]
    actions: Sequence[str]
    environment: Mapping[str, Any]
    behaviour: Mapping[str, Any]
    pack_id: str | None = None

    @property
    def features(self) -> int:
        """How many features an observation has."""
        return len(self.feature_schema["_index"])

    def as_record(self, folder_name: str) -> dict[str, Any]:
        """Return the head of a pack without episodes."""
        now = datetime.now(UTC)
        record = {
            "schema_version": SCHEMA_VERSION,
            "pack_id": self.pack_id or f"{folder_name}_{now:%Y-%m-%d}",
            "created_at": now.isoformat(timespec="seconds"),
            "telemetry_config": dict(self.telemetry_config),
            "feature_schema": dict(self.feature_schema),
            "quick_stats": quick_stats([]),
            "actions": list(self.actions),
            "environment": dict(self.environment),
            "behaviour": dict(self.behaviour),
            "normalisation": RAW,
            "definitions": definitions(),
            "columns": describe(self.features, len(self.actions)),
        }
        return json.loads(strict_json(record))


def definitions() -> dict[str, Any]:
    """Return the numbers in the rules of rewards, hindsight and outcome; `docs/packs.md` states the rules."""
    return {
        "margin_points": hindsight.MARGIN,
        "horizon_epochs": hindsight.HORIZON,
        "germination_horizon_epochs": hindsight.GERMINATION_HORIZON,
        "plateau_epochs": hindsight.PLATEAU_EPOCHS,
        "ceiling_percent": hindsight.CEILING,
        "reward_components": list(rewards.COMPONENTS),
        "intervention_costs_points": {**rewards.COSTS, "other": rewards.OTHER_COST},
    }


def refuse_another(found: Mapping[str, Any], wanted: Mapping[str, Any], place: str) -> None:
    """Refuse to continue a pack that was begun with something else.

    Raises:
        UsageError: what was begun differs; every part that does is named.
    """
    if found.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(
            f"{place} has schema_version {found.get('schema_version')!r}, expected {SCHEMA_VERSION}. "
            "Write into a new folder."
        )
    different = [name for name in SAME if found.get(name) != wanted[name]]
    if different:
        raise UsageError(
            f"{place} was begun with another {', '.join(different)}: its episodes would not be comparable. "
            "Write into a new folder, or state what it was begun with."
        )
