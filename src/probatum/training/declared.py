"""Which of a study's metrics a run promises: the record declares them before the first step."""

from __future__ import annotations

from typing import Any

from probatum.runs.metric import MetricDefinition
from probatum.training.study import Study


def declared_metrics(study: Study, parameters: Any) -> tuple[tuple[MetricDefinition, ...], dict[str, str]]:
    """Return the metrics that a run promises, and the reasons why the study's others do not apply, by name.

    What is promised must be measured: a comparison fails where it is missing, also where both runs lack it.
    """
    absent = dict(study.inapplicable_metrics(parameters))
    return tuple(metric for metric in study.metrics if metric.name not in absent), absent
