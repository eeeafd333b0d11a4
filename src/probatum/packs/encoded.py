"""An episode made ready for the disk: its lines and its rows.

It holds bytes and arrays only, so that a worker process can do the work and send the result to the one writer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum._files import strict_json
from probatum.packs.columns import NAMES, NOTHING, Arrays, columns
from probatum.packs.decision import observe
from probatum.packs.episode import EpisodeRecord
from probatum.packs.record import episode_record, listing
from probatum.signals.features import FeatureSchema, FeatureVector


@dataclass(frozen=True)
class EncodedEpisode:
    """One episode as bytes.

    Attributes:
        episode_id: Its name.
        line: Its line of `episodes.jsonl`, with the newline.
        listing: Its line of `listing.jsonl`, with the newline.
        arrays: Its rows of every column.
    """

    episode_id: str
    line: bytes
    listing: bytes
    arrays: Mapping[str, NDArray[Any]]

    @property
    def rows(self) -> int:
        """How many observations it has."""
        return len(self.arrays["actions"])

    @property
    def sha256(self) -> bytes:
        """The digest of everything that is written of it."""
        return digest(self.line, self.listing, self.arrays)


def digest(line: bytes, short: bytes, arrays: Arrays) -> bytes:
    """Return the SHA-256 of an episode's two lines and of its rows, column by column."""
    found = hashlib.sha256(line)
    found.update(short)
    for name in NAMES:
        found.update(np.ascontiguousarray(arrays[name]).tobytes())
    return found.digest()


def encode(record: EpisodeRecord, schema: FeatureSchema) -> EncodedEpisode:
    """Return an episode ready to be appended."""
    vectors = [observe(schema, observed) for observed in record.observations]
    episode = episode_record(record, schema, vectors)
    return EncodedEpisode(
        record.episode_id, _line(episode), _line(listing(episode)), _arrays(record, episode, vectors)
    )


def _line(value: Mapping[str, Any]) -> bytes:
    return (strict_json(value, indent=None) + "\n").encode()


def _arrays(record: EpisodeRecord, episode: Mapping[str, Any], vectors: Sequence[FeatureVector]) -> Arrays:
    ends = [position >= len(record.choices) - 1 for position in range(len(vectors))]
    decisions, width = episode["decisions"], len(record.actions)
    good = [decision["hindsight"]["was_good_decision"] for decision in decisions]
    rows: dict[str, Any] = {
        "observations": [vector.values for vector in vectors],
        "mask": [vector.mask for vector in vectors],
        "actions": [*(choice.action for choice in record.choices), NOTHING],
        "greedy": [*(choice.greedy for choice in record.choices), NOTHING],
        "allowed": [observed.allowed for observed in record.observations],
        "probabilities": [*(choice.probabilities for choice in record.choices), (0.0,) * width],
        "rewards": [*(tuple(decision["reward"].values()) for decision in decisions), (0.0,) * 4],
        "done": ends,
        "good": [*(NOTHING if value is None else int(value) for value in good), NOTHING],
        "epochs": [observed.epoch for observed in record.observations],
    }
    wanted = columns(len(vectors[0].values), width)
    return {name: np.asarray(rows[name], dtype=wanted[name].dtype) for name in NAMES}
