"""What a plan would do, in words; nothing is written."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from probatum.ablations.plan.lookup import shown
from probatum.ablations.plan.model import Plan, PlannedRun
from probatum.ablations.runner.folder import PlanFolder
from probatum.ablations.runner.record import is_completed


def describe_plan(plan: Plan, *, skip_existing: bool = False, max_runs: int | None = None) -> Iterator[str]:
    """Yield the lines of a dry run: what is compared, and each run with its differences from the base."""
    metric = plan.primary_metric.name if plan.primary_metric else "none declared"
    yield f"plan {plan.name}: {len(plan.runs)} runs below {shown(plan.folder, plan.root)}/"
    yield f"baseline: {plan.baseline or 'none'}; primary metric: {metric}"
    for accommodation in plan.accommodations:
        yield (
            f"accommodation ({accommodation.rule}): {accommodation.written} -> {accommodation.used}: "
            f"{accommodation.reason}"
        )
    for note in plan.notes:
        yield f"note: {note}"
    folder = PlanFolder(plan.folder)
    left = len(plan.runs) if max_runs is None else max_runs
    for run in plan.runs:
        if skip_existing and is_completed(run, folder.run(run.place)):
            yield f"{run.key}: would be skipped, completed with the same hash"
        elif left <= 0:
            yield f"{run.key}: left out by --max-runs"
        else:
            left -= 1
            yield from _describe(plan, run)


def _describe(plan: Plan, run: PlannedRun) -> Iterator[str]:
    seed = "" if run.seed is None else f"  seed {run.seed}"
    yield f"{run.key}{seed}  {run.config_hash[:12]}"
    for difference in run.differences(plan.base):
        yield f"    {difference}"
    for accommodation in set(run.resolved.accommodations) - set(plan.accommodations):
        yield f"    accommodation ({accommodation.rule}): {accommodation.written} -> {accommodation.used}"
    if run.experiment.extra_args:
        yield f"    extra_args: {shlex.join(run.experiment.extra_args)}"
