"""All the curves of one request, on one task."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from probatum.perturbations.curves import Curve, robustness_curve
from probatum.perturbations.missingness import MECHANISMS
from probatum.perturbations.noise import GaussianNoise
from probatum.perturbations.perturbation import Perturbation
from probatum.perturbations.request import CurveRequest
from probatum.perturbations.scoring import check_task, predicted
from probatum.perturbations.task import PerturbationTask
from probatum.perturbations.truncation import ENDS

Progress = Callable[[str, int, int], None]  # curve, predictions done, predictions in all


def requested_curves(
    task: PerturbationTask, request: CurveRequest, progress: Progress | None = None
) -> list[Curve]:
    """Return the curves that were asked for, missingness first; the untouched data are scored once.

    Args:
        task: on all the samples that are to be used.
        request: what to compute.
        progress: called with the curve's name, the predictions done and those in all.
    """
    check_task(task)
    clean = predicted(task, task.values.copy())
    return [
        robustness_curve(
            task, perturbation, strengths, masks=request.masks, seed=request.mask_seed,
            bootstrap=request.resamples, clean_scores=clean, progress=_named(progress, perturbation),
        )
        for perturbation, strengths in _perturbations(request)
    ]  # fmt: skip


def _perturbations(request: CurveRequest) -> Iterator[tuple[Perturbation, tuple[float, ...]]]:
    if request.mask_rates:
        yield from ((MECHANISMS[name], request.mask_rates) for name in request.mechanisms)
    if request.keep_ratios:
        yield from ((ENDS[name], request.keep_ratios) for name in request.ends)
    if request.noise_scales:
        yield GaussianNoise(), request.noise_scales


def _named(progress: Progress | None, perturbation: Perturbation) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(f"{perturbation.kind} {perturbation.name}", done, total)
