"""The seed's `quick_stats` of a pack, from its listing.

Seed 004 names three numbers and gives no rule for two of them:

- `action_distribution`: decisions by family of action (WAIT, GERMINATE, ADVANCE, ...).
- `accuracy_range`: lowest and highest final accuracy of an episode, in percent: on the test split where it was
  read. None while there is no episode.
- `seed_success_rate`: seeds fossilized over seeds created, each counted once when it was done; None where none
  was created.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from probatum.packs.record import family_counts


def quick_stats(listings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the seed's three numbers, and what they are made of.

    Example:
        >>> empty = quick_stats([])
        >>> empty["accuracy_range"], empty["seed_success_rate"], empty["episodes"]
        (None, None, 0)
    """
    tallies: dict[str, Counter[str]] = {
        name: Counter() for name in ("families", "actions", "seeds", "outcomes", "policies", "causes")
    }
    episodes, lowest, highest = 0, float("inf"), float("-inf")
    for each in listings:
        episodes += 1
        tallies["families"].update(family_counts(each["actions"]))
        tallies["actions"].update(each["actions"])
        tallies["seeds"].update(each["seed_counts"])
        tallies["outcomes"][each["outcome"]] += 1
        tallies["policies"][each["policy"]] += 1
        tallies["causes"][each["cause"]] += 1
        if each["final_accuracy"] is not None:
            lowest, highest = min(lowest, each["final_accuracy"]), max(highest, each["final_accuracy"])
    created = tallies["seeds"]["created"]
    return {
        "action_distribution": dict(tallies["families"]),
        "accuracy_range": [lowest, highest] if lowest <= highest else None,
        "seed_success_rate": tallies["seeds"]["fossilized"] / created if created else None,
        "episodes": episodes,
        "decisions": tallies["families"].total(),
        "actions": dict(tallies["actions"]),
        "seeds": {name: tallies["seeds"][name] for name in ("created", "fossilized", "culled")},
        "outcomes": dict(tallies["outcomes"]),
        "behaviour_policies": dict(tallies["policies"]),
        "causes": dict(tallies["causes"]),
    }
