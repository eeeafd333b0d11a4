"""What is to be tried: a declarative list of experiments, checked before anything runs."""

from probatum.ablations.plan.load import load_plan
from probatum.ablations.plan.model import Accommodation, Experiment, Metric, Plan, PlannedRun
from probatum.ablations.plan.reading import PlanOptions

__all__ = ["Accommodation", "Experiment", "Metric", "Plan", "PlanOptions", "PlannedRun", "load_plan"]
