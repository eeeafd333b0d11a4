"""Learners by name: several seeds from one pack, chosen on validation episodes, reported on test episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import torch

from probatum._errors import UnknownNameError, UsageError
from probatum._names import unknown
from probatum.analysis.intervals import summarise
from probatum.policies.dataset import Batch, PackDataset
from probatum.policies.imitation import (
    ImitationSettings,
    Trained,
    balanced_accuracy,
    confusion,
    recalls,
    train_imitation,
)
from probatum.policies.learned import LearnedPolicy
from probatum.policies.network import masked
from probatum.policies.offline import OfflineSettings, train_cql, train_iql
from probatum.policies.offline_value import Baseline, offline_value
from probatum.policies.ppo import PPOSettings
from probatum.policies.threads import one_thread

Train = Callable[[PackDataset, Any, int], Trained]


@dataclass(frozen=True)
class Learner:
    """An algorithm: what it is told, and how it trains; `train` is None where it needs an environment."""

    settings: Any
    train: Train | None


LEARNERS: Mapping[str, Learner] = {
    "imitation": Learner(ImitationSettings(), train_imitation),
    "iql": Learner(OfflineSettings(), train_iql),
    "cql": Learner(OfflineSettings(), train_cql),
    "ppo": Learner(PPOSettings(), None),
}


@dataclass(frozen=True)
class Lesson:
    """What one seed learned."""

    seed: int
    policy: LearnedPolicy
    test: dict[str, Any]
    history: list[dict[str, Any]]


def settings_of(algorithm: str, changes: Mapping[str, str]) -> Any:
    """Return an algorithm's settings with changes from words.

    Raises:
        UnknownNameError: the algorithm or a setting is unknown; the nearest are listed.
        UsageError: a value is not of its setting's type.

    Example:
        >>> settings_of("iql", {"steps": "100", "hidden": "32,32"}).hidden
        (32, 32)
    """
    if algorithm not in LEARNERS:
        raise UnknownNameError(unknown("algorithm", algorithm, LEARNERS))
    settings = LEARNERS[algorithm].settings
    known = {each.name: getattr(settings, each.name) for each in fields(settings)}
    values = {}
    for name, word in changes.items():
        if name not in known:
            raise UnknownNameError(unknown(f"setting of {algorithm}", name, known))
        values[name] = _like(known[name], word, name)
    return replace(settings, **values)


def learn(
    data: PackDataset,
    algorithm: str,
    settings: Any,
    seeds: Sequence[int],
    report: Callable[[Lesson], None] | None = None,
) -> list[Lesson]:
    """Return what each seed learned from a pack.

    Args:
        data: The pack, split.
        algorithm: imitation, iql or cql.
        settings: From `settings_of`.
        seeds: Of the networks and of the order of the batches.
        report: Called after each seed.

    Raises:
        UsageError: the algorithm does not learn from packs.
    """
    train = LEARNERS[algorithm].train
    if train is None:
        raise UsageError(f"{algorithm} learns from an environment and not from a pack.")
    test, baseline = data.batch(data.rows("test")), Baseline.fit(data.batch(data.rows("train")))
    lessons = []
    for seed in seeds:
        with one_thread():
            trained = train(data, settings, seed)
        record = {"algorithm": algorithm, "seed": seed, "pack": data.as_record(), "chosen": trained.chosen}
        policy = LearnedPolicy(
            trained.network, data.names, data.normaliser, data.actions, record,
            name=f"{algorithm}_{data.features.replace(',', '_')}_seed{seed}", kind=trained.kind,
        )  # fmt: skip
        policy.record["test"] = tested(policy, test, baseline)
        lessons.append(Lesson(seed, policy, policy.record["test"], trained.history))
        if report:
            report(lessons[-1])
    return lessons


def tested(policy: LearnedPolicy, test: Batch, baseline: Baseline) -> dict[str, Any]:
    """Return what test episodes say: agreement with the behaviour, action by action, and the offline value."""
    table = confusion(policy.network, test)
    known = {
        name: value for name, value in zip(policy.actions, recalls(table), strict=True) if value is not None
    }
    with torch.no_grad():
        answers = masked(policy.network(test.inputs), test.allowed).argmax(-1)
    shares = np.bincount(answers.numpy(), minlength=len(policy.actions)) / max(1, len(answers))
    return {
        "decisions": int(table.sum()),
        "balanced_accuracy": balanced_accuracy(table),
        "recall": known,
        "confusion": table.tolist(),
        "action_shares": dict(zip(policy.actions, map(float, shares), strict=True)),
        "offline_value": asdict(offline_value(policy.network, test, baseline)),
    }


def lessons_record(lessons: Sequence[Lesson], data: PackDataset, algorithm: str) -> dict[str, Any]:
    """Return the report of all seeds: every number with its t-interval over the seeds."""
    tests = [lesson.test for lesson in lessons]
    names = [name for name in data.actions if any(name in test["recall"] for test in tests)]
    points = [test["offline_value"]["points"] for test in tests]
    return {
        "algorithm": algorithm,
        "pack": data.as_record(),
        "seeds": [lesson.seed for lesson in lessons],
        "chosen": [lesson.policy.record["chosen"] for lesson in lessons],
        "balanced_accuracy": over_seeds([test["balanced_accuracy"] for test in tests]),
        "recall": {name: over_seeds([test["recall"].get(name) for test in tests]) for name in names},
        "offline_value_points": over_seeds(points),
        "confusion": np.sum([test["confusion"] for test in tests], axis=0).tolist(),
        "actions": list(data.actions),
        "test": tests,
    }


def over_seeds(values: Sequence[float | None]) -> dict[str, Any]:
    """Return mean, t-interval and number of the values that were measured.

    Example:
        >>> over_seeds([1.0, None, 3.0])["mean"]
        2.0
    """
    known = [value for value in values if value is not None]
    if not known:
        return {"n": 0, "mean": None, "ci_low": None, "ci_high": None}
    found = summarise(known)
    return {"n": found.n, "mean": found.mean, "ci_low": found.ci_low, "ci_high": found.ci_high}


def lessons_text(record: Mapping[str, Any]) -> str:
    """Return the report for people."""
    lines = [
        f"{record['algorithm']} on {record['pack']['pack_id']} ({record['pack']['features']} features), "
        f"{len(record['seeds'])} seeds, "
        f"{record['pack']['episodes']['test']} test episodes",
        "",
        f"{'on test episodes':28}{'mean':>9}   95% interval over seeds",
        row("balanced accuracy", record["balanced_accuracy"]),
        *(row(f"recall {name}", own) for name, own in record["recall"].items()),
        row("offline value (points)", record["offline_value_points"]),
        "",
        "Recall is agreement with the behaviour, not quality: `probatum policy compare` measures outcomes.",
    ]
    return "\n".join(lines)


def row(name: str, own: Mapping[str, Any], width: int = 28) -> str:
    """Return one line of a table: a name, a mean and its interval."""
    if own["mean"] is None:
        return f"{name:{width}}{'-':>9}   not measured"
    interval = "one value" if own["ci_low"] is None else f"{own['ci_low']:.3f} to {own['ci_high']:.3f}"
    return f"{name:{width}}{own['mean']:9.3f}   {interval}"


def _like(example: Any, word: str, name: str) -> Any:
    """Return a word as a value of the example's type."""
    try:
        if isinstance(example, tuple):
            return tuple(int(part) for part in word.split(","))
        return type(example)(word)
    except ValueError:
        raise UsageError(f"--set {name}: expected {type(example).__name__}, got {word!r}.") from None
