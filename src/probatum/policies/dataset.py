"""A pack as a learner sees it: split by episode, normalised by its training episodes, read batch by batch.

Decisions of one episode are never on both sides of a split: neighbouring observations are nearly equal, and a
split by decision would report memory as skill (tamiyo.md, section 8.3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.packs.normalisation import Normaliser
from probatum.packs.reader import PackReader
from probatum.packs.rewards import COMPONENTS

SHARES: Mapping[str, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}  # of the episodes
LEAST = 5  # episodes: below this a part would be empty
HELD_BYTES = 256 * 2**20  # of inputs kept in memory at most
REWARD, RETURN = COMPONENTS.index("reward"), COMPONENTS.index("return_to_go")


@dataclass(frozen=True)
class Batch:
    """Decisions as tensors; rewards in points.

    Attributes:
        inputs: Normalised values beside their mask: (batch, 2 * features).
        allowed: (batch, actions), boolean.
        actions: What was done: (batch,).
        propensities: With what probability the behaviour policy did it: (batch,).
        rewards: Of the epoch that followed: (batch,).
        returns: The rest of the episode's rewards: (batch,).
        final: Whether nothing was decided after: (batch,), boolean.
        next_inputs: The observation after.
        next_allowed: What was allowed then.
    """

    inputs: Tensor
    allowed: Tensor
    actions: Tensor
    propensities: Tensor
    rewards: Tensor
    returns: Tensor
    final: Tensor
    next_inputs: Tensor
    next_allowed: Tensor


class PackDataset:
    """The decisions of a pack in three parts.

    Args:
        pack: The pack, opened.
        features: `base` for the 27 numbers, `all`, or the names of groups of the pack's schema.
        policies: Patterns of behaviour policies, such as `heuristic*`; only their episodes are used.
        names: The features by name, in place of groups.
        normaliser: One that was learnt elsewhere; None learns it on the training episodes.

    Raises:
        UsageError: the pack is too small to be split, or has no such features.
    """

    def __init__(
        self,
        pack: PackReader,
        features: str = "all",
        policies: Sequence[str] = ("*",),
        *,
        names: Sequence[str] | None = None,
        normaliser: Normaliser | None = None,
    ) -> None:
        chosen = _episodes_of(pack, policies)
        if len(chosen) < LEAST:
            raise UsageError(
                f"{pack.header['pack_id']}: expected at least {LEAST} episodes to split, got {len(chosen)}"
                f"{'' if '*' in policies else f' of {chr(44).join(policies)}'}. Generate more."
            )
        self.pack, self.features = pack, features
        self._normaliser = normaliser
        self.actions = pack.actions
        self.names = tuple(names or chosen_features(pack.header["feature_schema"], features))
        self.columns = np.array([pack.feature_names.index(name) for name in self.names])
        self.digest = pack_digest(pack)
        parts = split_episodes(list(chosen), self.digest)
        numbers = list(chosen.values())
        self.policies = tuple(policies)
        self.episodes = {part: sorted(numbers[place] for place in own) for part, own in parts.items()}
        self._decisions = np.flatnonzero(np.asarray(pack.actions_taken) >= 0)
        self._arrays = {  # the mappings, opened once: rows are read where a batch touches them
            name: getattr(pack, name)
            for name in (
                "observations",
                "mask",
                "allowed",
                "actions_taken",
                "probabilities",
                "rewards",
                "done",
            )
        }

    @cached_property
    def normaliser(self) -> Normaliser:
        """Means and deviations of the training episodes; a value that was not measured takes no part."""
        if self._normaliser is not None:
            return self._normaliser
        found = Normaliser(self.names)
        for own in self.pack.batches(self.episodes["train"]):
            found.update(own.observations[:, self.columns], own.mask[:, self.columns])
        return found

    def rows(self, part: str) -> NDArray[np.int64]:
        """Return the rows of a part's decisions."""
        offsets = self.pack.episode_offsets
        owner = np.searchsorted(offsets, self._decisions, side="right") - 1
        return self._decisions[np.isin(owner, self.episodes[part])]

    @cached_property
    def _held(self) -> Batch | None:
        """Every decision as tensors, where that is small; a large pack is read batch by batch."""
        size = len(self._decisions) * len(self.names) * 4 * 4  # values and masks, before and after
        return self._read(self._decisions) if size <= HELD_BYTES else None

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Return decisions as tensors."""
        if self._held is None:
            return self._read(rows)
        places = torch.from_numpy(np.searchsorted(self._decisions, rows))
        return Batch(**{each.name: getattr(self._held, each.name)[places] for each in fields(Batch)})

    def _read(self, rows: NDArray[np.int64]) -> Batch:
        read = self._arrays
        actions = torch.from_numpy(read["actions_taken"][rows].astype(np.int64))
        probabilities = torch.from_numpy(read["probabilities"][rows].astype(np.float32))
        rewards = torch.from_numpy(read["rewards"][rows].astype(np.float32))
        return Batch(
            inputs=self._inputs(rows),
            allowed=torch.from_numpy(read["allowed"][rows].astype(bool)),
            actions=actions,
            propensities=probabilities.gather(1, actions[:, None])[:, 0],
            rewards=rewards[:, REWARD],
            returns=rewards[:, RETURN],
            final=torch.from_numpy(read["done"][rows].astype(bool)),
            next_inputs=self._inputs(rows + 1),
            next_allowed=torch.from_numpy(read["allowed"][rows + 1].astype(bool)),
        )

    def batches(self, part: str, size: int, source: np.random.Generator) -> Iterator[Batch]:
        """Yield a part's decisions once, in an order drawn from `source`."""
        rows = source.permutation(self.rows(part))
        for start in range(0, len(rows), size):
            yield self.batch(rows[start : start + size])

    def _inputs(self, rows: NDArray[np.int64]) -> Tensor:
        values = np.asarray(self._arrays["observations"][rows])[:, self.columns]
        mask = np.asarray(self._arrays["mask"][rows])[:, self.columns]
        return network_inputs(self.normaliser, values, mask)

    def as_record(self) -> dict[str, Any]:
        """Return what a policy keeps of the data it learned from."""
        return {
            "pack_id": self.pack.header["pack_id"],
            "digest": self.digest,
            "features": self.features,
            "policies": list(self.policies),
            "episodes": {part: len(own) for part, own in self.episodes.items()},
            "decisions": {part: len(self.rows(part)) for part in SHARES},
        }


