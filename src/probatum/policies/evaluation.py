"""Policies head to head: the same initial states, the same budget, and the accuracy that is reached in the end.

Agreement with another policy is no outcome and is not reported. The unit is the episode's seed: differences are
paired, intervals are t-intervals over the seeds, tests exact sign flips with Holm's correction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum._errors import UsageError
from probatum._holm import holm
from probatum.analysis.intervals import mean, summarise, t_interval
from probatum.analysis.sign_flips import LARGEST, sign_flip_p
from probatum.packs.environment import Environment, EpisodeSettings
from probatum.packs.episode import EpisodeRecord
from probatum.policies.registry import make_policy
from probatum.policies.remedies import is_right
from probatum.policies.rollout import Task, roll_out
from probatum.policies.threads import one_thread

FOSSILIZED = 7  # code of `seed_stage`


@dataclass(frozen=True)
class Outcome:
    """What one policy reached in one episode; accuracies in percent."""

    policy: str
    seed: int
    cause: str
    test_accuracy: float
    val_accuracy: float | None
    best_val_accuracy: float | None
    interventions: tuple[str, ...]
    grew: bool  # a seed became part of the network
    parameters_added: float | None
    right_intervention: bool  # the action that mends the cause was taken; for `none`, no mending one was


def settings_for(seed: int, episodes: int, causes: Sequence[str] = ("none",)) -> list[EpisodeSettings]:
    """Return initial states that no pack of the same seed shares: episodes take the causes in turn.

    Example:
        >>> [own.cause for own in settings_for(1, 3, ("none", "underfitting"))]
        ['none', 'underfitting', 'none']
    """
    streams = [np.random.SeedSequence(seed, spawn_key=(2**31, index)) for index in range(episodes)]
    seeds = [int(np.random.default_rng(own).integers(2**31)) for own in streams]
    return [EpisodeSettings(own, causes[index % len(causes)]) for index, own in enumerate(seeds)]


def play(
    environment: Environment,
    names: Sequence[str],
    settings: Sequence[EpisodeSettings],
    *,
    side_by_side: int = 8,
    done: Mapping[tuple[str, int], Outcome] | None = None,
    report: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Return every policy's outcome in every episode.

    Args:
        environment: For up to `side_by_side` runs.
        names: Of policies, as `make_policy` takes them.
        settings: The initial states, the same for every policy.
        side_by_side: Episodes that go together; one policy at a time.
        done: Outcomes of an earlier attempt, by policy and seed.
        report: Called with each outcome that was not done.

    Raises:
        UsageError: two policies carry one name.
    """
    if len(set(names)) != len(names):
        raise UsageError(f"every policy is compared once, got {', '.join(names)}.")
    found = dict(done or {})
    for name in names:
        for start in range(0, len(settings), side_by_side):
            group = settings[start : start + side_by_side]
            if all((name, own.seed) in found for own in group):
                continue
            tasks = [Task(f"{name} {own.seed}", own, make_policy(name), own.seed) for own in group]
            with one_thread():
                records = roll_out(environment, tasks)
            for record in records:
                outcome = outcome_of(record, name)
                found[name, outcome.seed] = outcome
                if report:
                    report(outcome)
    return [found[name, own.seed] for name in names for own in settings]


def outcome_of(record: EpisodeRecord, name: str) -> Outcome:
    """Return what an episode came to."""
    last = record.observations[-1]
    did = tuple(record.name(position) for position in record.interventions)
    facts = last.facts
    cause = record.settings.cause
    mending = [action for action in did if not _is_growth(action)]
    right = not mending if cause == "none" else any(is_right(cause, action) for action in did)
    return Outcome(
        policy=name,
        seed=record.settings.seed,
        cause=cause,
        test_accuracy=float(record.test_accuracy or 0.0),
        val_accuracy=last.snapshot.val_accuracy,
        best_val_accuracy=last.snapshot.best_val_accuracy,
        interventions=did,
        grew=last.slot.get("seed_stage") == FOSSILIZED,
        parameters_added=float(facts["parameters_added"]) if "parameters_added" in facts else None,
        right_intervention=right,
    )


