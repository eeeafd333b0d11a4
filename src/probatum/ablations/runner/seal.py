"""What a plan promises, sealed in the ledger before its first run: a later change is visible as one."""

from __future__ import annotations

import hashlib
from typing import Any

from probatum._files import strict_json, write_whole
from probatum.ablations.plan.model import Plan
from probatum.ablations.runner.folder import PlanFolder
from probatum.runs.ledger import append_event

EVENT = "plan_sealed"


def sealed_content(plan: Plan) -> dict[str, Any]:
    """Return what is sealed: the experiments that will run, the baseline, and what decides."""
    return {
        "schema_version": 1,
        "plan": plan.name,
        "baseline": plan.baseline,
        "primary_metric": plan.primary_metric.as_record() if plan.primary_metric else None,
        "objectives": [metric.as_record() for metric in plan.objectives],
        "set": list(plan.sets),
        "experiments": [experiment.name for experiment in plan.experiments],
        "runs": {run.key: run.config_hash for run in plan.runs},
    }


def seal_plan(plan: Plan, folder: PlanFolder, completed: int) -> str:
    """Return the plan's SHA-256 after putting it into the ledger, once for each content.

    `completed` runs existed at that time: the ledger keeps the number, so that a baseline or a metric chosen
    after the results is seen as such.
    """
    text = strict_json(sealed_content(plan)) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = folder.seal(digest)
    if not path.exists():
        write_whole(path, text)
        append_event(
            plan.output, EVENT, plan.name, plan_sha256=digest, baseline=plan.baseline,
            primary_metric=plan.primary_metric.name if plan.primary_metric else None,
            objectives=[metric.name for metric in plan.objectives], completed_before=completed,
        )  # fmt: skip
    return digest