def network_inputs(normaliser: Normaliser, values: NDArray[Any], mask: NDArray[Any]) -> Tensor:
    """Return the input of a network: normalised values, then their mask."""
    scaled = normaliser.apply(values, mask)
    return torch.from_numpy(np.concatenate([scaled, mask], axis=-1).astype(np.float32))


def chosen_features(schema: Mapping[str, Any], features: str) -> tuple[str, ...]:
    """Return the names of the features asked for, in the schema's order.

    Args:
        schema: A pack's `feature_schema`.
        features: `base`, `all`, or names of groups joined by commas.

    Raises:
        UsageError: there is no such group.

    Example:
        >>> chosen_features({"base": ["a"], "landscape": ["b"], "_index": {"a": 0, "b": 1}}, "base,landscape")
        ('a', 'b')
    """
    groups = {name: names for name, names in schema.items() if name != "_index"}
    wanted = list(groups) if features == "all" else [word.strip() for word in features.split(",")]
    for name in wanted:
        if name not in groups:
            raise UsageError(unknown("group of features", name, [*groups, "all"]))
    return tuple(own for name, names in groups.items() if name in wanted for own in names)


def _episodes_of(pack: PackReader, policies: Sequence[str]) -> dict[str, int]:
    """Return the positions of the episodes whose behaviour policy fits one of the patterns, by id."""
    return {
        own["episode_id"]: position
        for position, own in enumerate(pack.summaries)
        if any(fnmatchcase(own["policy"], pattern) for pattern in policies)
    }


def pack_digest(pack: PackReader) -> str:
    """Return the SHA-256 of a pack's episodes, whatever the order in which they were written."""
    lines = sorted(bytes(own) for own in pack.index["sha256"])
    return hashlib.sha256(b"".join(lines)).hexdigest()


def split_episodes(ids: Sequence[str], digest: str) -> dict[str, list[int]]:
    """Return the positions of the episodes of each part; who is where follows from the digest.

    Example:
        >>> {part: len(own) for part, own in split_episodes([f"episode_{i}" for i in range(10)], "0f").items()}
        {'train': 6, 'validation': 2, 'test': 2}
    """
    order = sorted(range(len(ids)), key=lambda position: ids[position])
    shuffled = np.random.default_rng(int(digest, 16)).permutation(order).tolist()
    first = max(1, round(SHARES["validation"] * len(ids)))
    second = first + max(1, round(SHARES["test"] * len(ids)))
    parts = {"train": shuffled[second:], "validation": shuffled[:first], "test": shuffled[first:second]}
    return {part: sorted(own) for part, own in parts.items()}
