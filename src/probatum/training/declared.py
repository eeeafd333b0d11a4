"""Which of a study's metrics a run promises: the record declares them before the first step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from probatum.runs.metric import MetricDefinition
from probatum.training.study import Study


@runtime_checkable
class MetricsByParameters(Protocol):
    """A study some of whose metrics exist with some parameters only."""

    def inapplicable_metrics(self, parameters: Any) -> Mapping[str, str]:
        """Return the metrics that a run of `parameters` cannot have, each with the reason."""
        ...


def declared_metrics(study: Study, parameters: Any) -> tuple[tuple[MetricDefinition, ...], dict[str, str]]:
    """Return the metrics that a run promises, and the reasons why the study's others do not apply, by name.

    What is promised must be measured: a comparison fails where it is missing, also where both runs lack it.
    """
    absent = dict(study.inapplicable_metrics(parameters)) if isinstance(study, MetricsByParameters) else {}
    return tuple(metric for metric in study.metrics if metric.name not in absent), absent
