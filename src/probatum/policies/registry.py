"""Policies by name: `heuristic:patient`, `epsilon(heuristic, 0.2)`, or the file of one that learned."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from probatum._errors import UnknownNameError, UsageError
from probatum._names import unknown
from probatum.packs.choice import Policy
from probatum.policies.behaviours import EpsilonGreedy, FixedSchedule, NoGrowth, RandomPolicy, Schedule
from probatum.policies.heuristic import VARIANTS, Heuristic
from probatum.policies.remedies import FlagRules

_EPSILON = re.compile(r"^epsilon\((?P<policy>.+),(?P<epsilon>[^,()]+)\)$")


def _makers() -> dict[str, Callable[[], Policy]]:
    made: dict[str, Callable[[], Policy]] = {
        "no_growth": NoGrowth,
        "fixed": FixedSchedule,
        "random": RandomPolicy,
        "random:family": lambda: RandomPolicy("random:family", by_family=True),
        "random:sparse": lambda: RandomPolicy("random:sparse", by_family=True, waiting=0.7),
        "heuristic": Heuristic,
        "flags": FlagRules,
    }
    for blueprint in ("CONV_ENHANCE", "ATTENTION", "NORM", "DEPTHWISE"):
        name, schedule = f"fixed:{blueprint.lower()}", Schedule(blueprint=blueprint)
        made[name] = lambda name=name, schedule=schedule: FixedSchedule(schedule, name)
    for name, thresholds in VARIANTS.items():
        made[f"heuristic:{name}"] = lambda name=name, thresholds=thresholds: Heuristic(
            thresholds, f"heuristic:{name}"
        )
    return made


BUILT_IN: Mapping[str, Callable[[], Policy]] = MappingProxyType(_makers())


def make_policy(name: str) -> Policy:
    """Return a fresh policy.

    Args:
        name: A built-in name, `epsilon(NAME, SHARE)` around any, or the path of a policy file.

    Raises:
        UnknownNameError: no policy has that name and no file stands there; the nearest names are listed.
        UsageError: the share is no number in [0, 1].
        RecordError: the file is no policy.

    Example:
        >>> make_policy("epsilon(heuristic:patient, 0.2)").name
        'epsilon(heuristic:patient, 0.2)'
    """
    name = name.strip()
    if mixed := _EPSILON.match(name):
        return EpsilonGreedy(make_policy(mixed["policy"]), _share(mixed["epsilon"], name))
    if name in BUILT_IN:
        return BUILT_IN[name]()
    if _looks_like_file(name):
        from probatum.policies.store import load_policy  # torch is loaded for learned policies only

        return load_policy(Path(name))
    raise UnknownNameError(
        f"{unknown('policy', name, BUILT_IN)} Around any: epsilon(NAME, 0.2). A learned one is named by its file."
    )


def _share(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"{name}: expected a number in [0, 1] after the comma, got {text.strip()!r}."
        ) from None


def _looks_like_file(name: str) -> bool:
    return "/" in name or name.endswith((".json", ".pt")) or Path(name).exists()
