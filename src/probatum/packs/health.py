"""Whether a pack can teach a policy: are all actions there, are they varied, and where.

A behaviour that always does the same in the same state leaves nothing to compare: in the old data 94% of the
decisions were WAIT, and 87% of the states held one action only.

| check | fails | warns |
|---|---|---|
| share of each family of actions | below 2% | below 5% |
| entropy of the families, as a share of its maximum | below 0.3 | below 0.5 |
| behaviour policies | one | fewer than 5 |
| states with a single family of actions | 50% and more | 40% and more |
| actions that were never taken | | any |

A state is (epoch // 5, plateau_epochs up to 5, has_active_seed).

Source: tamiyo.md, section 6 ("Health checks") and section 7 (the old shares).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from probatum.packs.actions import family
from probatum.packs.reader import PackReader

SHARE_FAILS, SHARE_WARNS = 0.02, 0.05
ENTROPY_FAILS, ENTROPY_WARNS = 0.3, 0.5
POLICIES_FAIL, POLICIES_WARN = 2, 5
SINGLE_FAILS, SINGLE_WARNS = 0.5, 0.4
PLATEAU_CAP, EPOCHS_TOGETHER = 5, 5
VERDICTS = ("ok", "warn", "fail")
State = tuple[int, int, int]


class Check(NamedTuple):
    """One check: what was looked at, the number, the verdict, and what it means."""

    name: str
    value: float
    verdict: str
    meaning: str


def health(reader: PackReader) -> list[Check]:
    """Return the checks of a pack; none where it holds no decision."""
    stats = reader.quick_stats
    counts = {family(name): 0 for name in reader.actions} | stats["action_distribution"]
    total = sum(counts.values())
    if not total:
        return []
    return [
        *(_share(name, count / total) for name, count in counts.items()),
        _entropy(list(counts.values())),
        _policies(stats["behaviour_policies"]),
        _coverage(states(reader)),
        _never_taken(reader.actions, stats["actions"]),
    ]


def worst(checks: Sequence[Check]) -> str:
    """Return the worst verdict.

    Example:
        >>> worst([Check("a", 1.0, "ok", ""), Check("b", 0.0, "warn", "")])
        'warn'
    """
    return max((check.verdict for check in checks), key=VERDICTS.index, default="ok")


def entropy(counts: Sequence[int]) -> float:
    """Return the Shannon entropy of counts as a share of its maximum, the logarithm of their number.

    Example:
        >>> entropy([5, 5]), entropy([9, 0])
        (1.0, 0.0)
    """
    total, kinds = sum(counts), len(counts)
    if kinds < 2 or not total:
        return 0.0
    shares = [count / total for count in counts if count]
    return abs(sum(share * math.log(share) for share in shares)) / math.log(kinds)


def states(reader: PackReader) -> dict[State, set[str]]:
    """Return the families of actions that were taken in each state."""
    position = {name: number for number, name in enumerate(reader.feature_names)}
    plateau, seed = position.get("plateau_epochs"), position.get("has_active_seed")
    kinds = [family(name) for name in reader.actions]
    found: dict[State, set[str]] = {}
    for batch in reader.batches(size=256):
        chosen = batch.decisions
        stood = 0 * chosen if plateau is None else batch.observations[chosen, plateau]
        grows = 0 * chosen if seed is None else batch.observations[chosen, seed] > 0
        columns = (batch.epochs[chosen] // EPOCHS_TOGETHER, np.minimum(stood, PLATEAU_CAP), grows)
        rows = np.column_stack([*columns, batch.actions[chosen]]).astype(np.int64)
        for epoch, flat, grown, action in np.unique(rows, axis=0).tolist():
            found.setdefault((epoch, flat, grown), set()).add(kinds[action])
    return found


def _share(name: str, share: float) -> Check:
    verdict = _low(share, SHARE_FAILS, SHARE_WARNS)
    return Check(
        f"share of {name}",
        share,
        verdict,
        f"{share:.1%} of the decisions; at least 5% teach, below 2% do not",
    )


def _entropy(counts: list[int]) -> Check:
    value = entropy(counts)
    meaning = (
        "of the families of actions, as a share of its maximum; at least 0.5 is varied, below 0.3 is not"
    )
    return Check("entropy", value, _low(value, ENTROPY_FAILS, ENTROPY_WARNS), meaning)


def _policies(policies: Mapping[str, int]) -> Check:
    count = len(policies)
    verdict = _low(count, POLICIES_FAIL, POLICIES_WARN)
    return Check("behaviour policies", count, verdict, "different ones; at least 5 teach more than one habit")


def _coverage(found: Mapping[State, set[str]]) -> Check:
    single = sum(len(kinds) == 1 for kinds in found.values())
    share = single / len(found)
    verdict = "fail" if share >= SINGLE_FAILS else "warn" if share >= SINGLE_WARNS else "ok"
    return Check(
        "states with one action",
        share,
        verdict,
        f"{single} of {len(found)} states; below 50% can be compared",
    )


def _never_taken(actions: Sequence[str], counts: Mapping[str, int]) -> Check:
    absent = [name for name in actions if not counts.get(name)]
    meaning = ", ".join(absent) or "every action was taken"
    return Check("actions never taken", len(absent), "warn" if absent else "ok", meaning)


def _low(value: float, fails: float, warns: float) -> str:
    return "fail" if value < fails else "warn" if value < warns else "ok"
