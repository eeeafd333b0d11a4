"""How a plan is carried out, recorded, and gone on with."""

from probatum.ablations.runner.dry_run import describe_plan
from probatum.ablations.runner.status import PlanStatus, plan_status
from probatum.ablations.runner.sweep import SweepOptions, SweepResult, run_plan

__all__ = ["PlanStatus", "SweepOptions", "SweepResult", "describe_plan", "plan_status", "run_plan"]
