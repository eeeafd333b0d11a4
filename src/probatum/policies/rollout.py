"""Policies at work: episodes carried out side by side, with forks that show what an intervention changed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from probatum._errors import UsageError
from probatum.packs.choice import Choice, Policy
from probatum.packs.environment import Environment, EpisodeSettings, Observed
from probatum.packs.episode import EpisodeRecord


@dataclass(frozen=True)
class Task:
    """One episode to carry out."""

    episode_id: str
    settings: EpisodeSettings
    policy: Policy
    policy_seed: int


@dataclass(frozen=True)
class Counterfactuals:
    """How many interventions of an episode are judged by a fork, and for how long.

    A fork is the run as it stood before the decision; it then does WAIT until the horizon, whatever the policy
    would have done: the question is what the intervention was worth, not what would have replaced it. The first
    intervention of an episode is always judged, since `packs.outcome` asks for it; where there are more than
    `at_most`, the others kept are a uniform sample.

    Source: J. Vitter, Random sampling with a reservoir, ACM TOMS 11 (1985), algorithm R.
    """

    at_most: int = 1
    horizon: int | None = (
        None  # epochs; None: to the end of the budget, since a seed acts only once it blends
    )


@dataclass
class _Progress:
    """What an episode has left so far."""

    task: Task
    observations: list[Observed]
    choices: list[Choice] = field(default_factory=list)
    forks: dict[int, Environment] = field(default_factory=dict)  # by decision
    interventions: int = 0

    def __post_init__(self) -> None:
        # A stream of its own: asking for forks changes nothing of what policies and runs draw.
        self.sampler = random.Random(f"counterfactuals {self.task.settings.seed}")  # noqa: S311


def attend(policy: Policy, environment: Environment) -> None:
    """Let a policy that needs features see the environment's schema, before the first decision.

    Raises:
        ComparisonError: the policy was made for other features or actions.
    """
    if (hook := getattr(policy, "attend", None)) is not None:
        hook(environment.schema, environment.actions)
    if (inner := getattr(policy, "policy", None)) is not None:
        attend(inner, environment)


def roll_out(
    environment: Environment, tasks: Sequence[Task], counterfactuals: Counterfactuals | None = None
) -> list[EpisodeRecord]:
    """Return the episodes of the tasks, carried out side by side in the environment.

    Each task needs a policy object of its own: policies remember.

    Raises:
        UsageError: two tasks share a policy object, or a policy chose what is not allowed.
        ComparisonError: a policy was made for other features or actions.
    """
    if len({id(task.policy) for task in tasks}) != len(tasks):
        raise UsageError("every episode needs a policy object of its own: policies remember what they did.")
    for task in tasks:
        attend(task.policy, environment)
        task.policy.begin(task.policy_seed)
    first = environment.reset([task.settings for task in tasks])
    runs = [_Progress(task, [observed]) for task, observed in zip(tasks, first, strict=True)]
    while not runs[0].observations[-1].is_last:
        choices = [_choose(run, environment) for run in runs]
        if counterfactuals:
            for index, (run, choice) in enumerate(zip(runs, choices, strict=True)):
                _keep_fork(run, index, choice, environment, counterfactuals.at_most)
        observations = environment.step([choice.action for choice in choices])
        for run, choice, observed in zip(runs, choices, observations, strict=True):
            run.choices.append(choice)
            run.observations.append(observed)
    accuracies = environment.test_accuracy()
    horizon = counterfactuals.horizon if counterfactuals else None
    return [
        _record(run, environment, accuracy, horizon) for run, accuracy in zip(runs, accuracies, strict=True)
    ]


def left_alone(environment: Environment, horizon: int | None, *, budget: int) -> list[float]:
    """Return the validation accuracies of a fork that only waits, epoch by epoch, in percent.

    Args:
        environment: Of one run, as `fork` returned it.
        horizon: Epochs to follow it; None for as many as the budget leaves.
        budget: Epochs it has left; it is followed no further.
    """
    accuracies: list[float] = []
    for _ in range(budget if horizon is None else min(horizon, budget)):
        (observed,) = environment.step([0])
        if observed.snapshot.val_accuracy is None:
            break
        accuracies.append(observed.snapshot.val_accuracy)
    return accuracies


def _choose(run: _Progress, environment: Environment) -> Choice:
    observed = run.observations[-1]
    choice = run.task.policy.choose(observed, environment.actions)
    if not observed.allowed[choice.action]:
        raise UsageError(
            f"policy {run.task.policy.name!r} chose {environment.actions[choice.action]} at epoch {observed.epoch} "
            f"of {run.task.episode_id}, which is not allowed there; `Observed.allowed` says what is."
        )
    return choice


def _keep_fork(run: _Progress, index: int, choice: Choice, environment: Environment, at_most: int) -> None:
    """Fork run `index` before an intervention, so that the kept forks are a uniform sample of all."""
    if choice.action == 0 or at_most < 1:
        return
    run.interventions += 1
    if len(run.forks) >= at_most:
        place = run.sampler.randrange(run.interventions - 1) + 1  # the first keeps its place
        if place >= at_most:
            return
        del run.forks[sorted(run.forks)[place]]
    run.forks[len(run.choices)] = environment.fork(index)


def _record(
    run: _Progress, environment: Environment, test_accuracy: float, horizon: int | None
) -> EpisodeRecord:
    followed: Mapping[int, list[float]] = {
        decision: left_alone(fork, horizon, budget=run.observations[decision].budget)
        for decision, fork in sorted(run.forks.items())
    }
    return EpisodeRecord(
        episode_id=run.task.episode_id,
        settings=run.task.settings,
        policy=run.task.policy.name,
        actions=tuple(environment.actions),
        observations=run.observations,
        choices=run.choices,
        test_accuracy=test_accuracy,
        counterfactuals=followed,
    )
