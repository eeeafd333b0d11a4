"""A task's scores under one perturbation: what is predicted at each strength with each mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probatum._errors import UsageError
from probatum.perturbations.masks import achieved_rate, generator, observed_cells
from probatum.perturbations.perturbation import Perturbation
from probatum.perturbations.task import PerturbationTask, Values

Progress = Callable[[int, int], None]  # predictions done, predictions in all


@dataclass(frozen=True)
class PointScores:
    """The scores at one strength."""

    strength: float
    scores: tuple[NDArray[Any], ...]  # (samples,) for each mask; one where no mask is drawn
    achieved_rate: float | None  # mean over masks of the share of observed cells removed


def check_task(task: PerturbationTask) -> None:
    """Refuse a task whose parts do not fit each other; all mistakes at once.

    Raises:
        UsageError: a shape is wrong, a length is larger than the number of steps, or nothing is measured.
    """
    shape, mistakes = np.shape(task.values), []
    if len(shape) != 3:
        raise UsageError(f"`values` must be (samples, steps, channels), got shape {shape}.")
    samples, steps, channels = shape
    for name, array in (("targets", task.targets), ("lengths", task.lengths)):
        if np.shape(array) != (samples,):
            mistakes.append(
                f"`{name}` must have one entry per sample, shape ({samples},), got {np.shape(array)}."
            )
    if len(task.channels) != channels:
        mistakes.append(f"`channels` must name {channels} channels, got {len(task.channels)} names.")
    lengths = np.asarray(task.lengths)
    if lengths.size and not (lengths.min() >= 0 and lengths.max() <= steps):
        mistakes.append(f"`lengths` must be in [0, {steps}], got {lengths.min()} to {lengths.max()}.")
    if not task.metrics:
        mistakes.append("`metrics` must name at least one metric, got none.")
    if samples == 0:
        mistakes.append("`values` must hold at least one sample, got none.")
    if mistakes:
        raise UsageError("PerturbationTask: " + " ".join(mistakes))


def predicted(task: PerturbationTask, values: Values) -> NDArray[np.float64]:
    """Return the task's scores of `values`, `(samples,)`.

    Raises:
        UsageError: `predict` returned another shape, or a score that is not a number.
    """
    scores = np.asarray(task.predict(values), dtype=np.float64)
    if scores.shape != (len(task.values),):
        raise UsageError(
            f"`predict` must return one score per sample, shape ({len(task.values)},), got {scores.shape}."
        )
    undefined = int(np.isnan(scores).sum())
    if undefined:
        raise UsageError(
            f"`predict` returned NaN for {undefined} of {len(scores)} {task.unit}. "
            "Does it impute channels of which nothing is left?"
        )
    return scores


def score_points(
    task: PerturbationTask,
    perturbation: Perturbation,
    strengths: Sequence[float],
    *,
    masks: int,
    seed: int,
    digest: str,
    clean_scores: NDArray[np.float64] | None = None,
    progress: Progress | None = None,
) -> list[PointScores]:
    """Return the scores at each strength: of all masks, or of one where nothing is random.

    Masks are the outer loop, so that one field at a time is in memory and serves every strength. `predict`
    is given copies: what it does to them touches nothing.

    Args:
        task: observations and model.
        perturbation: what is done to the observations.
        strengths: including the neutral one, at which the model is asked once.
        masks: number of masks.
        seed: of the masks.
        digest: of the task's data.
        clean_scores: the scores of the untouched observations, where they are known already.
        progress: called after each prediction.
    """
    numbers = range(masks if perturbation.is_random else 1)
    damaged = [strength for strength in strengths if strength != perturbation.neutral]
    observed = observed_cells(task)
    removes = perturbation.requested_rate(perturbation.neutral) is not None
    total, done = 1 + len(numbers) * len(damaged), 1
    if clean_scores is None:
        clean_scores = predicted(task, task.values.copy())
    scores: dict[float, list[NDArray[np.float64]]] = {strength: [] for strength in damaged}
    rates: dict[float, list[float | None]] = {strength: [] for strength in damaged}
    if progress:
        progress(done, total)
    for number in numbers:
        damage = perturbation.draw(task, generator(seed, digest, number, perturbation.name))
        for strength in damaged:
            values = damage(strength)
            rates[strength].append(achieved_rate(observed, ~np.isnan(values)) if removes else None)
            scores[strength].append(predicted(task, values))
            done += 1
            if progress:
                progress(done, total)
    clean = PointScores(perturbation.neutral, (clean_scores,), 0.0 if removes else None)
    points = [PointScores(strength, tuple(scores[strength]), _mean(rates[strength])) for strength in damaged]
    return [clean, *points]


def _mean(rates: list[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) / len(known) if known else None
