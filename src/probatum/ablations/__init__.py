"""Did it help: a declarative plan of experiments, carried out on any engine, recorded so that it can be checked."""

from probatum.ablations.engines import Engine, make_engine
from probatum.ablations.plan import Plan, PlanOptions, load_plan
from probatum.ablations.runner import SweepOptions, SweepResult, describe_plan, plan_status, run_plan

__all__ = [
    "Engine",
    "Plan",
    "PlanOptions",
    "SweepOptions",
    "SweepResult",
    "describe_plan",
    "load_plan",
    "make_engine",
    "plan_status",
    "run_plan",
]