def compare(
    outcomes: Sequence[Outcome], baselines: Sequence[str] = ("no_growth", "heuristic")
) -> dict[str, Any]:
    """Return the table of the policies and their paired differences from each baseline.

    Args:
        outcomes: Of every policy on the same seeds.
        baselines: Those of them that the others are compared with; one that is absent is left out.
    """
    by_policy: dict[str, dict[int, Outcome]] = {}
    for own in outcomes:
        by_policy.setdefault(own.policy, {})[own.seed] = own
    return {
        "episodes": len(next(iter(by_policy.values()))) if by_policy else 0,
        "policies": [_summary(name, list(own.values())) for name, own in by_policy.items()],
        "differences": [
            row
            for baseline in baselines
            if baseline in by_policy
            for row in _differences(by_policy, baseline)
        ],
        "outcomes": [{**own.__dict__, "interventions": list(own.interventions)} for own in outcomes],
    }


def _summary(name: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    tests = summarise([own.test_accuracy for own in outcomes])
    added = [own.parameters_added for own in outcomes if own.parameters_added is not None]
    reached = [own.val_accuracy for own in outcomes if own.val_accuracy is not None]
    return {
        "policy": name,
        "test_accuracy": tests.mean,
        "ci_low": tests.ci_low,
        "ci_high": tests.ci_high,
        "val_accuracy": mean(reached) if reached else None,
        "parameters_added": mean(added) if added else None,
        "episodes_with_growth": sum(own.grew for own in outcomes),
        "interventions": mean([float(len(own.interventions)) for own in outcomes]),
        "right_intervention_share": mean([float(own.right_intervention) for own in outcomes]),
    }


def _differences(by_policy: Mapping[str, Mapping[int, Outcome]], baseline: str) -> list[dict[str, Any]]:
    """Return every other policy's paired difference from the baseline, p-values adjusted by Holm."""
    rows = []
    for name, own in by_policy.items():
        if name == baseline:
            continue
        pairs = [own[seed].test_accuracy - other.test_accuracy for seed, other in by_policy[baseline].items()]
        low, high = t_interval(pairs) or (None, None)
        rows.append(
            {
                "policy": name,
                "baseline": baseline,
                "n": len(pairs),
                "difference": mean(pairs),
                "ci_low": low,
                "ci_high": high,
                "p": sign_flip_p(pairs[:LARGEST]),  # the exact test takes so many; the interval takes all
            }
        )
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = adjusted
    return rows


def comparison_text(found: Mapping[str, Any]) -> str:
    """Return a comparison for people."""
    width = max(10, *(len(own["policy"]) for own in found["policies"])) + 2
    lines = [
        f"final test accuracy in percent, {found['episodes']} episodes per policy, the same initial states",
        "",
        f"{'policy':{width}}{'test':>8}  {'95% interval':18}{'valid':>8}"
        f"{'added':>10}{'grew':>6}{'acts':>6}{'right':>7}",
    ]
    lines += [_policy_line(own, width) for own in found["policies"]]
    if found["differences"]:
        lines += [
            "",
            f"{'paired difference (points)':{width + 14}}{'mean':>8}  {'95% interval':18}{'p (Holm)':>9}",
        ]
        lines += [_difference_line(own, width + 14) for own in found["differences"]]
        n = min(found["episodes"], LARGEST)
        lines.append(f"p: exact sign flips over {n} seeds; the smallest possible is {2.0 ** (1 - n):.2g}")
    return "\n".join(lines)


def _policy_line(own: Mapping[str, Any], width: int) -> str:
    numbers = _number(own["val_accuracy"], 8, 2) + _number(own["parameters_added"], 10, 0)
    return (
        f"{own['policy']:{width}}{own['test_accuracy']:8.2f}  {_interval(own):18}{numbers}"
        f"{own['episodes_with_growth']:6d}{own['interventions']:6.1f}{own['right_intervention_share']:7.0%}"
    )


def _difference_line(own: Mapping[str, Any], width: int) -> str:
    name = f"{own['policy']} - {own['baseline']}"
    return f"{name:{width}}{own['difference']:+8.2f}  {_interval(own):18}{own['p_holm']:9.3g}"


def _interval(own: Mapping[str, Any]) -> str:
    return "one episode" if own["ci_low"] is None else f"{own['ci_low']:.2f} to {own['ci_high']:.2f}"


def _number(value: float | None, width: int, places: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{places}f}"


def _is_growth(action: str) -> bool:
    return action.startswith("GERMINATE") or action in ("ADVANCE", "CULL", "FOSSILIZE")
